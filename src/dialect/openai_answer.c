#include "dialect/openai_answer.h"

#include "json/read.h"
#include "json/search.h"
#include "json/value.h"
#include "json/walk.h"

#define SPACE_BYTES_MAX 4096 /* around the object; megabytes of it would stall the others */

/* The object that is the whole body, by its first and last byte; false if it is none. */
static bool root_of(struct slice body, struct json_value *root_out)
{
    for (int i = 0; i < SPACE_BYTES_MAX && body.size > 0 && json_is_space(body.data[0]); i++)
        body = slice_from(body, 1);
    for (int i = 0; i < SPACE_BYTES_MAX && body.size > 0 && json_is_space(body.data[body.size - 1]);
         i++)
        body.size--;
    if (body.size < 2 || body.data[0] != '{' || body.data[body.size - 1] != '}')
        return false;
    *root_out = (struct json_value){.raw = body, .type = JSON_TYPE_OBJECT};
    return true;
}

static struct json_value *look_for_place(struct openai_answer *answer, struct json_value *usage,
                                         struct slice key)
{
    if (json_key_equal(key, SLICE("usage")))
        return usage;
    if (json_key_equal(key, SLICE("id")))
        return &answer->id;
    if (json_key_equal(key, SLICE("model")))
        return &answer->model;
    if (json_key_equal(key, SLICE("error")))
        return &answer->error;
    if (json_key_equal(key, SLICE("service_tier")))
        return &answer->service_tier;
    return json_key_equal(key, SLICE("choices")) ? &answer->choices : NULL;
}

/* Where the member's value goes, or NULL. Of keys without escapes most do not even begin as one of these. */
static struct json_value *place_of(struct openai_answer *answer, struct json_value *usage,
                                   struct slice key)
{
    switch (key.size > 0 ? key.data[0] : '\0') {
    case 'u':
    case 'i':
    case 'm':
    case 'e':
    case 's':
    case 'c':
    case '\\':
        return look_for_place(answer, usage, key);
    default:
        return NULL;
    }
}

enum status openai_answer_read(struct slice body, const struct json_limits *limits,
                               struct openai_answer *answer_out)
{
    struct json_value root;
    struct json_value usage = {0};
    struct json_walk walk;
    struct json_member member;
    struct openai_answer answer = {0};
    if (!root_of(body, &root))
        return STATUS_PROTOCOL;
    json_walk_init(&walk, root, limits);
    while (json_walk_next(&walk, &member)) {
        struct json_value *place = place_of(&answer, &usage, member.key);
        if (place != NULL)
            *place = member.value;
    }
    if (walk.is_broken)
        return STATUS_PROTOCOL;
    if (usage.type == JSON_TYPE_OBJECT) {
        struct json_error error;
        if (json_check(usage.raw, limits, &usage, &error) != STATUS_OK)
            return STATUS_PROTOCOL;
        answer.has_usage = openai_usage_read(usage, &answer.usage);
    }
    *answer_out = answer;
    return STATUS_OK;
}

/* --- a long answer --- */

void openai_answer_tap_init(struct openai_answer_tap *tap)
{
    json_pick_init(&tap->pick, SLICE("usage"), tap->kept, sizeof(tap->kept));
}

void openai_answer_tap_feed(struct openai_answer_tap *tap, struct slice piece)
{
    json_pick_feed(&tap->pick, piece);
}

bool openai_answer_tap_usage(const struct openai_answer_tap *tap, struct openai_usage *usage_out)
{
    struct json_value value;
    struct json_error error;
    return json_check(json_pick_value(&tap->pick), &JSON_LIMITS_DEFAULT, &value, &error) ==
               STATUS_OK &&
           openai_usage_read(value, usage_out);
}
