#include "dialect/openai_models.h"

#include <stdbool.h>

#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"

#define NAME_BYTES_MAX 256

static bool is_usable(struct slice name)
{
    if (name.size == 0 || name.size > NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        const unsigned char byte = (unsigned char)name.data[i];
        if (byte < 0x20 || byte == 0x7F)
            return false;
    }
    return true;
}

static size_t count_elements(struct json_value list, const struct json_limits *limits,
                             size_t count_max)
{
    struct json_walk walk;
    struct json_member element;
    size_t count = 0;
    json_walk_init(&walk, list, limits);
    while (count < count_max && json_walk_next(&walk, &element))
        count++;
    return count;
}

static enum status add_name(struct json_value entry, const struct json_limits *limits,
                            struct arena *arena, struct openai_models *models)
{
    struct json_value id;
    struct slice name;
    if (!json_find(entry, SLICE("id"), limits, &id) || id.type != JSON_TYPE_STRING ||
        id.raw.size > 6 * NAME_BYTES_MAX + 2)
        return STATUS_OK;
    const enum status status = json_string(id, arena, &name);
    if (status == STATUS_OK && is_usable(name))
        models->names[models->count++] = name;
    return status;
}

enum status openai_models_read(struct slice body, const struct json_limits *limits,
                               size_t count_max, struct arena *arena,
                               struct openai_models *models_out)
{
    struct json_value root;
    struct json_value list;
    struct json_error error;
    struct json_walk walk;
    struct json_member element;
    struct openai_models models = {0};
    if (json_check(body, limits, &root, &error) != STATUS_OK ||
        !json_find(root, SLICE("data"), limits, &list) || list.type != JSON_TYPE_ARRAY)
        return STATUS_PROTOCOL;
    const size_t capacity = count_elements(list, limits, count_max);
    models.names = arena_alloc(arena, (capacity + 1) * sizeof(*models.names));
    if (models.names == NULL)
        return STATUS_NO_MEMORY;
    json_walk_init(&walk, list, limits);
    while (models.count < capacity && json_walk_next(&walk, &element)) {
        const enum status status = add_name(element.value, limits, arena, &models);
        if (status != STATUS_OK)
            return status;
    }
    *models_out = models;
    return STATUS_OK;
}
