#include "http/exchange.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/uncleared.h"
#include "base/clock.h"
#include "http/answer.h"
#include "http/head.h"

#define LINGER_MS        5000
#define LINGER_BYTES_MAX (64 * 1024 * 1024)
#define SKIP_BYTES_MAX   (64 * 1024) /* of a body that nobody wants */

/* The exchange lies at the front of its block; the head is read into the rest. */
#define ROOM_BYTES (HTTP_BLOCK_BYTES - sizeof(struct http_exchange))

_Static_assert(ROOM_BYTES >= 2048, "an ordinary head fits into the block");

/* --- Reading the head --------------------------------------------------------------------------- */

struct head_reader {
    struct http_exchange *exchange;
    char *bytes;
    size_t size, capacity;
    size_t scanned;
    size_t head_size; /* once it is complete */
    struct reason reason;
};

/* Called when the block is full: the head goes on in memory of its own. */
static enum status move_to_memory(struct head_reader *reader)
{
    struct http_exchange *exchange = reader->exchange;
    const size_t capacity = exchange->server->limits.header_bytes;
    if (reader->capacity >= capacity)
        return STATUS_TOO_LARGE;
    const enum status status = body_memory_reserve(&exchange->head_memory, capacity);
    if (status != STATUS_OK)
        return status;
    memcpy(exchange->head_memory.data, reader->bytes, reader->size);
    reader->bytes = exchange->head_memory.data;
    reader->capacity = capacity;
    return STATUS_OK;
}

static enum status read_more(struct head_reader *reader, uint64_t deadline_ms)
{
    size_t got;
    const enum status status =
        socket_read(&reader->exchange->connection->socket, reader->bytes + reader->size,
                    reader->capacity - reader->size, deadline_ms, &got);
    if (status == STATUS_OK)
        reader->size += got;
    return status;
}

/* STATUS_OK: bytes[0 .. head_size) is a whole head. */
static enum status read_head(struct head_reader *reader)
{
    struct http_server *server = reader->exchange->server;
    const uint64_t deadline_ms = loop_deadline(server->loop, server->limits.header_ms);
    for (;;) {
        enum status status = http_head_find_end(slice_of(reader->bytes, reader->size),
                                                &reader->scanned, &reader->head_size);
        if (status == STATUS_OK && reader->head_size > server->limits.header_bytes)
            return STATUS_TOO_LARGE;
        if (status != STATUS_AGAIN)
            return status;
        status = STATUS_OK;
        if (reader->size == reader->capacity)
            status = move_to_memory(reader);
        if (status == STATUS_OK)
            status = read_more(reader, deadline_ms);
        if (status != STATUS_OK)
            return status;
    }
}

/* --- Birth and death of an exchange ---------------------------------------------------------------- */

static struct http_exchange *exchange_begin(struct http_connection *connection,
                                            struct head_reader *reader)
{
    struct http_exchange *exchange = http_block_take(connection->server);
    if (exchange == NULL)
        return NULL;
    memset(exchange, 0, sizeof(*exchange));
    exchange->server = connection->server;
    exchange->connection = connection;
    exchange->started_ns = loop_now_ns(connection->server->loop);
    reader->exchange = exchange;
    reader->bytes = (char *)(exchange + 1);
    reader->size = reader->scanned = reader->head_size = 0;
    reader->capacity = ROOM_BYTES;
    reader->reason.text[0] = '\0';
    return exchange;
}

/* Takes over what was read with the last request. */
static bool take_pending(struct http_connection *connection, struct head_reader *reader)
{
    if (connection->pending_size > reader->capacity &&
        body_memory_reserve(&reader->exchange->head_memory,
                            connection->pending_size + SCRATCH_READ_BYTES) == STATUS_OK) {
        reader->bytes = reader->exchange->head_memory.data;
        reader->capacity = reader->exchange->head_memory.capacity;
    }
    if (connection->pending_size > reader->capacity)
        return false;
    if (connection->pending_size > 0)
        memcpy(reader->bytes, connection->pending, connection->pending_size);
    reader->size = connection->pending_size;
    connection->pending_size = 0;
    alloc_free(connection->pending);
    connection->pending = NULL;
    return true;
}

