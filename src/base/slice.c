#include "base/slice.h"

static unsigned lower(char byte)
{
    const unsigned value = (unsigned char)byte;
    return value - 'A' < 26 ? value | 0x20 : value;
}

/* Not strncasecmp(), for which a zero byte ends both. */
bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

bool slice_starts_with(struct slice slice, struct slice prefix)
{
    return slice.size >= prefix.size && slice_equal(slice_of(slice.data, prefix.size), prefix);
}

bool slice_ends_with(struct slice slice, struct slice suffix)
{
    return slice.size >= suffix.size &&
           slice_equal(slice_from(slice, slice.size - suffix.size), suffix);
}

size_t slice_find_byte(struct slice slice, char byte)
{
    const char *at = slice.size > 0 ? memchr(slice.data, byte, slice.size) : NULL;
    return at != NULL ? (size_t)(at - slice.data) : slice.size;
}

/* Sixteen bytes are compared at a time, with the compilers' vector types, so that no instruction set is
 * named. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

static bytes16 load16(const char *at)
{
    bytes16 bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return bytes;
}

/* The first of the 16 places from `at` on where the needle stands, or 16. */
static size_t find_among_16(const char *at, struct slice needle)
{
    for (size_t i = 0; i < sizeof(bytes16); i++) {
        if (at[i] == needle.data[0] && memcmp(at + i, needle.data, needle.size) == 0)
            return i;
    }
    return sizeof(bytes16);
}

/* Few places have both the first and the last byte of the needle where it has them. */
size_t slice_find(struct slice slice, struct slice needle)
{
    if (needle.size == 0)
        return 0;
    if (needle.size > slice.size)
        return slice.size;
    const size_t places = slice.size - needle.size + 1;
    const size_t last = needle.size - 1;
    const uint8_t first_byte = (uint8_t)needle.data[0], last_byte = (uint8_t)needle.data[last];
    size_t at = 0;
    for (; at + sizeof(bytes16) <= places; at += sizeof(bytes16)) {
        const words2 found = (words2)((load16(slice.data + at) == first_byte) &
                                      (load16(slice.data + at + last) == last_byte));
        const size_t place =
            (found[0] | found[1]) != 0 ? find_among_16(slice.data + at, needle) : sizeof(bytes16);
        if (place < sizeof(bytes16))
            return at + place;
    }
    for (; at < places; at++) {
        if (slice.data[at] == needle.data[0] &&
            memcmp(slice.data + at, needle.data, needle.size) == 0)
            return at;
    }
    return slice.size;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct slice slice_trim(struct slice slice)
{
    while (slice.size > 0 && is_blank(slice.data[0]))
        slice = slice_from(slice, 1);
    while (slice.size > 0 && is_blank(slice.data[slice.size - 1]))
        slice.size--;
    return slice;
}

enum status slice_to_u64(struct slice slice, uint64_t *value_out)
{
    uint64_t value = 0;
    if (slice.size == 0)
        return STATUS_INVALID;
    for (size_t i = 0; i < slice.size; i++) {
        const unsigned digit = (unsigned)(unsigned char)slice.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return STATUS_INVALID;
    }
    *value_out = value;
    return STATUS_OK;
}
