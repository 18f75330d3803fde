#include "cli/member_text.h"

#include "cli/moment.h"
#include "json/value.h"
#include "json/walk.h"

static const struct slice out_of_memory = {NULL, 0};

static struct slice string_text(struct json_value value, struct arena *arena)
{
    struct slice text;
    return json_string(value, arena, &text) == STATUS_OK ? text : out_of_memory;
}

static struct slice time_text(struct slice text, enum member_form form, uint64_t now_us,
                              struct arena *arena)
{
    char distance[MOMENT_TEXT_BYTES];
    uint64_t time_us;
    if (moment_parse(text, &time_us) != STATUS_OK)
        return text;
    moment_describe(time_us, now_us, distance);
    if (form == MEMBER_FORM_CELL)
        return arena_copy(arena, slice_from_text(distance));
    return arena_printf(arena, "%.*s (%s)", SLICE_ARGS(text), distance);
}

/* The elements' texts with commas between. None is longer than its raw form. */
static struct slice list_text(struct json_value array, struct arena *arena)
{
    struct json_walk walk;
    struct json_member element;
    size_t size = 0;
    char *joined = arena_alloc(arena, array.raw.size);
    json_walk_init(&walk, array, NULL);
    while (joined != NULL && json_walk_next(&walk, &element)) {
        struct slice text = element.value.raw;
        if (element.value.type == JSON_TYPE_STRING)
            text = string_text(element.value, arena);
        if (text.data == NULL)
            return out_of_memory;
        if (size > 0)
            joined[size++] = ',';
        memcpy(joined + size, text.data, text.size);
        size += text.size;
    }
    return joined != NULL ? slice_of(joined, size) : out_of_memory;
}

struct slice member_text(struct slice name, struct json_value value, enum member_form form,
                         uint64_t now_us, struct arena *arena)
{
    switch (value.type) {
    case JSON_TYPE_NULL:
        return SLICE("");
    case JSON_TYPE_BOOL:
        return slice_equal(value.raw, SLICE("true")) ? SLICE("yes") : SLICE("no");
    case JSON_TYPE_STRING:
        break;
    case JSON_TYPE_ARRAY:
        return list_text(value, arena);
    case JSON_TYPE_NUMBER:
    case JSON_TYPE_OBJECT:
    case JSON_TYPE_COUNT:
        return value.raw;
    }
    const struct slice text = string_text(value, arena);
    if (text.data == NULL || !slice_ends_with(name, SLICE("_at")))
        return text;
    return time_text(text, form, now_us, arena);
}