/* What follows the request on the connection is kept for the next exchange. */
static bool keep_pending(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    const struct slice rest = exchange->ahead;
    if (rest.size == 0)
        return true;
    connection->pending = alloc_bytes(rest.size);
    if (connection->pending == NULL)
        return false;
    memcpy(connection->pending, rest.data, rest.size);
    connection->pending_size = rest.size;
    return true;
}

static void exchange_end(struct http_exchange *exchange)
{
    arena_fini(&exchange->arena);
    body_memory_free(&exchange->head_memory);
    http_block_give(exchange->server, exchange);
}

/* --- Serving ------------------------------------------------------------------------------------- */

/* The connection is about to be closed while the client may still be sending: it is read for a
 * moment, since closing it now would reset it and take the answer away (RFC 9112 section 9.6). */
static void linger(struct http_connection *connection)
{
    struct loop *loop = connection->server->loop;
    const uint64_t deadline_ms = loop_deadline(loop, LINGER_MS);
    char *bytes = connection->server->scratch->read;
    size_t total = 0, got;
    if (connection->socket.was_reset)
        return;
    socket_end_sending(&connection->socket);
    while (total < LINGER_BYTES_MAX && socket_read(&connection->socket, bytes, SCRATCH_READ_BYTES,
                                                   deadline_ms, &got) == STATUS_OK)
        total += got;
}

static bool skip_length(struct http_exchange *exchange)
{
    const size_t here = exchange->body_left < exchange->ahead.size ? (size_t)exchange->body_left
                                                                   : exchange->ahead.size;
    exchange->ahead = slice_from(exchange->ahead, here);
    exchange->body_left -= here;
    return exchange->body_left == 0;
}

/* Chunks are decoded where they lie: in the block or in the scratch. */
static bool skip_chunks(struct http_exchange *exchange)
{
    size_t consumed, payload;
    const enum status status =
        chunked_decode(&exchange->chunked, (char *)(uintptr_t)exchange->ahead.data,
                       exchange->ahead.size, &consumed, &payload);
    exchange->ahead = slice_from(exchange->ahead, consumed);
    return status == STATUS_OK;
}

/* Passes over the rest of a body that nobody read, if that is soon done: then the connection can
 * go on. A client that still waits for 100 (Continue) may never send it. */
static bool skip_body(struct http_exchange *exchange)
{
    struct socket *socket = &exchange->connection->socket;
    const uint64_t deadline_ms = loop_deadline(exchange->server->loop, LINGER_MS);
    char *bytes = exchange->server->scratch->read;
    size_t total = exchange->ahead.size;
    while (!exchange->body_is_done) {
        size_t got;
        exchange->body_is_done =
            exchange->head.is_chunked ? skip_chunks(exchange) : skip_length(exchange);
        if (exchange->body_is_done)
            break;
        if (exchange->wants_continue || total + exchange->body_left > SKIP_BYTES_MAX ||
            socket_read(socket, bytes, SCRATCH_READ_BYTES, deadline_ms, &got) != STATUS_OK)
            return false;
        total += got;
        exchange->ahead = slice_of(bytes, got);
    }
    return true;
}

static bool finish(struct http_exchange *exchange)
{
    const bool is_sound = exchange->is_ended && !exchange->connection->socket.was_reset;
    if (is_sound && !exchange->closes && skip_body(exchange))
        return keep_pending(exchange);
    if (is_sound)
        linger(exchange->connection);
    return false;
}

static void refuse(struct http_exchange *exchange, unsigned http_status, const char *why)
{
    exchange->closes = true;
    exchange->server->hooks.refuse(exchange, http_status, why, exchange->server->hooks.context);
}

static void set_up_body(struct http_exchange *exchange, struct slice ahead)
{
    const struct http_request_head *head = &exchange->head;
    exchange->ahead = ahead;
    exchange->body_left = head->content_length;
    exchange->body_is_done = !head->is_chunked && head->content_length == 0;
    exchange->wants_continue = head->expects_continue && head->minor > 0;
    exchange->closes = !head->keep_alive;
    if (head->is_chunked)
        chunked_init(&exchange->chunked);
}

