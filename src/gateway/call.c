#include "gateway/call.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/uncleared.h"
#include "http/inflate_task.h"
#include "http/media.h"

#define INFLATE_STEP     (16 * 1024)
#define ENCODED_READ     (16 * 1024)
#define EVENTS_BYTES_MAX ((uint64_t)1 << 30) /* that a compressed stream may come to */

/* --- The request's head ---------------------------------------------------------------------------- */

static bool is_wanted(const struct config_provider *provider, const struct http_header *header)
{
    switch (header->id) {
    case HTTP_HEADER_ACCEPT:
    case HTTP_HEADER_USER_AGENT:
    case HTTP_HEADER_TRACEPARENT:
    case HTTP_HEADER_TRACESTATE:
    case HTTP_HEADER_OPENAI_BETA:
        return true;
    default:
        break;
    }
    if (http_header_has_prefix(header->name, SLICE("anthropic-")))
        return true;
    for (size_t i = 0; i < provider->forward_headers.count; i++) {
        if (slice_equal_nocase(provider->forward_headers.items[i], header->name))
            return true;
    }
    return false;
}

static bool is_forwarded(const struct config_provider *provider, const struct http_header *header)
{
    return is_wanted(provider, header) && !provider_sets_header(provider, header->name);
}

static void write_forwarded(const struct request *request, struct head_writer *writer)
{
    const struct http_fields *fields = &request->exchange->head.fields;
    const struct config_provider *provider = request->endpoint->provider->config;
    for (size_t i = 0; i < fields->count; i++) {
        if (is_forwarded(provider, &fields->items[i]))
            head_writer_add_checked(writer, fields->items[i].name, fields->items[i].value);
    }
    const struct slice type = http_exchange_header(request->exchange, HTTP_HEADER_CONTENT_TYPE);
    head_writer_add_checked(writer, SLICE("content-type"),
                            type.size > 0 ? type : SLICE("application/json"));
}

/* Builds the head in the scratch and keeps it in the arena, where it stays while the call may be
 * repeated. */
static struct slice make_head(const struct request *request, uint64_t body_bytes)
{
    const struct provider *provider = request->endpoint->provider;
    struct slice head;
    struct head_writer writer;
    head_writer_init(&writer, request->worker->scratch->head, SCRATCH_HEAD_BYTES);
    head_writer_lines(&writer, SLICE("POST "));
    head_writer_lines(&writer, provider->config->base_url.path);
    head_writer_lines(&writer, slice_from_text(request->route->upstream_path));
    head_writer_lines(&writer, SLICE(" HTTP/1.1\r\n"));
    head_writer_lines(&writer, provider->head_lines);
    write_forwarded(request, &writer);
    head_writer_add_u64(&writer, SLICE("content-length"), body_bytes);
    if (head_writer_finish(&writer, &head) != STATUS_OK)
        return (struct slice){0};
    return arena_copy(&request->exchange->arena, head);
}

/* --- Starting ----------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void set_deadlines(struct call *call, struct upstream_request *upstream)
{
    const struct request *request = call->request;
    const struct config_provider_timeouts *timeouts =
        &request->endpoint->provider->config->timeouts;
    const struct loop *loop = request->worker->loop;
    upstream->write_ms = timeouts->event_gap_ms;
    if (request->stream) {
        call->total_deadline_ms = loop_deadline(loop, timeouts->stream_total_ms);
        call->first_byte_deadline_ms =
            earlier(loop_deadline(loop, timeouts->first_byte_ms), call->total_deadline_ms);
    } else {
        call->total_deadline_ms = loop_deadline(loop, timeouts->total_ms);
        call->first_byte_deadline_ms = call->total_deadline_ms;
    }
    upstream->head_deadline_ms = call->first_byte_deadline_ms;
}

static void note_head(struct call *call)
{
    struct request *request = call->request;
    const struct http_response_head *head = &call->attempt.head;
    request->upstream_first_byte_ns = loop_now_ns(request->worker->loop);
    if (request->upstream_first_byte_ns < call->attempt.sent_ns) /* it came in the same turn */
        request->upstream_first_byte_ns = call->attempt.sent_ns;
    request->upstream_status = head->status;
    request->upstream_request_id = http_fields_value(&head->fields, HTTP_HEADER_X_REQUEST_ID);
    metrics_first_byte(request->worker->metrics, request->endpoint->provider->metrics_index,
                       request->upstream_first_byte_ns - call->attempt.sent_ns);
    call->is_events =
        head->status == 200 &&
        media_is_event_stream(http_fields_value(&head->fields, HTTP_HEADER_CONTENT_TYPE));
}

