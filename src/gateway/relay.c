#include "gateway/relay.h"

#include "base/uncleared.h"
#include "dialect/openai_answer.h"
#include "dialect/openai_stream.h"
#include "gateway/estimate.h"
#include "gateway/gateway.h"
#include "gateway/limits.h"
#include "http/answer.h"
#include "models/price_decimal.h"

/* --- Headers --------------------------------------------------------------------------------------- */

static void add_headers_of_upstream(const struct call *call)
{
    const struct http_fields *fields = &call->attempt.head.fields;
    for (size_t i = 0; i < fields->count; i++) {
        const struct http_header *header = &fields->items[i];
        if (header->id == HTTP_HEADER_CONTENT_TYPE || header->id == HTTP_HEADER_RETRY_AFTER ||
            http_header_has_prefix(header->name, SLICE("openai-")) ||
            http_header_has_prefix(header->name, SLICE("anthropic-")))
            http_answer_checked(call->request->exchange, header->name, header->value);
    }
}

/* Appends milliseconds with one decimal. */
static size_t put_ms(char *at, uint64_t ns)
{
    struct slice digits;
    char text[20];
    size_t size = sizeof(text);
    const uint64_t tenths = (ns + 50000) / 100000;
    uint64_t whole = tenths / 10;
    do {
        text[--size] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole > 0);
    digits = slice_of(text + size, sizeof(text) - size);
    memcpy(at, digits.data, digits.size);
    at[digits.size] = '.';
    at[digits.size + 1] = (char)('0' + tenths % 10);
    return digits.size + 2;
}

/* What weir took is what passed before this moment, but for the wait for upstream. */
static void add_server_timing(const struct call *call)
{
    const struct request *request = call->request;
    char text[80] = "weir;dur=";
    size_t size = 9;
    const uint64_t upstream_ns = request->upstream_first_byte_ns - request->upstream_sent_ns;
    const uint64_t all_ns = request->exchange->begun_ns - request->exchange->started_ns;
    size += put_ms(text + size, all_ns > upstream_ns ? all_ns - upstream_ns : 0);
    memcpy(text + size, ", upstream;dur=", 15);
    size += 15;
    size += put_ms(text + size, upstream_ns);
    http_answer_checked(request->exchange, SLICE("server-timing"), slice_of(text, size));
}

static void add_target(const struct request *request)
{
    const struct slice provider = request->endpoint->provider->config->name;
    const struct slice model = request->target_model;
    UNCLEARED char text[512];
    if (provider.size + 1 + model.size > sizeof(text))
        return;
    memcpy(text, provider.data, provider.size);
    text[provider.size] = '/';
    memcpy(text + provider.size + 1, model.data, model.size);
    http_answer_header(request->exchange, SLICE("x-weir-target"),
                       slice_of(text, provider.size + 1 + model.size));
}

/* Dollars with nine decimals at most, if the bill is made before the body. */
static void add_cost(const struct request *request)
{
    const struct account *account = &request->account;
    char text[PRICE_DECIMAL_TEXT_BYTES];
    if (!account->is_closed || account->bill.cost_nanousd < 0)
        return;
    const unsigned size = price_decimal_format((uint64_t)account->bill.cost_nanousd, 9, text);
    http_answer_checked(request->exchange, SLICE("x-weir-cost"), slice_of(text, size));
}

static void add_context(const struct request *request)
{
    char text[FIT_TEXT_BYTES];
    if (request->fit.dropped_count > 0)
        http_answer_checked(request->exchange, SLICE("x-weir-context"),
                            fit_describe(&request->fit, text));
}

void relay_begin_answer(struct call *call, unsigned http_status)
{
    struct request *request = call->request;
    request_begin_answer(request, http_status);
    add_target(request);
    add_cost(request);
    add_context(request);
    admit_add_headers(request);
    http_answer_header_number(request->exchange, SLICE("x-weir-attempts"), request->attempts);
    add_server_timing(call);
    add_headers_of_upstream(call);
}

/* --- Holding ----------------------------------------------------------------------------------------- */

static enum status hold_more(struct call *call, struct held_answer *held)
{
    struct slice bytes;
    enum status status = call_read(call, UINT64_MAX, &bytes);
    if (status != STATUS_OK)
        return status;
    if (held->memory.size == 0 && call->is_ended) { /* all of it came at once */
        held->bytes = bytes;
        return STATUS_OK;
    }
    status = body_memory_append(&held->memory, bytes.data, bytes.size);
    held->bytes = slice_of(held->memory.data, held->memory.size);
    return status;
}

/* All the room that a known length needs, so that it is not copied as it grows. */
static enum status reserve(struct call *call, struct held_answer *held, uint64_t bytes_max)
{
    const struct http_response_head *head = &call->attempt.head;
    if (head->framing != HTTP_FRAMING_LENGTH || head->content_length > bytes_max ||
        head->content_length <= SCRATCH_READ_BYTES / 2)
        return STATUS_OK;
    return body_memory_reserve(&held->memory, (size_t)head->content_length);
}

