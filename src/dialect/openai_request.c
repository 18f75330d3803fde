#include "dialect/openai_request.h"

#include <stdio.h>

#include "base/assert.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"

#define NAME_BYTES_MAX 128 /* the longest name with every character written as an escape */
#define SHOWN_BYTES    48  /* of a client's text in a message */

#define CHAT           (1u << OPENAI_ROUTE_CHAT | 1u << OPENAI_ROUTE_SIMPLE_CHAT)
#define COMPLETIONS    (1u << OPENAI_ROUTE_COMPLETIONS)
#define EMBEDDINGS     (1u << OPENAI_ROUTE_EMBEDDINGS)
#define MODERATIONS    (1u << OPENAI_ROUTE_MODERATIONS)
#define ALL            (CHAT | COMPLETIONS | EMBEDDINGS | MODERATIONS)
#define NAMES_MODEL    (ALL & ~MODERATIONS & ~(1u << OPENAI_ROUTE_SIMPLE_CHAT))

#define BOOL           (1u << JSON_TYPE_BOOL)
#define NUMBER         (1u << JSON_TYPE_NUMBER)
#define STRING         (1u << JSON_TYPE_STRING)
#define ARRAY          (1u << JSON_TYPE_ARRAY)
#define OBJECT         (1u << JSON_TYPE_OBJECT)

/* null is accepted everywhere and counts as absent. */
static const struct rule {
    struct slice name;
    const char *expected;
    uint8_t types;    /* allowed */
    uint8_t routes;   /* where weir decides by it */
    uint8_t required; /* where it must stand */
} rules[OPENAI_MEMBER_COUNT] = {
    [OPENAI_MEMBER_MODEL] = {{"model", 5}, "a string", STRING, ALL, NAMES_MODEL},
    [OPENAI_MEMBER_STREAM] = {{"stream", 6}, "a boolean", BOOL, CHAT | COMPLETIONS, 0},
    [OPENAI_MEMBER_STREAM_OPTIONS] =
        {{"stream_options", 14}, "an object", OBJECT, CHAT | COMPLETIONS, 0},
    [OPENAI_MEMBER_MESSAGES] = {{"messages", 8}, "an array", ARRAY, CHAT, CHAT},
    [OPENAI_MEMBER_PROMPT] =
        {{"prompt", 6}, "a string or an array", STRING | ARRAY, COMPLETIONS, 0},
    [OPENAI_MEMBER_INPUT] = {{"input", 5},
                             "a string or an array",
                             STRING | ARRAY,
                             EMBEDDINGS | MODERATIONS,
                             EMBEDDINGS | MODERATIONS},
    [OPENAI_MEMBER_MAX_TOKENS] = {{"max_tokens", 10}, "an integer", NUMBER, CHAT | COMPLETIONS, 0},
    [OPENAI_MEMBER_MAX_COMPLETION_TOKENS] =
        {{"max_completion_tokens", 21}, "an integer", NUMBER, CHAT | COMPLETIONS, 0},
    [OPENAI_MEMBER_N] = {{"n", 1}, "an integer", NUMBER, CHAT | COMPLETIONS, 0},
    [OPENAI_MEMBER_BEST_OF] = {{"best_of", 7}, "an integer", NUMBER, COMPLETIONS, 0},
    [OPENAI_MEMBER_TEMPERATURE] = {{"temperature", 11}, "a number", NUMBER, CHAT | COMPLETIONS, 0},
    [OPENAI_MEMBER_USER] = {{"user", 4}, "a string", STRING, ALL & ~MODERATIONS, 0},
};

static const char include_usage_param[] = "stream_options.include_usage";

struct slice openai_member_name(enum openai_member member)
{
    ASSERT(member < OPENAI_MEMBER_COUNT);
    return rules[member].name;
}

/* --- errors --- */

