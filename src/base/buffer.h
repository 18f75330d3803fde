/* A growable run of bytes that knows its maximum.
 *
 * Memory: the buffer owns its bytes; buffer_fini() frees them.
 * Errors: an append that does not fit (STATUS_TOO_LARGE) or finds no memory (STATUS_NO_MEMORY)
 * adds nothing and sets `failed`, which stays set; so a writer may append many pieces and look
 * at buffer_status() once. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

struct buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    enum status failed; /* STATUS_OK while everything fitted */
};

void buffer_init(struct buffer *buffer, size_t size_max);
void buffer_fini(struct buffer *buffer);
/* Empties it, keeps the memory and clears `failed`. */
void buffer_clear(struct buffer *buffer);

/* Room for `size` more bytes at data + size. */
enum status buffer_reserve(struct buffer *buffer, size_t size);
enum status buffer_append(struct buffer *buffer, struct slice bytes);
enum status buffer_append_byte(struct buffer *buffer, char byte);
enum status buffer_append_u64(struct buffer *buffer, uint64_t value);
__attribute__((format(printf, 2, 3))) enum status buffer_printf(struct buffer *buffer,
                                                                const char *format, ...);
/* Drops `size` bytes from the front. */
void buffer_consume(struct buffer *buffer, size_t size);

static inline enum status buffer_status(const struct buffer *buffer)
{
    return buffer->failed;
}

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->size};
}

#endif