enum status held_answer_read(struct call *call, struct held_answer *held)
{
    const struct config *config = call->request->calling->snapshot->config;
    const uint64_t bytes_max = config->transport.answer_bytes;
    *held = (struct held_answer){0};
    call->is_ended = call->attempt.is_ended && call->inflate == NULL;
    enum status status = reserve(call, held, bytes_max);
    while (status == STATUS_OK && !call->is_ended && held->bytes.size <= bytes_max)
        status = hold_more(call, held);
    held->is_whole = call->is_ended;
    if (status == STATUS_OK)
        return STATUS_OK;
    if (status == STATUS_NO_MEMORY && call->attempt.failure == UPSTREAM_FAILURE_NONE) {
        call->attempt.failure = UPSTREAM_FAILURE_LIMITED;
        reason_set(&call->request->reason, "transport.body_memory is used up");
        metric_add(&call->request->worker->metrics->requests_overload[METRICS_OVERLOAD_BODY_MEMORY],
                   1);
    }
    held_answer_free(held);
    return call_fail(call);
}

void held_answer_free(struct held_answer *held)
{
    body_memory_free(&held->memory);
    held->bytes = (struct slice){0};
}

/* --- Relaying ------------------------------------------------------------------------------------------ */

/* The client saw a part of the answer, or nothing of it. */
static void end_broken(struct call *call, enum status status)
{
    struct request *request = call->request;
    if (status == STATUS_OK) { /* the client's side failed */
        request->outcome = OUTCOME_CLIENT_GONE;
        return;
    }
    call_fail(call);
    if (request->exchange->head_is_sent) {
        http_answer_break(request->exchange);
        if (request->outcome == OUTCOME_COMPLETED)
            request->outcome =
                status == STATUS_TIMED_OUT ? OUTCOME_TIMED_OUT : OUTCOME_UPSTREAM_BROKEN;
    }
}

static void relay_long(struct call *call, struct held_answer *held)
{
    struct request *request = call->request;
    const struct http_response_head *head = &call->attempt.head;
    struct openai_answer_tap tap;
    struct slice bytes = held->bytes;
    enum status read_status = STATUS_OK;

    openai_answer_tap_init(&tap);
    openai_answer_tap_feed(&tap, bytes);
    request->account.content_bytes = bytes.size;
    admit_drop_body(request);
    relay_begin_answer(call, head->status);
    enum status status = http_answer_start(
        request->exchange,
        head->framing == HTTP_FRAMING_LENGTH ? head->content_length : ANSWER_SIZE_UNKNOWN, bytes,
        ANSWER_MORE);
    held_answer_free(held);
    while (status == STATUS_OK && read_status == STATUS_OK && !call->is_ended) {
        read_status = call_read(call, UINT64_MAX, &bytes);
        if (read_status != STATUS_OK)
            break;
        openai_answer_tap_feed(&tap, bytes);
        request->account.content_bytes += bytes.size;
        if (call->is_ended) { /* of an answer with its length these bytes are the last */
            openai_answer_tap_usage(&tap, &request->usage);
            request->account.answer_is_known = true;
            account_close(request, head->status);
        }
        status = http_answer_write(request->exchange, bytes, ANSWER_MORE);
    }
    if (status == STATUS_OK && read_status == STATUS_OK)
        status = http_answer_end(request->exchange);
    else if (!call->is_ended)
        openai_answer_tap_usage(&tap, &request->usage);
    if (status != STATUS_OK || read_status != STATUS_OK)
        end_broken(call, read_status);
}

/* Counting gives way to others, which use the scratch. Where there is no room to move the answer out
 * of it, it is not counted. */
static void count_answer(struct request *request, struct held_answer *held)
{
    struct json_limits limits = limits_for_json(request->worker);
    if (held->memory.size == 0 && held->bytes.size > 0 &&
        body_memory_append(&held->memory, held->bytes.data, held->bytes.size) == STATUS_OK)
        held->bytes = slice_of(held->memory.data, held->memory.size);
    if (held->memory.size == 0)
        limits.pause = NULL;
    request->account.content_bytes = openai_event_content_bytes(held->bytes, &limits);
    if (held->memory.size > 0)
        estimate_answer(request, held->bytes);
}

void relay_note_usage(struct request *request, struct held_answer *held)
{
    const struct json_limits limits = limits_for_json(request->worker);
    struct openai_answer answer;
    if (openai_answer_read(held->bytes, &limits, &answer) != STATUS_OK)
        return;
    request->account.answer_is_known = true;
    if (answer.service_tier.type == JSON_TYPE_STRING)
        account_note_service(&request->account, slice_of(answer.service_tier.raw.data + 1,
                                                         answer.service_tier.raw.size - 2));
    if (answer.has_usage)
        request->usage = answer.usage;
    if (!openai_usage_has(&request->usage, OPENAI_TOKENS_OUTPUT) &&
        !openai_usage_has(&request->usage, OPENAI_TOKENS_TOTAL))
        count_answer(request, held);
}

void relay_held(struct call *call, struct held_answer *held)
{
    struct request *request = call->request;
    if (!held->is_whole) {
        relay_long(call, held);
        return;
    }
    if (call->attempt.head.status < 300)
        relay_note_usage(request, held);
    account_close(request, call->attempt.head.status);
    relay_begin_answer(call, call->attempt.head.status);
    if (http_answer_send(request->exchange, held->bytes) != STATUS_OK)
        request->outcome = OUTCOME_CLIENT_GONE;
}
