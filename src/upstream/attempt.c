#include "upstream/attempt.h"

#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/uncleared.h"

#define INTERIM_MAX    8 /* 1xx answers before the final one */
#define REPLACE_NS_MAX (1000 * NS_PER_MS)

static enum status fail(struct upstream_attempt *attempt, enum upstream_failure failure,
                        enum status status, struct reason *reason, const char *why)
{
    attempt->failure = failure;
    if (why != NULL)
        reason_set(reason, "%s", why);
    return status;
}

/* A wait that did not end well. */
static enum status fail_wait(struct upstream_attempt *attempt, enum status status,
                             struct reason *reason, const char *during)
{
    switch (status) {
    case STATUS_TIMED_OUT:
        reason_set(reason, "upstream was too slow %s", during);
        return fail(attempt, UPSTREAM_FAILURE_TIMED_OUT, status, reason, NULL);
    case STATUS_CANCELLED:
        reason_set(reason, "the client went away %s", during);
        return fail(attempt, UPSTREAM_FAILURE_CANCELLED, status, reason, NULL);
    case STATUS_PROTOCOL:
        reason_set(reason, "TLS broke %s", during);
        return fail(attempt, UPSTREAM_FAILURE_PROTOCOL, status, reason, NULL);
    case STATUS_NO_MEMORY:
        return fail(attempt, UPSTREAM_FAILURE_LIMITED, status, reason, "out of memory");
    default:
        reason_set(reason, "upstream closed the connection %s", during);
        return fail(attempt, UPSTREAM_FAILURE_CLOSED, STATUS_CLOSED, reason, NULL);
    }
}

/* --- Connection and request ------------------------------------------------------------------------ */

static enum status get_connection(struct upstream_attempt *attempt, bool fresh,
                                  struct reason *reason)
{
    static const enum upstream_failure failures[STATUS_COUNT] = {
        [STATUS_NOT_FOUND] = UPSTREAM_FAILURE_RESOLVE,
        [STATUS_INVALID] = UPSTREAM_FAILURE_RESOLVE,
        [STATUS_CLOSED] = UPSTREAM_FAILURE_CONNECT,
        [STATUS_DENIED] = UPSTREAM_FAILURE_CONNECT,
        [STATUS_PROTOCOL] = UPSTREAM_FAILURE_TLS,
        [STATUS_TIMED_OUT] = UPSTREAM_FAILURE_TIMED_OUT,
        [STATUS_CANCELLED] = UPSTREAM_FAILURE_CANCELLED,
    };
    const enum status status =
        upstream_connection_get(attempt->endpoint, fresh, &attempt->connection, reason);
    if (status != STATUS_OK)
        attempt->failure =
            failures[status] != UPSTREAM_FAILURE_NONE ? failures[status] : UPSTREAM_FAILURE_LIMITED;
    else
        attempt->was_reused = attempt->connection->is_reused;
    return status;
}

/* Sends until all is sent or the answer begins: an upstream may refuse a body before it has it.
 * An end of the connection is left to the reading side, which may find an answer before it. */
static enum status send_request(struct upstream_attempt *attempt,
                                const struct upstream_request *request, struct reason *reason)
{
    struct socket *socket = &attempt->connection->socket;
    struct loop *loop = attempt->endpoint->loop;
    UNCLEARED struct iovec pieces[UPSTREAM_PIECES_MAX];
    memcpy(pieces, request->pieces, sizeof(pieces[0]) * (size_t)request->piece_count);
    int first = 0;
    while (first < request->piece_count) {
        size_t sent;
        task_pace(loop);
        enum status status =
            socket_try_write(socket, pieces + first, request->piece_count - first, &sent);
        if (status != STATUS_OK)
            return STATUS_OK;
        task_charge(loop, sent);
        const bool is_stuck = sent == 0;
        first += socket_skip(pieces + first, request->piece_count - first, sent);
        if (first == request->piece_count || !is_stuck)
            continue;
        if (socket_would_read(socket))
            break;
        status = socket_wait(socket, true, true, loop_deadline(loop, request->write_ms));
        if (status != STATUS_OK)
            return fail_wait(attempt, status, reason, "in taking the request");
    }
    attempt->request_was_sent = first == request->piece_count;
    return STATUS_OK;
}