static void error_set(struct openai_error *error, enum openai_code code, const char *param)
{
    static const char *const texts[] = {
        [OPENAI_CODE_INVALID_JSON] = "invalid_json",
        [OPENAI_CODE_TOO_DEEP] = "invalid_json",
        [OPENAI_CODE_MISSING] = "missing_required_parameter",
        [OPENAI_CODE_INVALID_TYPE] = "invalid_type",
        [OPENAI_CODE_INVALID_VALUE] = "invalid_value",
        [OPENAI_CODE_DUPLICATE] = "duplicate_parameter",
        [OPENAI_CODE_UNKNOWN_PARAMETER] = "unknown_parameter",
    };
    *error = (struct openai_error){
        .code = code, .code_text = texts[code], .param = param, .index = SIZE_MAX};
}

#define SAY(error, ...) snprintf((error)->message, sizeof((error)->message), __VA_ARGS__)

static enum status refuse_json(struct openai_error *error, enum status status,
                               const struct json_error *cause)
{
    if (status == STATUS_NO_MEMORY)
        return status;
    error_set(error, status == STATUS_TOO_LARGE ? OPENAI_CODE_TOO_DEEP : OPENAI_CODE_INVALID_JSON,
              NULL);
    error->offset = cause->offset;
    SAY(error, "The JSON body of your request could not be read: %s at byte %zu.", cause->message,
        cause->offset);
    return STATUS_INVALID;
}

static enum status refuse_missing(struct openai_error *error, const char *param)
{
    error_set(error, OPENAI_CODE_MISSING, param);
    SAY(error, "Missing required parameter: '%s'.", param);
    return STATUS_INVALID;
}

static enum status refuse_type(struct openai_error *error, const char *param, const char *expected,
                               const char *found)
{
    error_set(error, OPENAI_CODE_INVALID_TYPE, param);
    error->expected = expected;
    SAY(error, "Invalid type for '%s': expected %s, but got %s instead.", param, expected, found);
    return STATUS_INVALID;
}

static enum status refuse_range(struct openai_error *error, const char *param)
{
    error_set(error, OPENAI_CODE_INVALID_VALUE, param);
    SAY(error, "Invalid value for '%s': expected a whole number that is not negative.", param);
    return STATUS_INVALID;
}

static enum status refuse_duplicate(struct openai_error *error, const char *param)
{
    error_set(error, OPENAI_CODE_DUPLICATE, param);
    SAY(error, "Duplicate parameter: '%s' may be given once.", param);
    return STATUS_INVALID;
}

static enum status refuse_case(struct openai_error *error, const char *param, struct slice key)
{
    const int shown = (int)(key.size < SHOWN_BYTES ? key.size : SHOWN_BYTES);
    error_set(error, OPENAI_CODE_UNKNOWN_PARAMETER, param);
    SAY(error, "Unknown parameter: '%.*s'. Did you mean '%s'?", shown, key.data, param);
    return STATUS_INVALID;
}

/* --- finding the members --- */

/* Whether weir decides by this member where `key` is written as it should be, which is so nearly
 * always. */
static bool find_rule(enum openai_route route, struct slice key, enum openai_member *member_out)
{
    for (unsigned i = 0; i < OPENAI_MEMBER_COUNT; i++) {
        const struct rule *rule = &rules[i];
        if ((rule->routes >> route & 1) != 0 && key.size == rule->name.size &&
            memcmp(key.data, rule->name.data, key.size) == 0) {
            *member_out = (enum openai_member)i;
            return true;
        }
    }
    return false;
}

/* The same for a key in another case or with escapes. A long one cannot be one of ours; without
 * that look, a huge one would cost a walk over it. */
static bool find_rule_folded(enum openai_route route, struct slice key,
                             enum openai_member *member_out)
{
    if (key.size > NAME_BYTES_MAX)
        return false;
    const bool is_plain = json_key_is_plain(key);
    for (unsigned i = 0; i < OPENAI_MEMBER_COUNT; i++) {
        const struct rule *rule = &rules[i];
        const bool fits = is_plain ? key.size == rule->name.size : key.size > rule->name.size;
        if (fits && (rule->routes >> route & 1) != 0 && json_key_equal_nocase(key, rule->name)) {
            *member_out = (enum openai_member)i;
            return true;
        }
    }
    return false;
}