static enum status set_up_inflate(struct call *call)
{
    const struct config *config = call->request->calling->snapshot->config;
    const uint64_t bytes_max = call->is_events ? EVENTS_BYTES_MAX : config->transport.answer_bytes;
    enum content_coding coding;
    enum status status = content_coding_of(&call->attempt.head.fields, &coding);
    if (status == STATUS_OK && coding != CONTENT_CODING_IDENTITY)
        status = inflate_create(coding, bytes_max, &call->inflate);
    if (status == STATUS_OK)
        return STATUS_OK;
    call->attempt.failure =
        status == STATUS_NO_MEMORY ? UPSTREAM_FAILURE_LIMITED : UPSTREAM_FAILURE_PROTOCOL;
    reason_set(&call->request->reason, "upstream's content-encoding is not known");
    return call_fail(call);
}

static enum status set_pieces(struct upstream_request *upstream, const struct request *request,
                              const struct json_pieces *body)
{
    const struct slice head = make_head(request, body->size);
    if (head.data == NULL)
        return STATUS_NO_MEMORY;
    ASSERT(body->count < UPSTREAM_PIECES_MAX);
    upstream->pieces[0] = (struct iovec){(char *)(uintptr_t)head.data, head.size};
    for (size_t i = 0; i < body->count; i++)
        upstream->pieces[i + 1] =
            (struct iovec){(char *)(uintptr_t)body->pieces[i].data, body->pieces[i].size};
    upstream->piece_count = (int)body->count + 1;
    return STATUS_OK;
}

void call_init(struct call *call, struct request *request)
{
    *call = (struct call){.request = request};
}

/* The attempt is cleared by its start. */
static void set_up(struct call *call, struct request *request)
{
    const size_t behind = offsetof(struct call, total_deadline_ms);
    memset((char *)call + behind, 0, sizeof(*call) - behind);
    call->request = request;
    call->attempt.endpoint = NULL;
    call->attempt.failure = UPSTREAM_FAILURE_NONE;
}

enum status call_start(struct call *call, struct request *request, const struct json_pieces *body)
{
    const struct config_transport *transport = &request->calling->snapshot->config->transport;
    struct worker *worker = request->worker;
    UNCLEARED struct upstream_request upstream;
    set_up(call, request);
    if (set_pieces(&upstream, request, body) != STATUS_OK)
        return request_fail(request, ERROR_INTERNAL, NULL, "Out of memory.");
    upstream.is_head = false;
    upstream.answer_head_bytes_max = transport->header_bytes;
    upstream.answer_headers_max = transport->headers;
    set_deadlines(call, &upstream);
    request->attempts++;
    request->upstream_status = 0;
    const enum status status =
        upstream_attempt_start(&call->attempt, &request->endpoint->upstream, &upstream,
                               worker->scratch, &request->exchange->arena, &request->reason);
    request->upstream_reused = call->attempt.was_reused;
    request->upstream_replaced |= call->attempt.was_replaced;
    request->upstream_sent_ns = call->attempt.sent_ns;
    metric_add(&worker->metrics->bytes_to_upstream, body->size);
    if (status != STATUS_OK)
        return call_fail(call);
    note_head(call);
    return set_up_inflate(call);
}

