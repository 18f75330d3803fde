#include "gateway/fit.h"

#include <stdio.h>

#include "base/assert.h"
#include "gateway/gateway.h"
#include "gateway/limits.h"
#include "gateway/pricing.h"
#include "gateway/request.h"
#include "json/value.h"
#include "models/chat_count.h"

#define COPY_BYTES ((size_t)1 << 20) /* between two pauses */

/* Each byte of a tool's JSON stands for so many tokens at most: "{}," is a function, and a digit
 * with its comma a choice of an enum, each with what the format adds. */
#define TOOL_TOKENS_PER_BYTE 4
#define BESIDES_TOKENS       16 /* the start of the answer, the frame around all tools */

/* --- What holds ------------------------------------------------------------------------------------------ */

static enum context_strategy strategy_of(const struct request *request)
{
    const bool is_simple = request->openai.route == OPENAI_ROUTE_SIMPLE_CHAT;
    if (!is_simple && request->openai.route != OPENAI_ROUTE_CHAT)
        return CONTEXT_PASS;
    switch (request->rule->context) {
    case RULE_CONTEXT_PASS:
        return CONTEXT_PASS;
    case RULE_CONTEXT_DROP_OLDEST:
        return CONTEXT_DROP_OLDEST;
    case RULE_CONTEXT_MIDDLE_OUT:
        return CONTEXT_MIDDLE_OUT;
    case RULE_CONTEXT_DEFAULT:
        break;
    }
    return is_simple ? CONTEXT_DROP_OLDEST : CONTEXT_PASS;
}

