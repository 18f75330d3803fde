#include "audit/details.h"

#include "base/encoding.h"

/* What follows `"name":`, to the end of the details. */
static struct slice find_member(struct slice details, struct slice name)
{
    while (details.size > 0) {
        const size_t at = slice_find(details, name);
        if (at == details.size)
            return slice_from(details, details.size);
        const struct slice before = slice_of(details.data, at);
        const struct slice after = slice_from(details, at + name.size);
        if (slice_ends_with(before, SLICE("\"")) && slice_starts_with(after, SLICE("\":")))
            return slice_from(after, 2);
        details = slice_from(details, at + 1);
    }
    return details;
}

enum status details_find(struct slice details, const char *name, struct slice *value_out)
{
    const struct slice rest = find_member(details, slice_from_text(name));
    if (rest.size == 0)
        return STATUS_NOT_FOUND;
    if (rest.data[0] == '"') {
        const struct slice text = slice_from(rest, 1);
        *value_out = slice_of(text.data, slice_find_byte(text, '"'));
        return STATUS_OK;
    }
    const struct slice number = slice_of(rest.data, slice_find_byte(rest, ','));
    *value_out = slice_of(number.data, slice_find_byte(number, '}'));
    return slice_equal(*value_out, SLICE("null")) ? STATUS_NOT_FOUND : STATUS_OK;
}

enum status details_u64(struct slice details, const char *name, uint64_t *value_out)
{
    struct slice text;
    const enum status status = details_find(details, name, &text);
    return status == STATUS_OK ? slice_to_u64(text, value_out) : status;
}

enum status details_hex(struct slice details, const char *name, void *bytes_out, size_t size)
{
    struct slice text;
    const enum status status = details_find(details, name, &text);
    return status == STATUS_OK ? hex_decode(text, bytes_out, size) : status;
}
