/* A slice borrows bytes that somebody else owns; it is passed by value and never freed. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

struct slice {
    const char *data; /* may be NULL when size is 0; not terminated by a zero byte */
    size_t size;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

/* For printf: `"%.*s", SLICE_ARGS(s)`. */
#define SLICE_ARGS(slice) (int)(slice).size, (slice).data != NULL ? (slice).data : ""

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){data, size};
}

static inline struct slice slice_from_text(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The part from `from` (at most the size) on. */
static inline struct slice slice_from(struct slice slice, size_t from)
{
    /* Nothing may be added to a null pointer, not even 0 (C17 6.5.6). */
    return from == 0 ? slice : (struct slice){slice.data + from, slice.size - from};
}

/* Compares without regard to ASCII case. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts_with(struct slice slice, struct slice prefix);
bool slice_ends_with(struct slice slice, struct slice suffix);

/* The offset of the first `byte`, or `slice.size`. */
size_t slice_find_byte(struct slice slice, char byte);
/* The offset of the first `needle`, or `slice.size`. */
size_t slice_find(struct slice slice, struct slice needle);

/* Without spaces and tabs at both ends. */
struct slice slice_trim(struct slice slice);

/* Reads decimal digits and nothing else. STATUS_INVALID: empty, another byte, or over UINT64_MAX. */
MUST_CHECK enum status slice_to_u64(struct slice slice, uint64_t *value_out);

#endif