static struct catalogue_facts find_facts(struct request *request)
{
    struct worker *worker = request->worker;
    const struct catalogue_facts *facts =
        pricing_facts(&worker->pricing, request->calling->snapshot, request->endpoint->provider,
                      request->target_model, loop_realtime_us(worker->loop));
    return facts != NULL ? *facts : (struct catalogue_facts){0};
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t output_reserve(const struct request *request, uint64_t window, uint64_t output_max)
{
    uint64_t tokens = request->openai.max_tokens;
    if (tokens == UINT64_MAX && request->rule->reserve_output_tokens > 0)
        tokens = request->rule->reserve_output_tokens;
    else if (tokens == UINT64_MAX)
        tokens = smaller(FIT_RESERVE_TOKENS, window / 4);
    return output_max > 0 ? smaller(tokens, output_max) : tokens;
}

/* False: nobody says what the window is. Some models take less input than their window would hold
 * beside the answer; then the window ends there. */
static bool find_limits(struct request *request, struct context_limits *limits)
{
    const struct rule *rule = request->rule;
    const struct catalogue_facts facts = find_facts(request);
    const uint64_t output_max =
        rule->max_output_tokens > 0 ? rule->max_output_tokens : facts.max_output_tokens;
    uint64_t window = rule->window_tokens;
    if (window == 0)
        window =
            facts.context_window_tokens > 0 ? facts.context_window_tokens : facts.max_input_tokens;
    limits->window_tokens = window;
    limits->output_tokens = output_reserve(request, window, output_max);
    if (rule->window_tokens == 0 && facts.max_input_tokens > 0 && facts.max_input_tokens < window &&
        limits->output_tokens < window)
        limits->window_tokens = smaller(window, facts.max_input_tokens + limits->output_tokens);
    return window > 0;
}

static uint64_t room_of(const struct context_limits *limits)
{
    return limits->window_tokens > limits->output_tokens
               ? limits->window_tokens - limits->output_tokens
               : 0;
}

/* --- The bound -------------------------------------------------------------------------------------------- */

/* Whether the name of a picture's member may stand there, be it with escapes: U+0050 to U+007F are
 * what its letters can be written as. */
static bool may_hold_images(struct slice text)
{
    static const char escape[] = "\\u00";
    if (slice_find(text, SLICE("image_url")) < text.size)
        return true;
    for (;;) {
        const size_t at = slice_find(text, slice_from_text(escape));
        if (at + sizeof(escape) > text.size)
            return false;
        text = slice_from(text, at + sizeof(escape) - 1);
        if (text.data[0] >= '5' && text.data[0] <= '7')
            return true;
    }
}

/* A token is a byte at least. What the format adds to a text is made up for by the JSON around it,
 * but for messages and tools. */
uint64_t fit_bound(const struct model_tokens *model, const struct json_object *body,
                   size_t message_count)
{
    uint64_t tokens =
        body->text.size + message_count * model->format.message_tokens + BESIDES_TOKENS;
    for (size_t i = 0; i < body->count; i++) {
        const struct json_member *member = &body->members[i];
        if (json_key_equal(member->key, SLICE("tools")) ||
            json_key_equal(member->key, SLICE("functions")))
            tokens += (TOOL_TOKENS_PER_BYTE - 1) * member->value.raw.size;
    }
    return model_tokens_scale(model, tokens);
}

static bool fits_at_a_glance(const struct request *request, const struct model_tokens *model,
                             uint64_t room)
{
    const struct openai_request *openai = &request->openai;
    return fit_bound(model, &openai->body, openai->message_count) <= room &&
           !may_hold_images(openai->members[OPENAI_MEMBER_MESSAGES]->value.raw);
}

/* --- The messages that stay ------------------------------------------------------------------------------- */

static enum status append_in_steps(struct body_memory *memory, struct slice bytes,
                                   const struct json_limits *limits)
{
    enum status status = STATUS_OK;
    while (bytes.size > 0 && status == STATUS_OK) {
        const size_t size = bytes.size < COPY_BYTES ? bytes.size : COPY_BYTES;
        status = body_memory_append(memory, bytes.data, size);
        bytes = slice_from(bytes, size);
        if (bytes.size > 0 && limits->pause != NULL)
            limits->pause(limits->pause_context);
    }
    return status;
}

enum status fit_write_kept(struct slice array, const struct context_message *messages, size_t count,
                           const struct json_limits *limits, struct body_memory *memory)
{
    const char *end = array.data + array.size;
    const char *at = array.data; /* the run of bytes that stay begins here */
    size_t size = array.size;
    ASSERT(count > 0 && messages[count - 1].is_kept);
    for (size_t i = 0; i + 1 < count; i++)
        size -= messages[i].is_kept ? 0 : (size_t)(messages[i + 1].raw.data - messages[i].raw.data);
    enum status status = body_memory_reserve(memory, size);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (messages[i].is_kept)
            continue;
        const char *start = messages[i].raw.data;
        status = append_in_steps(memory, slice_of(at, (size_t)(start - at)), limits);
        at = messages[i + 1].raw.data;
    }
    return status == STATUS_OK ? append_in_steps(memory, slice_of(at, (size_t)(end - at)), limits)
                               : status;
}

/* --- Fitting ----------------------------------------------------------------------------------------------- */

static enum status refuse_memory(struct request *request)
{
    metric_add(&request->worker->metrics->requests_overload[METRICS_OVERLOAD_BODY_MEMORY], 1);
    return request_fail(request, ERROR_OVERLOADED, NULL,
                        "The gateway holds as many bytes of bodies as it may; try again shortly.");
}

/* In the words of OpenAI's API, which clients look for. */
static enum status refuse_length(struct request *request, const struct context_limits *limits,
                                 uint64_t input_tokens)
{
    const unsigned long long window = limits->window_tokens, input = input_tokens,
                             output = limits->output_tokens;
    account_refuse(request, SLICE("context_length_exceeded"));
    if (input_tokens > limits->window_tokens)
        return request_fail(request, ERROR_CONTEXT_LENGTH, "messages",
                            "This model's maximum context length is %llu tokens. However, your "
                            "messages resulted in %llu tokens. Please reduce the length of the "
                            "messages.",
                            window, input);
    return request_fail(request, ERROR_CONTEXT_LENGTH, "messages",
                        "This model's maximum context length is %llu tokens. However, you "
                        "requested %llu tokens (%llu in the messages, %llu in the completion). "
                        "Please reduce the length of the messages or completion.",
                        window, input + output, input, output);
}