/* --- Reading ------------------------------------------------------------------------------------------- */

static enum status fail_inflate(struct call *call, enum upstream_failure failure, const char *why)
{
    call->attempt.failure = failure;
    reason_set(&call->request->reason, "%s", why);
    return STATUS_PROTOCOL;
}

static enum status read_encoded(struct call *call, uint64_t deadline_ms)
{
    struct slice bytes;
    call->attempt.read_bytes_max = ENCODED_READ;
    const enum status status =
        upstream_attempt_read(&call->attempt, deadline_ms, &bytes, &call->request->reason);
    if (status != STATUS_OK)
        return status;
    call->encoded.size = call->encoded_used = 0;
    if (body_memory_append(&call->encoded, bytes.data, bytes.size) != STATUS_OK)
        return fail_inflate(call, UPSTREAM_FAILURE_LIMITED, "out of memory");
    return STATUS_OK;
}

/* Makes one step's worth of plain bytes of what is there. STATUS_AGAIN: there is more in it. */
static enum status inflate_some(struct call *call, struct slice *bytes_out)
{
    struct slice encoded =
        slice_from(slice_of(call->encoded.data, call->encoded.size), call->encoded_used);
    size_t written;
    if (body_memory_reserve(&call->plain, INFLATE_STEP) != STATUS_OK)
        return fail_inflate(call, UPSTREAM_FAILURE_LIMITED, "out of memory");
    const enum status status =
        inflate_task_step(call->request->exchange->server, call->inflate, &encoded,
                          call->plain.data, INFLATE_STEP, &written);
    call->encoded_used = call->encoded.size - encoded.size;
    *bytes_out = slice_of(call->plain.data, written);
    if (status == STATUS_OK || status == STATUS_AGAIN)
        return status;
    if (status == STATUS_NO_MEMORY)
        return fail_inflate(call, UPSTREAM_FAILURE_LIMITED, "out of memory");
    if (status == STATUS_TOO_LARGE)
        return fail_inflate(call, UPSTREAM_FAILURE_PROTOCOL,
                            "upstream's compressed answer inflates to more than may be held");
    return fail_inflate(call, UPSTREAM_FAILURE_PROTOCOL, "upstream's compression is damaged");
}

static enum status end_inflated(struct call *call)
{
    if (inflate_finish(call->inflate) != STATUS_OK)
        return fail_inflate(call, UPSTREAM_FAILURE_CLOSED,
                            "upstream's compressed answer is cut off");
    call->is_ended = true;
    return STATUS_OK;
}

static enum status read_inflated(struct call *call, uint64_t deadline_ms, struct slice *bytes_out)
{
    for (;;) {
        enum status status = inflate_some(call, bytes_out);
        if (status != STATUS_OK && status != STATUS_AGAIN)
            return status;
        if (status == STATUS_OK && call->attempt.is_ended)
            return end_inflated(call);
        if (bytes_out->size > 0)
            return STATUS_OK;
        if (status == STATUS_AGAIN) { /* so nothing lies in the scratch */
            task_pace(call->request->worker->loop);
            continue;
        }
        status = read_encoded(call, deadline_ms);
        if (status != STATUS_OK)
            return status;
    }
}

enum status call_read(struct call *call, uint64_t deadline_ms, struct slice *bytes_out)
{
    deadline_ms = earlier(deadline_ms, call->total_deadline_ms);
    if (call->inflate != NULL)
        return read_inflated(call, deadline_ms, bytes_out);
    const enum status status =
        upstream_attempt_read(&call->attempt, deadline_ms, bytes_out, &call->request->reason);
    call->is_ended = status == STATUS_OK && call->attempt.is_ended;
    return status;
}

/* --- Ending --------------------------------------------------------------------------------------------- */

