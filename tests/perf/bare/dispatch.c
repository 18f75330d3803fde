/* weir-bare: weir's own transport with nothing of what it is for, so that one sees what that costs.
 *
 * It takes the place of gateway/dispatch.c: a program's own functions go before those of the library,
 * whose dispatch.o then is not linked. Each request goes to the first provider with its target and body
 * as they came, and the answer comes back piece by piece; there is no key, no look into a body, no
 * limit, no account, no figure and no line in the log. For the bench alone: nothing is checked. */
#include "gateway/dispatch.h"

#include "gateway/gateway.h"
#include "http/answer.h"
#include "upstream/attempt.h"

struct bare {
    struct worker *worker;
    struct http_exchange *exchange;
    struct calling *calling;
    struct http_body body;
    struct upstream_attempt attempt;
    struct reason reason;
};

/* --- The request ----------------------------------------------------------------------------------------- */

/* Connection, framing and credentials are each side's own. */
static bool is_relayed(const struct http_header *header)
{
    switch (header->id) {
    case HTTP_HEADER_AUTHORIZATION:
    case HTTP_HEADER_CONNECTION:
    case HTTP_HEADER_CONTENT_LENGTH:
    case HTTP_HEADER_DATE:
    case HTTP_HEADER_HOST:
    case HTTP_HEADER_TRANSFER_ENCODING:
        return false;
    default:
        return true;
    }
}

static struct slice make_head(const struct bare *bare, const struct provider *provider)
{
    const struct http_request_head *asked = &bare->exchange->head;
    struct head_writer writer;
    struct slice head;
    head_writer_init(&writer, bare->worker->scratch->head, SCRATCH_HEAD_BYTES);
    head_writer_request_line(&writer, asked->method_text, asked->target);
    head_writer_lines(&writer, provider->head_lines);
    for (size_t i = 0; i < asked->fields.count; i++) {
        const struct http_header *header = &asked->fields.items[i];
        if (is_relayed(header))
            head_writer_add_checked(&writer, header->name, header->value);
    }
    head_writer_add_u64(&writer, SLICE("content-length"), bare->body.bytes.size);
    if (head_writer_finish(&writer, &head) != STATUS_OK)
        return (struct slice){0};
    return arena_copy(&bare->exchange->arena, head);
}

static enum status call(struct bare *bare)
{
    struct target_endpoint *endpoint = &bare->calling->endpoints[0];
    const struct config_provider_timeouts *timeouts = &endpoint->provider->config->timeouts;
    const struct config_transport *transport = &bare->calling->snapshot->config->transport;
    const struct slice head = make_head(bare, endpoint->provider);
    if (head.data == NULL)
        return STATUS_NO_MEMORY;
    const struct upstream_request request = {
        .pieces = {{(char *)(uintptr_t)head.data, head.size},
                   {(char *)(uintptr_t)bare->body.bytes.data, bare->body.bytes.size}},
        .piece_count = 2,
        .answer_head_bytes_max = transport->header_bytes,
        .answer_headers_max = transport->headers,
        .write_ms = timeouts->event_gap_ms,
        .head_deadline_ms = loop_deadline(bare->worker->loop, timeouts->total_ms),
    };
    return upstream_attempt_start(&bare->attempt, &endpoint->upstream, &request,
                                  bare->worker->scratch, &bare->exchange->arena, &bare->reason);
}

/* --- The answer ------------------------------------------------------------------------------------------ */

static void begin_answer(struct bare *bare)
{
    const struct http_fields *fields = &bare->attempt.head.fields;
    http_answer_begin(bare->exchange, bare->attempt.head.status);
    for (size_t i = 0; i < fields->count; i++) {
        if (is_relayed(&fields->items[i]))
            http_answer_checked(bare->exchange, fields->items[i].name, fields->items[i].value);
    }
}

static enum status read_some(struct bare *bare, struct slice *bytes_out)
{
    struct upstream_attempt *attempt = &bare->attempt;
    const struct target_endpoint *endpoint = &bare->calling->endpoints[0];
    const uint64_t gap_ms = endpoint->provider->config->timeouts.event_gap_ms;
    *bytes_out = (struct slice){0};
    if (attempt->is_ended)
        return STATUS_OK;
    return upstream_attempt_read(attempt, loop_deadline(bare->worker->loop, gap_ms), bytes_out,
                                 &bare->reason);
}

static enum answer_part part_of(const struct bare *bare)
{
    return bare->attempt.is_ended ? ANSWER_LAST : ANSWER_MORE;
}

/* The first bytes go out with the head, the last ones with the end. */
static void relay(struct bare *bare)
{
    const struct http_response_head *head = &bare->attempt.head;
    struct slice bytes;
    enum status status = read_some(bare, &bytes);
    if (status != STATUS_OK)
        return;
    begin_answer(bare);
    const uint64_t size =
        head->framing == HTTP_FRAMING_LENGTH ? head->content_length : ANSWER_SIZE_UNKNOWN;
    status = http_answer_start(bare->exchange, size, bytes, part_of(bare));
    while (status == STATUS_OK && !bare->attempt.is_ended) {
        status = read_some(bare, &bytes);
        if (status == STATUS_OK)
            status = http_answer_write(bare->exchange, bytes, part_of(bare));
    }
    if (status != STATUS_OK)
        http_answer_break(bare->exchange);
}

/* --- One request ----------------------------------------------------------------------------------------- */

static void refuse(struct http_exchange *exchange, unsigned http_status)
{
    http_answer_begin(exchange, http_status);
    if (http_answer_send(exchange, (struct slice){0}) != STATUS_OK)
        exchange->closes = true;
}

void dispatch_handle(struct http_exchange *exchange, void *context)
{
    struct worker *worker = context;
    struct bare bare = {.worker = worker, .exchange = exchange, .calling = calling_enter(worker)};
    unsigned http_status = 0;
    if (http_body_read(exchange, &bare.body, &http_status, &bare.reason) == STATUS_OK) {
        http_status = 502;
        if (call(&bare) == STATUS_OK)
            relay(&bare);
        if (bare.attempt.endpoint != NULL)
            upstream_attempt_finish(&bare.attempt);
    }
    if (!exchange->head_is_sent && http_status != 0)
        refuse(exchange, http_status);
    http_body_free(&bare.body);
    calling_leave(worker, bare.calling);
}

void dispatch_refuse(struct http_exchange *exchange, unsigned http_status, const char *reason,
                     void *context)
{
    (void)reason;
    (void)context;
    refuse(exchange, http_status);
}
