#include "admin/key_models.h"

#include <stdbool.h>

#include "identity/rules.h"

static bool is_pattern(struct slice pattern)
{
    for (size_t i = 0; i < pattern.size; i++) {
        const unsigned char byte = (unsigned char)pattern.data[i];
        if (byte <= ' ' || byte == 0x7f || byte == ',')
            return false;
        if (byte == '*' && i + 1 < pattern.size)
            return false;
    }
    return pattern.size > 0;
}

/* Appends the patterns to `joined`, which holds IDENTITY_LIST_SIZE_MAX bytes. */
static enum status join(yyjson_val *array, char *joined, size_t *size_out, struct reason *reason)
{
    size_t size = 0;
    yyjson_arr_iter iterator = yyjson_arr_iter_with(array);
    yyjson_val *value;
    while ((value = yyjson_arr_iter_next(&iterator)) != NULL) {
        const struct slice pattern = slice_of(yyjson_get_str(value), yyjson_get_len(value));
        if (!yyjson_is_str(value) || !is_pattern(pattern)) {
            reason_set(reason, "a model is a name without spaces and commas, with at most one * "
                               "and that at its end");
            return STATUS_INVALID;
        }
        if (pattern.size + 1 > IDENTITY_LIST_SIZE_MAX - size) {
            reason_set(reason, "the models of a key have at most %d bytes together",
                       IDENTITY_LIST_SIZE_MAX);
            return STATUS_INVALID;
        }
        if (size > 0)
            joined[size++] = ',';
        memcpy(joined + size, pattern.data, pattern.size);
        size += pattern.size;
    }
    *size_out = size;
    return STATUS_OK;
}

enum status key_models_read(yyjson_val *value, struct arena *arena, struct slice *models_out,
                            struct reason *reason)
{
    *models_out = slice_of(NULL, 0);
    if (yyjson_is_null(value))
        return STATUS_OK;
    if (!yyjson_is_arr(value) || yyjson_arr_size(value) == 0) {
        reason_set(reason, "models is an array of names, or null for all models");
        return STATUS_INVALID;
    }
    char *joined = arena_alloc(arena, IDENTITY_LIST_SIZE_MAX);
    if (joined == NULL) {
        reason_set(reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    size_t size = 0;
    const enum status status = join(value, joined, &size, reason);
    if (status == STATUS_OK)
        *models_out = slice_of(joined, size);
    return status;
}

void key_models_write(struct json_writer *writer, struct slice name, struct slice models)
{
    json_write_key(writer, name);
    if (models.data == NULL) {
        json_write_null(writer);
        return;
    }
    json_write_array(writer);
    struct slice rest = models;
    while (rest.size > 0) {
        const size_t comma = slice_find_byte(rest, ',');
        json_write_string(writer, slice_of(rest.data, comma));
        rest = slice_from(rest, comma < rest.size ? comma + 1 : comma);
    }
    json_write_end(writer);
}
