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

size_t slice_find(struct slice slice, struct slice needle)
{
    if (needle.size == 0)
        return 0;
    const char *at =
        slice.size > 0 ? memmem(slice.data, slice.size, needle.data, needle.size) : NULL;
    return at != NULL ? (size_t)(at - slice.data) : slice.size;
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