/* What each failure is called, by the error that the client sees and by the metrics. */
static const struct failure {
    enum error_kind error;
    enum metrics_failure metric;
    bool is_counted;
} failures[] = {
    [UPSTREAM_FAILURE_NONE] = {ERROR_UPSTREAM_INVALID, METRICS_FAILURE_PROTOCOL, false},
    [UPSTREAM_FAILURE_RESOLVE] = {ERROR_UPSTREAM_UNREACHABLE, METRICS_FAILURE_DNS, true},
    [UPSTREAM_FAILURE_CONNECT] = {ERROR_UPSTREAM_UNREACHABLE, METRICS_FAILURE_CONNECT, true},
    [UPSTREAM_FAILURE_TLS] = {ERROR_UPSTREAM_UNREACHABLE, METRICS_FAILURE_TLS, true},
    [UPSTREAM_FAILURE_LIMITED] = {ERROR_OVERLOADED, METRICS_FAILURE_CONNECT, false},
    [UPSTREAM_FAILURE_TIMED_OUT] = {ERROR_UPSTREAM_TIMEOUT, METRICS_FAILURE_TIMEOUT, true},
    [UPSTREAM_FAILURE_CLOSED] = {ERROR_UPSTREAM_BROKEN, METRICS_FAILURE_CLOSED, true},
    [UPSTREAM_FAILURE_PROTOCOL] = {ERROR_UPSTREAM_INVALID, METRICS_FAILURE_PROTOCOL, true},
    [UPSTREAM_FAILURE_CANCELLED] = {ERROR_NONE, METRICS_FAILURE_CLOSED, false},
};

enum status call_fail(struct call *call)
{
    struct request *request = call->request;
    const struct failure *failure = &failures[call->attempt.failure];
    struct metrics_provider *metrics =
        &request->worker->metrics->providers[request->endpoint->provider->metrics_index];
    if (failure->is_counted)
        metric_add(&metrics->failures[failure->metric], 1);
    if (call->attempt.failure == UPSTREAM_FAILURE_CANCELLED) {
        request->outcome = OUTCOME_CLIENT_GONE;
        return STATUS_DENIED;
    }
    request->error.kind = failure->error; /* with the kind's own message: reasons may hold names */
    return STATUS_DENIED;
}

static enum metrics_attempt attempt_outcome(const struct call *call)
{
    const struct upstream_attempt *attempt = &call->attempt;
    const bool has_begun = attempt->head.status != 0;
    if (attempt->failure == UPSTREAM_FAILURE_CANCELLED ||
        call->request->outcome == OUTCOME_CLIENT_GONE ||
        call->request->outcome == OUTCOME_OUT_OF_BUDGET)
        return METRICS_ATTEMPT_CANCELLED;
    if (attempt->failure == UPSTREAM_FAILURE_TIMED_OUT)
        return METRICS_ATTEMPT_TIMED_OUT;
    if (!has_begun)
        return METRICS_ATTEMPT_FAILED;
    if (attempt->failure != UPSTREAM_FAILURE_NONE || !attempt->is_ended)
        return METRICS_ATTEMPT_BROKEN;
    if (attempt->head.status >= 500)
        return METRICS_ATTEMPT_ERROR;
    return attempt->head.status >= 400 ? METRICS_ATTEMPT_REJECTED : METRICS_ATTEMPT_ANSWERED;
}

void call_finish(struct call *call)
{
    const struct request *request = call->request;
    struct metrics_provider *metrics =
        &request->worker->metrics->providers[request->endpoint->provider->metrics_index];
    if (call->attempt.endpoint == NULL)
        return; /* it was not begun */
    metric_add(&metrics->attempts[attempt_outcome(call)], 1);
    if (call->attempt.was_replaced)
        metric_add(&metrics->connections_replaced, 1);
    upstream_attempt_finish(&call->attempt);
    inflate_destroy(&call->inflate);
    body_memory_free(&call->encoded);
    body_memory_free(&call->plain);
}