/* --- The head of the answer -------------------------------------------------------------------------- */

/* Bytes read so far: in the scratch while they came in one read, else in head_memory. */
struct head_reader {
    struct upstream_attempt *attempt;
    const struct upstream_request *request;
    struct slice bytes;
    size_t scanned;
};

/* Appends what came to what was kept, since the scratch does not outlive the wait. */
static enum status read_more(struct head_reader *reader, struct reason *reason)
{
    struct upstream_attempt *attempt = reader->attempt;
    struct body_memory *memory = &attempt->head_memory;
    if (reader->bytes.size > 0 && memory->size == 0 &&
        body_memory_append(memory, reader->bytes.data, reader->bytes.size) != STATUS_OK)
        return fail(attempt, UPSTREAM_FAILURE_LIMITED, STATUS_NO_MEMORY, reason, "out of memory");
    size_t got;
    enum status status =
        socket_read(&attempt->connection->socket, attempt->scratch->read,
                    memory->size > 0 ? UPSTREAM_READ_ON_BYTES : UPSTREAM_READ_BYTES_MAX,
                    reader->request->head_deadline_ms, &got);
    if (status != STATUS_OK)
        return fail_wait(attempt, status, reason, "before its answer began");
    attempt->received_bytes += got;
    reader->bytes = slice_of(attempt->scratch->read, got);
    if (memory->size > 0) {
        status = body_memory_append(memory, reader->bytes.data, got);
        if (status != STATUS_OK)
            return fail(attempt, UPSTREAM_FAILURE_LIMITED, status, reason, "out of memory");
        reader->bytes = slice_of(memory->data, memory->size);
    }
    return STATUS_OK;
}

/* Finds one head at the front of the bytes, interim or final. */
static enum status find_head(struct head_reader *reader, size_t *head_size_out,
                             struct reason *reason)
{
    const size_t bytes_max = reader->request->answer_head_bytes_max;
    for (;;) {
        enum status status = STATUS_AGAIN;
        if (reader->bytes.size > 0)
            status = http_head_find_end(reader->bytes, &reader->scanned, head_size_out);
        const size_t size = status == STATUS_OK ? *head_size_out : reader->bytes.size;
        if (size > bytes_max && (status == STATUS_OK || status == STATUS_AGAIN))
            return fail(reader->attempt, UPSTREAM_FAILURE_PROTOCOL, STATUS_PROTOCOL, reason,
                        "the head of upstream's answer is too large");
        if (status == STATUS_OK)
            return STATUS_OK;
        if (status != STATUS_AGAIN)
            return fail(reader->attempt, UPSTREAM_FAILURE_PROTOCOL, STATUS_PROTOCOL, reason,
                        "the head of upstream's answer is malformed");
        status = read_more(reader, reason);
        if (status != STATUS_OK)
            return status;
    }
}

static enum status parse_head(struct head_reader *reader, struct slice bytes, struct reason *reason)
{
    struct upstream_attempt *attempt = reader->attempt;
    const struct http_head_limits limits = {.headers_max = reader->request->answer_headers_max};
    const struct slice head = arena_copy(attempt->arena, bytes);
    if (head.data == NULL)
        return fail(attempt, UPSTREAM_FAILURE_LIMITED, STATUS_NO_MEMORY, reason, "out of memory");
    const enum status status = http_response_head_parse(head, reader->request->is_head, &limits,
                                                        attempt->arena, &attempt->head, reason);
    if (status == STATUS_OK)
        return STATUS_OK;
    attempt->head = (struct http_response_head){0};
    return fail(attempt,
                status == STATUS_NO_MEMORY ? UPSTREAM_FAILURE_LIMITED : UPSTREAM_FAILURE_PROTOCOL,
                status, reason, NULL);
}

