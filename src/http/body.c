#include <string.h>

#include "base/assert.h"
#include "http/exchange.h"
#include "http/inflate_task.h"

/* A body has `body_ms` and a millisecond for each 16 bytes that came: slower than that is slow. */
#define SLOW_BYTES_PER_MS 16
#define INFLATE_STEP      (64 * 1024)
#define FIRST_BYTES       ((size_t)256 * 1024)

struct body_reader {
    struct http_exchange *exchange;
    struct body_memory *memory;
    uint64_t started_ms;
    unsigned *http_status_out;
    struct reason *reason;
};

static enum status fail(const struct body_reader *reader, enum status status)
{
    const struct http_server_limits *limits = &reader->exchange->server->limits;
    switch (status) {
    case STATUS_TOO_LARGE:
        *reader->http_status_out = 413;
        reason_set(reader->reason, "The request body is larger than the %llu bytes that are taken.",
                   (unsigned long long)limits->body_bytes);
        break;
    case STATUS_TIMED_OUT:
        *reader->http_status_out = 408;
        reason_set(reader->reason, "The request body did not arrive in time.");
        break;
    case STATUS_PROTOCOL:
        *reader->http_status_out = 400;
        reason_set(reader->reason, "The request body is not framed or encoded as its headers say.");
        break;
    case STATUS_UNSUPPORTED:
        *reader->http_status_out = 415;
        reason_set(reader->reason,
                   "Send the body as it is, or encoded with one of gzip, br and zstd.");
        break;
    case STATUS_NO_MEMORY:
        *reader->http_status_out = 503;
        reason_set(reader->reason,
                   "The gateway holds as many bytes of bodies as it may; try again shortly.");
        break;
    default:
        *reader->http_status_out = 0; /* the client is gone */
        reason_set(reader->reason, "the client ended the connection within its request");
        break;
    }
    reader->exchange->closes = true;
    return status;
}

/* RFC 9110 section 10.1.1: the client waits for this before it sends its body. */
static enum status send_continue(struct http_exchange *exchange)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec piece = {(char *)(uintptr_t)line, sizeof(line) - 1};
    exchange->wants_continue = false;
    return socket_write(&exchange->connection->socket, &piece, 1,
                        exchange->server->limits.write_ms);
}

/* Reads into the memory's free room. */
static enum status read_some(struct body_reader *reader, size_t *size_out)
{
    struct http_exchange *exchange = reader->exchange;
    struct body_memory *memory = reader->memory;
    if (exchange->wants_continue) {
        const enum status status = send_continue(exchange);
        if (status != STATUS_OK)
            return status;
    }
    const uint64_t deadline_ms =
        reader->started_ms + exchange->server->limits.body_ms + memory->size / SLOW_BYTES_PER_MS;
    return socket_read(&exchange->connection->socket, memory->data + memory->size,
                       memory->capacity - memory->size, deadline_ms, size_out);
}

/* Room for more than `used` of a body of `size` bytes. It grows with what came, up to what the head
 * declared and never beyond: who sends a head alone holds no more than the first part. */
static enum status make_room(struct body_memory *memory, size_t used, size_t size)
{
    if (used < memory->capacity)
        return STATUS_OK;
    const size_t wanted = used < FIRST_BYTES / 2 ? FIRST_BYTES : used * 2;
    return body_memory_reserve(memory, wanted < size ? wanted : size);
}

static enum status read_with_length(struct body_reader *reader)
{
    struct http_exchange *exchange = reader->exchange;
    const size_t size = (size_t)exchange->body_left;
    enum status status = make_room(reader->memory, exchange->ahead.size, size);
    if (status == STATUS_OK)
        status = body_memory_append(reader->memory, exchange->ahead.data, exchange->ahead.size);
    while (status == STATUS_OK && reader->memory->size < size) {
        size_t got;
        status = make_room(reader->memory, reader->memory->size, size);
        if (status == STATUS_OK)
            status = read_some(reader, &got);
        if (status == STATUS_OK)
            reader->memory->size += got;
    }
    exchange->ahead = (struct slice){0};
    return status;
}

/* Decodes what was appended to the memory from `from` on, in place. Nothing was, if the head came
 * alone. */
static enum status decode_chunks(struct body_reader *reader, size_t from)
{
    struct http_exchange *exchange = reader->exchange;
    struct body_memory *memory = reader->memory;
    size_t consumed, payload;
    if (memory->size == from)
        return STATUS_AGAIN;
    const enum status status = chunked_decode(&exchange->chunked, memory->data + from,
                                              memory->size - from, &consumed, &payload);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return status;
    /* What follows the last chunk is the next request's. */
    exchange->ahead = slice_of(memory->data + from + consumed, memory->size - from - consumed);
    memory->size = from + payload;
    if (memory->size > exchange->server->limits.body_bytes)
        return STATUS_TOO_LARGE;
    return status;
}