static enum status collect(struct openai_request *request, struct openai_error *error)
{
    for (size_t i = 0; i < request->body.count; i++) {
        const struct json_member *member = &request->body.members[i];
        enum openai_member which;
        const bool is_exact = find_rule(request->route, member->key, &which);
        if (!is_exact && !find_rule_folded(request->route, member->key, &which))
            continue;
        if (request->members[which] != NULL)
            return refuse_duplicate(error, rules[which].name.data);
        if (!is_exact && !json_key_equal(member->key, rules[which].name))
            return refuse_case(error, rules[which].name.data, member->key);
        request->members[which] = member;
    }
    return STATUS_OK;
}

/* The member's value, unless it is absent or null. */
static const struct json_value *given(const struct openai_request *request,
                                      enum openai_member which)
{
    const struct json_member *member = request->members[which];
    return member == NULL || json_is_null(member->value) ? NULL : &member->value;
}

static enum status check_types(const struct openai_request *request, struct openai_error *error)
{
    for (unsigned i = 0; i < OPENAI_MEMBER_COUNT; i++) {
        const struct json_value *value = given(request, (enum openai_member)i);
        const struct rule *rule = &rules[i];
        if (value == NULL && (rule->required >> request->route & 1) != 0)
            return refuse_missing(error, rule->name.data);
        if (value != NULL && (rule->types >> value->type & 1) == 0)
            return refuse_type(error, rule->name.data, rule->expected, json_type_name(value->type));
    }
    return STATUS_OK;
}

/* --- reading the values --- */

static enum status read_model(struct openai_request *request, struct arena *arena,
                              struct openai_error *error)
{
    const struct json_value *value = given(request, OPENAI_MEMBER_MODEL);
    if (value == NULL)
        return STATUS_OK;
    if (value->raw.size > OPENAI_MODEL_BYTES_MAX) {
        error_set(error, OPENAI_CODE_INVALID_VALUE, rules[OPENAI_MEMBER_MODEL].name.data);
        SAY(error, "Invalid value for 'model': a name has at most %d bytes.",
            OPENAI_MODEL_BYTES_MAX);
        return STATUS_INVALID;
    }
    const enum status status = json_string(*value, arena, &request->model);
    if (status != STATUS_OK)
        return status;
    if (request->model.size > 0)
        return STATUS_OK;
    request->model = (struct slice){0};
    return (NAMES_MODEL >> request->route & 1) != 0
               ? refuse_missing(error, rules[OPENAI_MEMBER_MODEL].name.data)
               : STATUS_OK;
}

/* An integer into *value_out, which keeps its value if none is given. */
static enum status read_integer(const struct openai_request *request, enum openai_member which,
                                uint64_t *value_out, struct openai_error *error)
{
    const struct json_value *value = given(request, which);
    if (value == NULL)
        return STATUS_OK;
    const enum status status = json_u64(*value, value_out);
    if (status == STATUS_INVALID)
        return refuse_type(error, rules[which].name.data, rules[which].expected,
                           "a decimal number");
    return status == STATUS_OK ? STATUS_OK : refuse_range(error, rules[which].name.data);
}

static enum status read_integers(struct openai_request *request, struct openai_error *error)
{
    uint64_t older = 0;
    uint64_t newer = 0;
    enum status status = read_integer(request, OPENAI_MEMBER_MAX_TOKENS, &older, error);
    if (status == STATUS_OK)
        status = read_integer(request, OPENAI_MEMBER_MAX_COMPLETION_TOKENS, &newer, error);
    if (status == STATUS_OK)
        status = read_integer(request, OPENAI_MEMBER_N, &request->n, error);
    if (status == STATUS_OK)
        status = read_integer(request, OPENAI_MEMBER_BEST_OF, &request->best_of, error);
    const uint64_t larger = older > newer ? older : newer;
    if (given(request, OPENAI_MEMBER_MAX_TOKENS) != NULL ||
        given(request, OPENAI_MEMBER_MAX_COMPLETION_TOKENS) != NULL)
        request->max_tokens = larger < UINT64_MAX ? larger : UINT64_MAX - 1;
    request->n += request->n == 0;
    request->best_of += request->best_of == 0;
    return status;
}