static enum status read_one_head(struct head_reader *reader, struct reason *reason)
{
    size_t head_size;
    enum status status = find_head(reader, &head_size, reason);
    if (status == STATUS_OK)
        status = parse_head(reader, slice_of(reader->bytes.data, head_size), reason);
    if (status == STATUS_OK) {
        reader->bytes = slice_from(reader->bytes, head_size);
        reader->scanned = 0;
    }
    return status;
}

static void set_up_body(struct upstream_attempt *attempt, struct slice ahead)
{
    const struct http_response_head *head = &attempt->head;
    attempt->ahead = ahead;
    attempt->body_left = head->content_length;
    attempt->is_ended = head->framing == HTTP_FRAMING_NONE ||
                        (head->framing == HTTP_FRAMING_LENGTH && head->content_length == 0);
    if (head->framing == HTTP_FRAMING_CHUNKED)
        chunked_init(&attempt->chunked);
}

static enum status read_head(struct upstream_attempt *attempt,
                             const struct upstream_request *request, struct reason *reason)
{
    struct head_reader reader = {.attempt = attempt, .request = request};
    for (int i = 0; i < INTERIM_MAX; i++) {
        const enum status status = read_one_head(&reader, reason);
        if (status != STATUS_OK)
            return status;
        if (attempt->head.status >= 200) {
            set_up_body(attempt, reader.bytes);
            return STATUS_OK;
        }
        /* What follows the interim head in head_memory stays there; it is looked at again. */
        if (attempt->head_memory.size > 0)
            body_memory_keep(&attempt->head_memory, reader.bytes, &reader.bytes);
    }
    return fail(attempt, UPSTREAM_FAILURE_PROTOCOL, STATUS_PROTOCOL, reason,
                "upstream sent one interim answer after another");
}

/* --- One attempt --------------------------------------------------------------------------------------- */

static enum status try_once(struct upstream_attempt *attempt,
                            const struct upstream_request *request, bool fresh,
                            struct reason *reason)
{
    attempt->sent_ns = 0;
    enum status status = get_connection(attempt, fresh, reason);
    if (status != STATUS_OK)
        return status;
    socket_set_owner(&attempt->connection->socket, NULL);
    attempt->sent_ns = clock_monotonic_ns();
    status = send_request(attempt, request, reason);
    return status == STATUS_OK ? read_head(attempt, request, reason) : status;
}

/* Whether the connection was dead before it was used: the request cannot have been worked on. */
static bool was_dead(const struct upstream_attempt *attempt)
{
    return attempt->failure == UPSTREAM_FAILURE_CLOSED && attempt->was_reused &&
           attempt->received_bytes == 0 && clock_monotonic_ns() - attempt->sent_ns < REPLACE_NS_MAX;
}

enum status upstream_attempt_start(struct upstream_attempt *attempt,
                                   struct upstream_endpoint *endpoint,
                                   const struct upstream_request *request, struct scratch *scratch,
                                   struct arena *arena, struct reason *reason)
{
    ASSERT(request->piece_count <= UPSTREAM_PIECES_MAX);
    *attempt = (struct upstream_attempt){.endpoint = endpoint,
                                         .scratch = scratch,
                                         .arena = arena,
                                         .read_bytes_max = UPSTREAM_READ_BYTES_MAX};
    enum status status = try_once(attempt, request, false, reason);
    if (status != STATUS_OK && was_dead(attempt)) {
        upstream_connection_drop(&attempt->connection);
        attempt->failure = UPSTREAM_FAILURE_NONE;
        attempt->was_replaced = true;
        status = try_once(attempt, request, true, reason);
    }
    return status;
}

/* --- The body ------------------------------------------------------------------------------------------- */

