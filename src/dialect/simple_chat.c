#include "dialect/simple_chat.h"

#include <stdio.h>

#include "base/assert.h"
#include "dialect/openai_answer.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"
#include "json/write.h"

/* --- requests --- */

struct slice simple_chat_model(const struct openai_request *request)
{
    return request->model.data != NULL ? request->model : SLICE(SIMPLE_CHAT_MODEL);
}

enum status simple_chat_rewrite(const struct openai_request *request,
                                const struct openai_rewrite *rewrite, struct arena *arena,
                                struct json_pieces *pieces_out)
{
    struct openai_rewrite completed = *rewrite;
    if (completed.model.data == NULL && request->model.data == NULL)
        completed.model = SLICE(SIMPLE_CHAT_MODEL);
    if (completed.temperature.data == NULL)
        completed.temperature = SLICE(SIMPLE_CHAT_TEMPERATURE);
    return openai_request_rewrite(request, &completed, arena, pieces_out);
}

/* --- errors --- */

struct complaint {
    const char *key; /* what was expected */
    const char *type;
    const char *msg;
};

/* In the words of FastAPI's validation errors, which clients of this route know. */
static const struct complaint type_complaints[] = {
    {"a string", "string_type", "Input should be a valid string"},
    {"a boolean", "bool_type", "Input should be a valid boolean"},
    {"an array", "list_type", "Input should be a valid list"},
    {"an object", "dict_type", "Input should be a valid dictionary"},
    {"an integer", "int_type", "Input should be a valid integer"},
    {"a number", "float_type", "Input should be a valid number"},
};

static struct complaint complaint_of(const struct openai_error *error)
{
    switch (error->code) {
    case OPENAI_CODE_INVALID_JSON:
        return (struct complaint){NULL, "json_invalid", "JSON decode error"};
    case OPENAI_CODE_TOO_DEEP:
        return (struct complaint){NULL, "json_invalid", error->message};
    case OPENAI_CODE_MISSING:
        return (struct complaint){NULL, "missing", "Field required"};
    case OPENAI_CODE_DUPLICATE:
        return (struct complaint){NULL, "duplicate", error->message};
    case OPENAI_CODE_UNKNOWN_PARAMETER:
        return (struct complaint){NULL, "extra_forbidden", error->message};
    case OPENAI_CODE_INVALID_TYPE:
    case OPENAI_CODE_INVALID_VALUE:
        break;
    }
    for (size_t i = 0; i < sizeof(type_complaints) / sizeof(type_complaints[0]); i++) {
        if (error->expected != NULL && strcmp(error->expected, type_complaints[i].key) == 0)
            return type_complaints[i];
    }
    return (struct complaint){NULL, "value_error", error->message};
}

/* "stream_options.include_usage" is two steps of the path. */
static void write_path(struct json_writer *writer, const char *param)
{
    struct slice rest = slice_from_text(param);
    while (rest.size > 0) {
        const size_t step = slice_find_byte(rest, '.');
        json_write_string(writer, slice_of(rest.data, step));
        rest = slice_from(rest, step < rest.size ? step + 1 : step);
    }
}

enum status simple_chat_error_write(const struct openai_error *error, struct buffer *body)
{
    struct json_writer writer;
    const struct complaint complaint = complaint_of(error);
    json_writer_init(&writer, body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("detail"));
    json_write_array(&writer);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("loc"));
    json_write_array(&writer);
    json_write_string(&writer, SLICE("body"));
    if (error->param != NULL)
        write_path(&writer, error->param);
    else
        json_write_u64(&writer, error->offset);
    if (error->index != SIZE_MAX)
        json_write_u64(&writer, error->index);
    json_write_end(&writer);
    json_write_key(&writer, SLICE("msg"));
    json_write_string(&writer, slice_from_text(complaint.msg));
    json_write_key(&writer, SLICE("type"));
    json_write_string(&writer, slice_from_text(complaint.type));
    json_write_end(&writer);
    json_write_end(&writer);
    json_write_end(&writer);
    return buffer_status(body);
}

/* --- answers --- */

/* The text of the first choice as a JSON string. STATUS_PROTOCOL: no chat completion. */
static enum status find_content(struct slice body, const struct json_limits *limits,
                                struct slice *content_out)
{
    struct openai_answer answer;
    struct json_value choices;
    struct json_error error;
    struct json_walk walk;
    struct json_member choice;
    struct json_value message;
    struct json_value content;
    if (openai_answer_read(body, limits, &answer) != STATUS_OK || answer.choices.raw.data == NULL ||
        json_check(answer.choices.raw, limits, &choices, &error) != STATUS_OK ||
        choices.type != JSON_TYPE_ARRAY)
        return STATUS_PROTOCOL;
    json_walk_init(&walk, choices, limits);
    if (!json_walk_next(&walk, &choice) || choice.value.type != JSON_TYPE_OBJECT)
        return STATUS_PROTOCOL;
    const bool is_text = json_find(choice.value, SLICE("message"), limits, &message) &&
                         json_find(message, SLICE("content"), limits, &content) &&
                         content.type == JSON_TYPE_STRING;
    *content_out = is_text ? content.raw : SLICE("\"\"");
    return STATUS_OK;
}

static void write_usage(struct json_writer *writer, const struct openai_usage *usage)
{
    const uint64_t input = usage->tokens[OPENAI_TOKENS_INPUT];
    const uint64_t output = usage->tokens[OPENAI_TOKENS_OUTPUT];
    json_write_object(writer);
    json_write_key(writer, SLICE("input_tokens"));
    json_write_u64(writer, input);
    json_write_key(writer, SLICE("output_tokens"));
    json_write_u64(writer, output);
    json_write_key(writer, SLICE("total_tokens"));
    json_write_u64(writer, openai_usage_has(usage, OPENAI_TOKENS_TOTAL)
                               ? usage->tokens[OPENAI_TOKENS_TOTAL]
                               : input + output);
    json_write_end(writer);
}

enum status simple_chat_answer_write(const struct simple_chat_answer *answer, struct slice body,
                                     const struct json_limits *limits, struct buffer *answer_body)
{
    struct slice content;
    struct json_writer writer;
    char id[SIMPLE_CHAT_ID_BYTES_MAX + sizeof("chat-")];
    const enum status status = find_content(body, limits, &content);
    if (status != STATUS_OK)
        return status;
    ASSERT(answer->id.size <= SIMPLE_CHAT_ID_BYTES_MAX);
    snprintf(id, sizeof(id), "chat-%.*s", SLICE_ARGS(answer->id));
    json_writer_init(&writer, answer_body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("id"));
    json_write_string(&writer, slice_from_text(id));
    json_write_key(&writer, SLICE("content"));
    json_write_raw(&writer, content);
    json_write_key(&writer, SLICE("model"));
    json_write_string(&writer, answer->model);
    json_write_key(&writer, SLICE("usage"));
    write_usage(&writer, &answer->usage);
    json_write_key(&writer, SLICE("created_at"));
    json_write_string(&writer, answer->created_at);
    json_write_end(&writer);
    return buffer_status(answer_body);
}
