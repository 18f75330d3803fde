#include "models/chat_count.h"

#include "json/value.h"
#include "models/chat_count_internal.h"
#include "models/json_tokens.h"

#define REPLY_TOKENS 3 /* each answer begins with <|start|>assistant<|message|> */
#define CALL_TOKENS  3 /* around a call of a tool, besides its name and arguments */

uint64_t chat_counter_total(const struct chat_counter *counter)
{
    const int64_t total = (int64_t)token_counter_total(&counter->tokens) + counter->extra;
    return model_tokens_scale(counter->model, total > 0 ? (uint64_t)total : 0);
}

enum status chat_counter_text(struct chat_counter *counter, struct json_value value)
{
    return json_tokens_count(&counter->tokens, value);
}

static bool is_string(struct json_value value, struct slice text)
{
    return value.type == JSON_TYPE_STRING && value.raw.size - 2 >= text.size &&
           json_key_equal(slice_of(value.raw.data + 1, value.raw.size - 2), text);
}

/* --- messages -------------------------------------------------------------------------------- */

/* What a part of a content holds. */
struct part {
    struct json_value type, text; /* raw.data NULL: none */
    bool has_more;                /* than these two */
};

static struct part read_part(struct chat_counter *counter, struct json_value value)
{
    struct part part = {0};
    struct json_walk walk;
    struct json_member member;
    json_walk_init(&walk, value, counter->limits);
    while (json_walk_next(&walk, &member)) {
        if (json_key_equal(member.key, SLICE("type")))
            part.type = member.value;
        else if (json_key_equal(member.key, SLICE("text")) ||
                 json_key_equal(member.key, SLICE("refusal")))
            part.text = member.value;
        else
            part.has_more |= member.value.type >= JSON_TYPE_ARRAY &&
                             !json_key_equal(member.key, SLICE("cache_control"));
    }
    return part;
}

static bool has_type_of_text(const struct part *part)
{
    return part->type.raw.data == NULL || is_string(part->type, SLICE("text")) ||
           is_string(part->type, SLICE("refusal"));
}

/* {"type": "text", "text": ...}, or "refusal", or something else than text. A text beside something
 * else does not tell what that is. */
static enum status count_part(struct chat_counter *counter, struct json_value value)
{
    if (value.type == JSON_TYPE_STRING)
        return chat_counter_text(counter, value);
    const struct part part = read_part(counter, value);
    const bool has_text = part.text.raw.data != NULL;
    const bool is_text = has_text && has_type_of_text(&part) && !part.has_more;
    enum status status = STATUS_OK;
    if (has_text)
        status = chat_counter_text(counter, counter->counts_all ? value : part.text);
    return status == STATUS_OK && !is_text ? chat_counter_media(counter, value) : status;
}

static enum status count_content(struct chat_counter *counter, struct json_value content)
{
    struct json_walk walk;
    struct json_member part;
    enum status status = STATUS_OK;
    if (content.type != JSON_TYPE_ARRAY)
        return chat_counter_text(counter, content);
    json_walk_init(&walk, content, counter->limits);
    while (status == STATUS_OK && json_walk_next(&walk, &part))
        status = count_part(counter, part.value);
    return status;
}

/* {"name": ..., "arguments": ...} */
static enum status count_call(struct chat_counter *counter, struct json_value call)
{
    struct json_value value;
    enum status status = STATUS_OK;
    counter->extra += CALL_TOKENS;
    counter->is_estimate = true;
    if (counter->counts_all)
        return chat_counter_text(counter, call);
    if (json_find(call, SLICE("name"), counter->limits, &value))
        status = chat_counter_text(counter, value);
    if (status == STATUS_OK && json_find(call, SLICE("arguments"), counter->limits, &value))
        status = chat_counter_text(counter, value);
    return status;
}

static enum status count_calls(struct chat_counter *counter, struct json_value calls,
                               bool *calls_out)
{
    struct json_walk walk;
    struct json_member call;
    enum status status = STATUS_OK;
    json_walk_init(&walk, calls, counter->limits);
    while (status == STATUS_OK && json_walk_next(&walk, &call)) {
        struct json_value function;
        *calls_out = true;
        if (counter->counts_all)
            status = count_call(counter, call.value);
        else if (json_find(call.value, SLICE("function"), counter->limits, &function))
            status = count_call(counter, function);
    }
    return status;
}

