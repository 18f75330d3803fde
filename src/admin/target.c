#include "admin/target.h"

#include "base/encoding.h"

#define ROOT SLICE("/admin/v1/")

/* STATUS_INVALID: a % without two hexadecimal digits. STATUS_NO_MEMORY. */
static enum status decode(struct slice text, struct arena *arena, struct slice *decoded_out)
{
    char *decoded = arena_alloc(arena, text.size + 1);
    if (decoded == NULL)
        return STATUS_NO_MEMORY;
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '%') {
            decoded[size++] = text.data[i];
            continue;
        }
        if (text.size - i < 3 ||
            hex_decode(slice_of(text.data + i + 1, 2), &decoded[size], 1) != STATUS_OK)
            return STATUS_INVALID;
        size++;
        i += 2;
    }
    decoded[size] = '\0';
    *decoded_out = slice_of(decoded, size);
    return STATUS_OK;
}

/* Takes what comes before the next `separator` off the front of *rest, and the separator. */
static struct slice take_until(struct slice *rest, char separator)
{
    const size_t size = slice_find_byte(*rest, separator);
    const struct slice part = slice_of(rest->data, size);
    *rest = slice_from(*rest, size < rest->size ? size + 1 : size);
    return part;
}

static enum status parse_parts(struct slice path, struct arena *arena, struct target *target)
{
    if (!slice_starts_with(path, ROOT))
        return STATUS_NOT_FOUND;
    struct slice rest = slice_from(path, ROOT.size);
    struct slice *const parts[] = {&target->collection, &target->item, &target->action};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const bool is_last = slice_find_byte(rest, '/') == rest.size;
        const struct slice part = take_until(&rest, '/');
        if (part.size == 0)
            return STATUS_NOT_FOUND;
        const enum status status = decode(part, arena, parts[i]);
        if (status != STATUS_OK || is_last)
            return status;
    }
    return STATUS_NOT_FOUND;
}

static enum status parse_parameter(struct slice text, struct arena *arena, struct target *target)
{
    if (target->parameter_count == TARGET_PARAMETERS_MAX)
        return STATUS_TOO_LARGE;
    struct target_parameter *parameter = &target->parameters[target->parameter_count];
    struct slice rest = text;
    const struct slice name = take_until(&rest, '=');
    if (name.size == text.size)
        return STATUS_INVALID;
    enum status status = decode(name, arena, &parameter->name);
    if (status == STATUS_OK)
        status = decode(rest, arena, &parameter->value);
    if (status == STATUS_OK && target_parameter(target, parameter->name).data != NULL)
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        target->parameter_count++;
    return status;
}

enum status target_parse(struct slice path, struct arena *arena, struct target *target_out)
{
    *target_out = (struct target){.parameter_count = 0};
    if (path.size == 0)
        return STATUS_NOT_FOUND;
    struct slice query = path;
    const struct slice parts = take_until(&query, '?');
    enum status status = parse_parts(parts, arena, target_out);
    while (status == STATUS_OK && query.size > 0)
        status = parse_parameter(take_until(&query, '&'), arena, target_out);
    return status;
}

struct slice target_parameter(const struct target *target, struct slice name)
{
    for (unsigned i = 0; i < target->parameter_count; i++) {
        if (slice_equal(target->parameters[i].name, name))
            return target->parameters[i].value;
    }
    return slice_of(NULL, 0);
}