static enum status read_usage_option(struct openai_request *request,
                                     const struct json_member *member, struct openai_error *error)
{
    static const struct slice name = {"include_usage", 13};
    if (member->key.size > NAME_BYTES_MAX || !json_key_equal_nocase(member->key, name))
        return STATUS_OK;
    if (request->usage_option.raw.data != NULL)
        return refuse_duplicate(error, include_usage_param);
    if (!json_key_equal(member->key, name))
        return refuse_case(error, include_usage_param, member->key);
    request->usage_option = member->value;
    if (json_is_null(member->value) ||
        json_bool(member->value, &request->include_usage) == STATUS_OK)
        return STATUS_OK;
    return refuse_type(error, include_usage_param, "a boolean", json_type_name(member->value.type));
}

static enum status read_stream(struct openai_request *request, const struct json_limits *limits,
                               struct openai_error *error)
{
    const struct json_value *stream = given(request, OPENAI_MEMBER_STREAM);
    const struct json_value *options = given(request, OPENAI_MEMBER_STREAM_OPTIONS);
    if (stream != NULL) {
        const enum status read = json_bool(*stream, &request->stream);
        ASSERT(read == STATUS_OK); /* its type was checked */
    }
    if (options == NULL)
        return STATUS_OK;

    struct json_walk walk;
    struct json_member member;
    enum status status = STATUS_OK;
    request->stream_options_empty = true;
    json_walk_init(&walk, *options, limits);
    while (status == STATUS_OK && json_walk_next(&walk, &member)) {
        request->stream_options_empty = false;
        status = read_usage_option(request, &member, error);
    }
    return status;
}

/* Only when a message is no object: finds which. */
static enum status refuse_message(const struct json_value *messages,
                                  const struct json_limits *limits, struct openai_error *error)
{
    struct json_walk walk;
    struct json_member element;
    size_t index = 0;
    json_walk_init(&walk, *messages, limits);
    while (json_walk_next(&walk, &element) && element.value.type == JSON_TYPE_OBJECT)
        index++;
    refuse_type(error, rules[OPENAI_MEMBER_MESSAGES].name.data, "an object",
                json_type_name(element.value.type));
    error->index = index;
    SAY(error, "Invalid type for 'messages[%zu]': expected an object, but got %s instead.", index,
        json_type_name(element.value.type));
    return STATUS_INVALID;
}

static enum status read_messages(struct openai_request *request, const struct json_limits *limits,
                                 struct openai_error *error)
{
    const struct json_member *member = request->members[OPENAI_MEMBER_MESSAGES];
    if (member == NULL)
        return STATUS_OK;
    request->message_count = member->element_count;
    if ((member->element_types & ~OBJECT) != 0)
        return refuse_message(&member->value, limits, error);
    return STATUS_OK;
}

enum status openai_request_read(enum openai_route route, struct slice body,
                                const struct json_limits *limits, struct arena *arena,
                                struct openai_request *request_out, struct openai_error *error_out)
{
    struct json_error cause;
    *request_out = (struct openai_request){.route = route, .max_tokens = UINT64_MAX};
    enum status status = json_read_object(body, limits, arena, &request_out->body, &cause);
    if (status != STATUS_OK)
        return refuse_json(error_out, status, &cause);
    status = collect(request_out, error_out);
    if (status == STATUS_OK)
        status = check_types(request_out, error_out);
    if (status == STATUS_OK)
        status = read_model(request_out, arena, error_out);
    if (status == STATUS_OK)
        status = read_stream(request_out, limits, error_out);
    if (status == STATUS_OK)
        status = read_integers(request_out, error_out);
    if (status == STATUS_OK)
        status = read_messages(request_out, limits, error_out);
    return status;
}
