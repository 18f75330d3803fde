/* Bodies and held answers of the whole process together stay under one bound.
 *
 * Thread: any. Errors: STATUS_NO_MEMORY at the bound, or when the heap gave none. */
#ifndef HTTP_BODY_MEMORY_H
#define HTTP_BODY_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* Sets the bound; at start, and again by a reload. 0 until then. */
void body_memory_set_max(uint64_t bytes);
/* Bytes in use. */
uint64_t body_memory_used(void);

/* A run of bytes that counts towards the bound. Zeroed is empty. */
struct body_memory {
    char *data;
    size_t size;     /* of what is in use */
    size_t capacity; /* what counts */
};

/* Room for `capacity` bytes in all; keeps what is there. */
MUST_CHECK enum status body_memory_reserve(struct body_memory *memory, size_t capacity);
/* As body_memory_reserve(), but grows by doubling. */
MUST_CHECK enum status body_memory_grow(struct body_memory *memory, size_t capacity);
/* Appends a copy. */
MUST_CHECK enum status body_memory_append(struct body_memory *memory, const void *bytes,
                                          size_t size);
/* Drops all but `rest`, which is a part of it and moves to the front; *rest_out is where. */
void body_memory_keep(struct body_memory *memory, struct slice rest, struct slice *rest_out);
void body_memory_free(struct body_memory *memory);

#endif