/* The rest of the block, behind what was read, is the arena's first part. */
static void set_up_arena(struct http_exchange *exchange, const struct head_reader *reader)
{
    char *room = (char *)(exchange + 1);
    const bool is_in_block = reader->bytes == room;
    const size_t used = is_in_block ? reader->size : 0;
    arena_init(&exchange->arena, room + used, ROOM_BYTES - used, HTTP_ARENA_BYTES_MAX);
}

static enum status parse_head(struct http_exchange *exchange, struct head_reader *reader)
{
    const struct http_head_limits limits = {.headers_max = exchange->server->limits.headers};
    unsigned http_status = 0;
    const enum status status =
        http_request_head_parse(slice_of(reader->bytes, reader->head_size), &limits,
                                &exchange->arena, &exchange->head, &http_status, &reader->reason);
    if (status == STATUS_OK)
        return STATUS_OK;
    exchange->head = (struct http_request_head){0}; /* it may not be used */
    refuse(exchange, http_status, reader->reason.text);
    return status;
}

static void serve(struct http_exchange *exchange, struct head_reader *reader)
{
    struct http_server *server = exchange->server;
    struct socket *socket = &exchange->connection->socket;
    set_up_arena(exchange, reader);
    if (parse_head(exchange, reader) != STATUS_OK)
        return;
    set_up_body(exchange,
                slice_of(reader->bytes + reader->head_size, reader->size - reader->head_size));
    socket_set_owner(socket, task_current(server->loop));
    server->hooks.handle(exchange, server->hooks.context);
    socket_set_owner(socket, NULL);
    task_clear_cancel(task_current(server->loop));
}

/* A head that did not come to its end. */
static void refuse_head(struct http_exchange *exchange, const struct head_reader *reader,
                        enum status status)
{
    switch (status) {
    case STATUS_TIMED_OUT:
        if (reader->size > 0)
            refuse(exchange, 408, "The request's head did not arrive in time.");
        break;
    case STATUS_TOO_LARGE:
        refuse(exchange, 431, "The request's head is larger than the gateway takes.");
        break;
    case STATUS_NO_MEMORY:
        refuse(exchange, 503, "The gateway is out of memory for requests; try again shortly.");
        break;
    case STATUS_PROTOCOL:
        refuse(exchange, 400, "The request's head is malformed.");
        break;
    default:
        break; /* the client is gone */
    }
}

bool http_exchange_run(struct http_connection *connection)
{
    UNCLEARED struct head_reader reader;
    struct http_exchange *exchange = exchange_begin(connection, &reader);
    if (exchange == NULL)
        return false;
    bool goes_on = false;
    if (take_pending(connection, &reader)) {
        const enum status status = read_head(&reader);
        if (status == STATUS_OK)
            serve(exchange, &reader);
        else
            refuse_head(exchange, &reader, status);
        goes_on = finish(exchange);
    }
    exchange_end(exchange);
    return goes_on;
}

void *http_exchange_keep(struct http_exchange *exchange, size_t size)
{
    struct http_connection *connection = exchange->connection;
    if (connection->kept == NULL) {
        connection->kept = alloc_zeroed(1, size);
        connection->kept_bytes = size;
    }
    ASSERT(connection->kept_bytes == size);
    return connection->kept;
}

struct slice http_exchange_header(const struct http_exchange *exchange, enum http_header_id id)
{
    return http_fields_value(&exchange->head.fields, id);
}

const unsigned char *http_exchange_client_address(struct http_exchange *exchange)
{
    const struct http_trust *trust = &exchange->server->trusted_proxies;
    if (exchange->has_client_address)
        return exchange->client_address;
    if (!address_to_bytes(&exchange->connection->peer, exchange->client_address))
        return NULL;
    exchange->has_client_address = true;
    if (trust->count > 0)
        http_client_address_find(trust, &exchange->head.fields, exchange->client_address);
    return exchange->client_address;
}