static enum context_role role_of(struct json_value role)
{
    if (is_string(role, SLICE("system")) || is_string(role, SLICE("developer")))
        return CONTEXT_ROLE_SYSTEM;
    if (is_string(role, SLICE("assistant")))
        return CONTEXT_ROLE_ASSISTANT;
    return is_string(role, SLICE("tool")) || is_string(role, SLICE("function")) ? CONTEXT_ROLE_TOOL
                                                                                : CONTEXT_ROLE_USER;
}

static enum status count_member(struct chat_counter *counter, const struct json_member *member,
                                struct context_message *message)
{
    if (json_key_equal(member->key, SLICE("content")))
        return count_content(counter, member->value);
    if (json_key_equal(member->key, SLICE("role"))) {
        message->role = role_of(member->value);
        counter->is_estimate |= message->role == CONTEXT_ROLE_TOOL;
        return chat_counter_text(counter, member->value);
    }
    if (json_key_equal(member->key, SLICE("name")) && !json_is_null(member->value)) {
        counter->extra += counter->model->format.name_tokens;
        return chat_counter_text(counter, member->value);
    }
    if (json_key_equal(member->key, SLICE("refusal")))
        return chat_counter_text(counter, member->value);
    if (json_key_equal(member->key, SLICE("tool_calls")))
        return count_calls(counter, member->value, &message->calls_tools);
    if (json_key_equal(member->key, SLICE("function_call")) && !json_is_null(member->value)) {
        message->calls_tools = true;
        return count_call(counter, member->value);
    }
    return counter->counts_all ? chat_counter_text(counter, member->value) : STATUS_OK;
}

static enum status count_message(struct chat_counter *counter, struct json_value value,
                                 struct context_message *message)
{
    struct json_walk walk;
    struct json_member member;
    enum status status = STATUS_OK;
    *message = (struct context_message){.raw = value.raw, .role = CONTEXT_ROLE_USER};
    counter->extra += counter->model->format.message_tokens;
    if (value.type != JSON_TYPE_OBJECT)
        return STATUS_OK;
    json_walk_init(&walk, value, counter->limits);
    while (status == STATUS_OK && json_walk_next(&walk, &member))
        status = count_member(counter, &member, message);
    message->calls_tools &= message->role == CONTEXT_ROLE_ASSISTANT;
    return status;
}

static enum status count_messages(struct chat_counter *counter, struct json_value value,
                                  struct chat_messages *messages)
{
    struct json_walk walk;
    struct json_member element;
    enum status status = STATUS_OK;
    uint64_t before = chat_counter_total(counter);
    json_walk_init(&walk, value, counter->limits);
    while (status == STATUS_OK && json_walk_next(&walk, &element)) {
        struct context_message message;
        status = count_message(counter, element.value, &message);
        const uint64_t after = chat_counter_total(counter);
        message.tokens = after > before ? after - before : 0;
        before = after;
        if (messages->count < messages->capacity)
            messages->items[messages->count] = message;
        messages->count++;
    }
    return status;
}

/* --- the request ----------------------------------------------------------------------------- */

/* The last member of the name, as most readers choose; else a null. */
static struct json_value member_of(const struct json_object *body, struct slice name)
{
    for (size_t i = body->count; i > 0; i--) {
        if (json_key_equal(body->members[i - 1].key, name))
            return body->members[i - 1].value;
    }
    return (struct json_value){.type = JSON_TYPE_NULL};
}

/* A schema for the answer is put before the model as it stands. */
static enum status count_format(struct chat_counter *counter, struct json_value format)
{
    struct json_value schema = format;
    if (!counter->counts_all && !json_find(format, SLICE("json_schema"), counter->limits, &schema))
        return STATUS_OK;
    counter->is_estimate = true;
    return chat_counter_text(counter, schema);
}

static enum status count_body(struct chat_counter *counter, const struct json_object *body,
                              struct chat_messages *messages)
{
    counter->extra += REPLY_TOKENS;
    enum status status = chat_counter_tools(counter, member_of(body, SLICE("tools")), false);
    if (status == STATUS_OK)
        status = chat_counter_tools(counter, member_of(body, SLICE("functions")), true);
    if (status == STATUS_OK)
        status = count_format(counter, member_of(body, SLICE("response_format")));
    if (status != STATUS_OK)
        return status;
    messages->besides_tokens = chat_counter_total(counter);
    return count_messages(counter, member_of(body, SLICE("messages")), messages);
}