/* The body's memory is freed before the next request is read. */
static enum status keep_ahead(struct http_exchange *exchange)
{
    if (exchange->ahead.size == 0)
        return STATUS_OK;
    exchange->ahead = arena_copy(&exchange->arena, exchange->ahead);
    return exchange->ahead.data != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status read_chunked(struct body_reader *reader)
{
    struct http_exchange *exchange = reader->exchange;
    struct body_memory *memory = reader->memory;
    enum status status = body_memory_append(memory, exchange->ahead.data, exchange->ahead.size);
    if (status == STATUS_OK)
        status = decode_chunks(reader, 0);
    while (status == STATUS_AGAIN) {
        const size_t from = memory->size;
        size_t got = 0;
        status = body_memory_grow(memory, from + SCRATCH_READ_BYTES / 4);
        if (status == STATUS_OK)
            status = read_some(reader, &got);
        memory->size += got;
        if (status == STATUS_OK)
            status = decode_chunks(reader, from);
    }
    return status == STATUS_OK ? keep_ahead(exchange) : status;
}

/* --- Content codings ---------------------------------------------------------------------------- */

/* Answers of upstream may come as `deflate` too. Clients mean two different formats by it (RFC 9110
 * section 8.4.1.2, note), so of them it is not taken. */
static enum status coding_of_request(const struct http_fields *fields,
                                     enum content_coding *coding_out)
{
    const enum status status = content_coding_of(fields, coding_out);
    return status == STATUS_OK && *coding_out == CONTENT_CODING_DEFLATE ? STATUS_UNSUPPORTED
                                                                        : status;
}

static enum status inflate_all(struct http_exchange *exchange, struct inflate *inflate,
                               struct slice encoded, struct body_memory *plain)
{
    enum status status = STATUS_AGAIN;
    while (status == STATUS_AGAIN) {
        size_t written;
        const enum status grown = body_memory_grow(plain, plain->size + INFLATE_STEP);
        if (grown != STATUS_OK)
            return grown;
        status = inflate_task_step(exchange->server, inflate, &encoded, plain->data + plain->size,
                                   INFLATE_STEP, &written);
        plain->size += written;
        task_pace(exchange->server->loop);
    }
    if (status == STATUS_OK)
        status = inflate_finish(inflate);
    return status == STATUS_INVALID ? STATUS_PROTOCOL : status;
}

static enum status decode_content(struct http_exchange *exchange, enum content_coding coding,
                                  struct http_body *body)
{
    struct body_memory plain = {0};
    struct inflate *inflate;
    enum status status = inflate_create(coding, exchange->server->limits.body_bytes, &inflate);
    if (status != STATUS_OK)
        return status;
    status = inflate_all(exchange, inflate, body->bytes, &plain);
    inflate_destroy(&inflate);
    if (status != STATUS_OK) {
        body_memory_free(&plain);
        return status;
    }
    body_memory_free(&body->memory);
    body->memory = plain;
    body->bytes = slice_of(plain.data, plain.size);
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------------------- */

static enum status read_framed(struct body_reader *reader, struct http_body *body)
{
    struct http_exchange *exchange = reader->exchange;
    if (exchange->head.is_chunked) {
        const enum status status = read_chunked(reader);
        body->bytes = slice_of(body->memory.data, body->memory.size);
        return status;
    }
    if (exchange->body_left > exchange->server->limits.body_bytes)
        return STATUS_TOO_LARGE;
    if (exchange->body_left <= exchange->ahead.size) { /* it came with the head */
        const size_t size = (size_t)exchange->body_left;
        body->bytes = slice_of(exchange->ahead.data, size);
        exchange->ahead = slice_from(exchange->ahead, size);
        return STATUS_OK;
    }
    const enum status status = read_with_length(reader);
    body->bytes = slice_of(body->memory.data, body->memory.size);
    return status;
}

enum status http_body_read(struct http_exchange *exchange, struct http_body *body_out,
                           unsigned *http_status_out, struct reason *reason)
{
    ASSERT(exchange->body_bytes == 0);
    *body_out = (struct http_body){0};
    struct body_reader reader = {
        .exchange = exchange,
        .memory = &body_out->memory,
        .started_ms = loop_now_ms(exchange->server->loop),
        .http_status_out = http_status_out,
        .reason = reason,
    };
    enum content_coding coding;
    enum status status = coding_of_request(&exchange->head.fields, &coding);
    if (status == STATUS_OK && !exchange->body_is_done)
        status = read_framed(&reader, body_out);
    if (status == STATUS_OK) {
        exchange->body_is_done = true;
        exchange->body_bytes = body_out->bytes.size;
        if (coding != CONTENT_CODING_IDENTITY)
            status = decode_content(exchange, coding, body_out);
    }
    if (status == STATUS_OK)
        return STATUS_OK;
    http_body_free(body_out);
    return fail(&reader, status);
}

void http_body_free(struct http_body *body)
{
    body_memory_free(&body->memory);
    body->bytes = (struct slice){0};
}