/* Of a scaled count the parts are rounded: what is left after runs of messages were dropped may
 * count for one more with each run. Only system messages part such runs. */
static uint64_t rounding_of(const struct model_tokens *model, const struct chat_messages *messages)
{
    uint64_t runs = 1;
    if (model->factor_permille == 1000)
        return 0;
    for (size_t i = 0; i < messages->count; i++)
        runs += messages->items[i].role == CONTEXT_ROLE_SYSTEM;
    return runs;
}

static enum status drop(struct request *request, const struct model_tokens *model,
                        struct context_limits *limits, const struct chat_messages *messages)
{
    const struct json_limits json = limits_for_json(request->worker);
    const struct slice array = request->openai.members[OPENAI_MEMBER_MESSAGES]->value.raw;
    struct fit *fit = &request->fit;
    struct context_fit result;
    limits->besides_tokens = messages->besides_tokens + rounding_of(model, messages);
    if (context_fit(messages->items, messages->count, limits, &result) != STATUS_OK)
        return refuse_length(request, limits, fit->input_tokens);
    fit->input_tokens = result.input_tokens;
    fit->dropped_count = result.dropped_count;
    if (result.dropped_count == 0)
        return STATUS_OK;
    if (fit_write_kept(array, messages->items, messages->count, &json, &fit->memory) != STATUS_OK)
        return refuse_memory(request);
    fit->messages = slice_of(fit->memory.data, fit->memory.size);
    return STATUS_OK;
}

static enum status count_and_drop(struct request *request, const struct model_tokens *model,
                                  struct context_limits *limits, struct chat_messages *messages)
{
    const struct json_limits json = limits_for_json(request->worker);
    struct input_count count;
    const enum status status = count_chat(model, &request->openai.body, &json, messages, &count);
    if (status == STATUS_AGAIN)
        return STATUS_OK; /* nothing can be counted yet */
    if (status != STATUS_OK)
        return refuse_memory(request);
    request->fit.is_counted = true;
    request->fit.input_tokens = count.input_tokens;
    if (count.input_tokens <= room_of(limits))
        return STATUS_OK;
    if (messages->count > messages->capacity)
        return refuse_length(request, limits, count.input_tokens);
    return drop(request, model, limits, messages);
}

enum status fit_messages(struct request *request)
{
    struct context_limits limits = {.strategy = strategy_of(request)};
    if (limits.strategy == CONTEXT_PASS || !find_limits(request, &limits))
        return STATUS_OK;
    const struct model_tokens *model = model_tokens_find(request->target_model);
    if (fits_at_a_glance(request, model, room_of(&limits)))
        return STATUS_OK;
    const size_t count = request->openai.message_count;
    const size_t capacity = count <= FIT_MESSAGES_MAX ? count : 0;
    struct body_memory items = {0};
    if (body_memory_reserve(&items, capacity * sizeof(struct context_message)) != STATUS_OK)
        return refuse_memory(request);
    struct chat_messages messages = {.items = (struct context_message *)(void *)items.data,
                                     .capacity = capacity};
    const enum status status = count_and_drop(request, model, &limits, &messages);
    body_memory_free(&items);
    return status;
}

void fit_free(struct fit *fit)
{
    if (fit->memory.capacity > 0) /* else nothing is taken back from what all workers share */
        body_memory_free(&fit->memory);
    fit->messages = (struct slice){0};
}

struct slice fit_describe(const struct fit *fit, char text[FIT_TEXT_BYTES])
{
    if (fit->dropped_count == 0)
        return (struct slice){0};
    const int size = snprintf(text, FIT_TEXT_BYTES, "dropped=%zu", fit->dropped_count);
    return slice_of(text, (size_t)size);
}