/* STATUS_AGAIN: the encoding is not loaded. */
static enum status start(struct chat_counter *counter, const struct model_tokens *model,
                         const struct json_limits *limits)
{
    const struct tokenizer *tokenizer = tokenizer_get(model->encoding);
    const struct token_pause pause = {limits->pause, limits->pause_context};
    if (tokenizer == NULL)
        return STATUS_AGAIN;
    *counter =
        (struct chat_counter){.model = model, .limits = limits, .is_estimate = model->is_estimate};
    token_counter_init(&counter->tokens, tokenizer, pause);
    return STATUS_OK;
}

static void stop(struct chat_counter *counter, struct input_count *count_out)
{
    *count_out = (struct input_count){.input_tokens = chat_counter_total(counter),
                                      .is_estimate = counter->is_estimate,
                                      .is_unbounded = counter->is_unbounded};
    token_counter_fini(&counter->tokens);
}

enum status count_chat(const struct model_tokens *model, const struct json_object *body,
                       const struct json_limits *limits, struct chat_messages *messages_out,
                       struct input_count *count_out)
{
    struct chat_counter counter;
    struct chat_messages nowhere = {0};
    struct chat_messages *messages = messages_out != NULL ? messages_out : &nowhere;
    enum status status = start(&counter, model, limits);
    if (status != STATUS_OK)
        return status;
    messages->count = 0;
    counter.is_estimate |= model->format.is_estimate;
    status = count_body(&counter, body, messages);
    stop(&counter, count_out);
    return status;
}

enum status count_chat_most(const struct model_tokens *model, const struct json_object *body,
                            const struct json_limits *limits, struct input_count *count_out)
{
    struct chat_counter counter;
    struct chat_messages nowhere = {0};
    enum status status = start(&counter, model, limits);
    if (status != STATUS_OK)
        return status;
    counter.counts_all = true;
    counter.is_estimate |= model->format.is_estimate;
    status = count_body(&counter, body, &nowhere);
    stop(&counter, count_out);
    return status;
}

/* --- prompts --------------------------------------------------------------------------------- */

static enum status count_list(struct chat_counter *counter, struct json_value list)
{
    struct json_walk walk;
    struct json_member element;
    enum status status = STATUS_OK;
    json_walk_init(&walk, list, counter->limits);
    while (status == STATUS_OK && json_walk_next(&walk, &element)) {
        if (element.value.type == JSON_TYPE_NUMBER)
            counter->extra++;
        else
            status = chat_counter_text(counter, element.value);
    }
    return status;
}

/* An element is a text, a token, or again a list of tokens. (Of a moderation it may be a part of a
 * content, too.) */
static enum status count_element(struct chat_counter *counter, struct json_value element)
{
    if (element.type == JSON_TYPE_NUMBER)
        counter->extra++;
    else if (element.type == JSON_TYPE_ARRAY)
        return count_list(counter, element);
    else if (element.type == JSON_TYPE_OBJECT)
        return count_part(counter, element);
    else
        return chat_counter_text(counter, element);
    return STATUS_OK;
}

enum status count_prompt(const struct model_tokens *model, struct json_value prompt,
                         const struct json_limits *limits, struct input_count *count_out)
{
    struct chat_counter counter;
    struct json_walk walk;
    struct json_member element;
    enum status status = start(&counter, model, limits);
    if (status != STATUS_OK)
        return status;
    if (prompt.type != JSON_TYPE_ARRAY)
        status = chat_counter_text(&counter, prompt);
    json_walk_init(&walk, prompt, limits);
    while (prompt.type == JSON_TYPE_ARRAY && status == STATUS_OK && json_walk_next(&walk, &element))
        status = count_element(&counter, element.value);
    stop(&counter, count_out);
    return status;
}

enum status count_text(const struct model_tokens *model, struct slice text,
                       const struct json_limits *limits, struct input_count *count_out)
{
    struct chat_counter counter;
    enum status status = start(&counter, model, limits);
    if (status != STATUS_OK)
        return status;
    status = token_counter_add(&counter.tokens, text);
    if (status == STATUS_OK)
        status = token_counter_finish(&counter.tokens);
    stop(&counter, count_out);
    return status;
}