static enum status take_with_length(struct upstream_attempt *attempt, struct slice bytes,
                                    struct slice *payload_out)
{
    if (bytes.size > attempt->body_left) {
        bytes.size = (size_t)attempt->body_left;
        attempt->has_excess = true;
    }
    attempt->body_left -= bytes.size;
    attempt->is_ended = attempt->body_left == 0;
    *payload_out = bytes;
    return STATUS_OK;
}

/* Chunks are decoded where they lie: in the scratch or in head_memory. */
static enum status take_chunked(struct upstream_attempt *attempt, struct slice bytes,
                                struct slice *payload_out)
{
    size_t consumed, payload;
    char *data = (char *)(uintptr_t)bytes.data;
    const enum status status =
        chunked_decode(&attempt->chunked, data, bytes.size, &consumed, &payload);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return STATUS_PROTOCOL;
    attempt->is_ended = status == STATUS_OK;
    attempt->has_excess = consumed < bytes.size;
    *payload_out = slice_of(data, payload);
    return STATUS_OK;
}

static enum status take(struct upstream_attempt *attempt, struct slice bytes,
                        struct slice *payload_out)
{
    switch (attempt->head.framing) {
    case HTTP_FRAMING_LENGTH:
        return take_with_length(attempt, bytes, payload_out);
    case HTTP_FRAMING_CHUNKED:
        return take_chunked(attempt, bytes, payload_out);
    default:
        *payload_out = bytes;
        return STATUS_OK;
    }
}

static enum status read_bytes(struct upstream_attempt *attempt, uint64_t deadline_ms,
                              struct slice *bytes_out, struct reason *reason)
{
    size_t got;
    ASSERT(attempt->read_bytes_max > 0 && attempt->read_bytes_max <= SCRATCH_READ_BYTES);
    const enum status status = socket_read(&attempt->connection->socket, attempt->scratch->read,
                                           attempt->read_bytes_max, deadline_ms, &got);
    if (status == STATUS_OK) {
        attempt->received_bytes += got;
        *bytes_out = slice_of(attempt->scratch->read, got);
        return STATUS_OK;
    }
    const bool is_end = status == STATUS_CLOSED && attempt->head.framing == HTTP_FRAMING_CLOSE &&
                        !attempt->connection->socket.was_reset;
    if (!is_end)
        return fail_wait(attempt, status, reason, "within its answer");
    attempt->is_ended = true;
    *bytes_out = (struct slice){0};
    return STATUS_OK;
}

enum status upstream_attempt_read(struct upstream_attempt *attempt, uint64_t deadline_ms,
                                  struct slice *payload_out, struct reason *reason)
{
    *payload_out = (struct slice){0};
    while (!attempt->is_ended && payload_out->size == 0) {
        struct slice bytes = attempt->ahead;
        attempt->ahead = (struct slice){0};
        if (bytes.size == 0) {
            body_memory_free(&attempt->head_memory); /* all of it was given out */
            const enum status status = read_bytes(attempt, deadline_ms, &bytes, reason);
            if (status != STATUS_OK)
                return status;
        }
        if (bytes.size > 0 && take(attempt, bytes, payload_out) != STATUS_OK)
            return fail(attempt, UPSTREAM_FAILURE_PROTOCOL, STATUS_PROTOCOL, reason,
                        "upstream's answer is not framed as its head says");
    }
    return STATUS_OK;
}

void upstream_attempt_finish(struct upstream_attempt *attempt)
{
    const bool is_clean = attempt->failure == UPSTREAM_FAILURE_NONE && attempt->is_ended &&
                          attempt->request_was_sent && !attempt->has_excess &&
                          attempt->head.keep_alive && attempt->head.framing != HTTP_FRAMING_CLOSE &&
                          attempt->ahead.size == 0;
    if (attempt->connection != NULL && is_clean)
        upstream_connection_put(&attempt->connection);
    else if (attempt->connection != NULL)
        upstream_connection_drop(&attempt->connection);
    body_memory_free(&attempt->head_memory);
}
