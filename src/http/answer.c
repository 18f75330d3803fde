#include "http/answer.h"

#include "base/assert.h"
#include "base/clock.h"
#include "http/head_writer.h"

#define END_BYTES 128 /* left for what ends the head */

/* --- The head ----------------------------------------------------------------------------------- */

void http_answer_begin(struct http_exchange *exchange, unsigned status)
{
    struct http_server *server = exchange->server;
    ASSERT(!exchange->head_is_sent);
    exchange->status = status;
    exchange->is_begun = true;
    exchange->begun_ns = clock_monotonic_ns();
    head_writer_init(&exchange->head_writer, server->scratch->head, SCRATCH_HEAD_BYTES);
    head_writer_status_line(&exchange->head_writer, status);
    head_writer_lines(&exchange->head_writer,
                      http_date_line(&server->date, loop_realtime_us(server->loop)));
}

/* A header that does not fit is left out: the rest of the head has its room. */
static bool has_room(const struct http_exchange *exchange, size_t size)
{
    const struct head_writer *writer = &exchange->head_writer;
    return size + END_BYTES <= (size_t)(writer->end - writer->at);
}

void http_answer_checked(struct http_exchange *exchange, struct slice name, struct slice value)
{
    if (has_room(exchange, name.size + value.size))
        head_writer_add_checked(&exchange->head_writer, name, value);
}

void http_answer_header(struct http_exchange *exchange, struct slice name, struct slice value)
{
    if (http_is_token(name) && http_value_is_clean(value))
        http_answer_checked(exchange, name, value);
}

void http_answer_header_number(struct http_exchange *exchange, struct slice name, uint64_t value)
{
    head_writer_add_u64(&exchange->head_writer, name, value);
}

void http_answer_lines(struct http_exchange *exchange, struct slice lines)
{
    if (has_room(exchange, lines.size))
        head_writer_lines(&exchange->head_writer, lines);
}

static struct slice finished_head(struct http_exchange *exchange)
{
    struct slice head = {0};
    exchange->closes |= exchange->server->is_closing;
    if (exchange->closes)
        head_writer_lines(&exchange->head_writer, SLICE("connection: close\r\n"));
    else if (exchange->head.minor == 0)
        head_writer_lines(&exchange->head_writer, SLICE("connection: keep-alive\r\n"));
    const enum status status = head_writer_finish(&exchange->head_writer, &head);
    ASSERT(status == STATUS_OK); /* what others sent was checked, and the scratch is larger */
    return head;
}

/* --- Sending ------------------------------------------------------------------------------------- */

/* What went out of the pieces counts as body from `head_size` bytes on. */
static void count_sent(struct http_exchange *exchange, size_t sent, size_t head_size)
{
    if (sent <= head_size)
        return;
    if (exchange->first_byte_ns == 0)
        exchange->first_byte_ns = exchange->begun_ns;
    exchange->answer_bytes += sent - head_size;
}

static bool is_in_scratch(const struct http_exchange *exchange, const struct iovec *piece)
{
    const struct scratch *scratch = exchange->server->scratch;
    return (uintptr_t)piece->iov_base - (uintptr_t)scratch < sizeof(*scratch);
}

/* Moves what lies in the scratch, where other tasks write while this one waits. */
static enum status leave_scratch(const struct http_exchange *exchange, struct iovec *pieces,
                                 int count, struct body_memory *memory)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += is_in_scratch(exchange, &pieces[i]) ? pieces[i].iov_len : 0;
    enum status status = body_memory_reserve(memory, total);
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        if (!is_in_scratch(exchange, &pieces[i]))
            continue;
        status = body_memory_append(memory, pieces[i].iov_base, pieces[i].iov_len);
        pieces[i].iov_base = memory->data + memory->size - pieces[i].iov_len;
    }
    return status;
}

static enum status send_rest(struct http_exchange *exchange, struct iovec *pieces, int count,
                             size_t skip)
{
    struct body_memory memory = {0};
    const int done = socket_skip(pieces, count, skip);
    enum status status = leave_scratch(exchange, pieces + done, count - done, &memory);
    if (status == STATUS_OK)
        status = socket_write(&exchange->connection->socket, pieces + done, count - done,
                              exchange->server->limits.write_ms);
    body_memory_free(&memory);
    return status;
}

/* Sends the pieces; `overhead` of their bytes are not body. A connection on which a part went out
 * and the rest did not is of no more use. */
static enum status send_pieces(struct http_exchange *exchange, struct iovec *pieces, int count,
                               size_t overhead)
{
    size_t total = 0, sent = 0;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    enum status status = socket_try_write(&exchange->connection->socket, pieces, count, &sent);
    if (status == STATUS_OK) {
        task_charge(exchange->server->loop, sent);
        exchange->head_is_sent = true;
        if (sent < total)
            status = send_rest(exchange, pieces, count, sent);
    }
    if (status == STATUS_OK)
        count_sent(exchange, total, overhead);
    else
        http_answer_break(exchange);
    return status;
}

static bool has_no_body(const struct http_exchange *exchange)
{
    return exchange->head.method == HTTP_METHOD_HEAD || exchange->status == 204 ||
           exchange->status == 304;
}

enum status http_answer_send(struct http_exchange *exchange, struct slice body)
{
    ASSERT(exchange->is_begun && !exchange->head_is_sent);
    http_answer_header_number(exchange, SLICE("content-length"), body.size);
    const struct slice head = finished_head(exchange);
    struct iovec pieces[] = {{(char *)(uintptr_t)head.data, head.size},
                             {(char *)(uintptr_t)body.data, body.size}};
    const bool is_bare = body.size == 0 || has_no_body(exchange);
    const enum status status = send_pieces(exchange, pieces, is_bare ? 1 : 2, head.size);
    exchange->is_ended = status == STATUS_OK;
    return status;
}

enum status http_answer_send_empty(struct http_exchange *exchange)
{
    const struct slice head = finished_head(exchange);
    struct iovec piece = {(char *)(uintptr_t)head.data, head.size};
    const enum status status = send_pieces(exchange, &piece, 1, head.size);
    exchange->is_ended = status == STATUS_OK;
    return status;
}

/* --- Streams -------------------------------------------------------------------------------------- */

#define PIECES_MAX 4 /* head, chunk size, bytes, what ends the chunk and maybe the body */

struct pieces {
    struct iovec items[PIECES_MAX];
    int count;
    size_t overhead; /* bytes that are not body */
    char chunk_head[CHUNKED_HEADER_BYTES];
};

static void add_piece(struct pieces *pieces, struct slice bytes, bool is_body)
{
    pieces->items[pieces->count++] = (struct iovec){(char *)(uintptr_t)bytes.data, bytes.size};
    pieces->overhead += is_body ? 0 : bytes.size;
}

static void add_body(const struct http_exchange *exchange, struct pieces *pieces,
                     struct slice piece, enum answer_part part)
{
    const bool is_framed = exchange->is_chunked && piece.size > 0;
    if (is_framed) {
        const size_t size = chunked_header(piece.size, pieces->chunk_head);
        add_piece(pieces, slice_of(pieces->chunk_head, size), false);
    }
    if (piece.size > 0)
        add_piece(pieces, piece, true);
    if (exchange->is_chunked && part == ANSWER_LAST)
        add_piece(pieces, is_framed ? SLICE("\r\n0\r\n\r\n") : SLICE("0\r\n\r\n"), false);
    else if (is_framed)
        add_piece(pieces, SLICE("\r\n"), false);
}

static enum status send_part(struct http_exchange *exchange, struct pieces *pieces,
                             struct slice piece, enum answer_part part)
{
    if (!has_no_body(exchange))
        add_body(exchange, pieces, piece, part);
    const enum status status =
        pieces->count > 0 ? send_pieces(exchange, pieces->items, pieces->count, pieces->overhead)
                          : STATUS_OK;
    exchange->is_ended = status == STATUS_OK && part == ANSWER_LAST;
    return status;
}

enum status http_answer_start(struct http_exchange *exchange, uint64_t size, struct slice piece,
                              enum answer_part part)
{
    struct pieces pieces = {.count = 0};
    ASSERT(exchange->is_begun && !exchange->head_is_sent);
    if (size != ANSWER_SIZE_UNKNOWN) {
        http_answer_header_number(exchange, SLICE("content-length"), size);
    } else if (exchange->head.minor > 0) {
        exchange->is_chunked = true;
        head_writer_lines(&exchange->head_writer, SLICE("transfer-encoding: chunked\r\n"));
    } else {
        exchange->closes = true; /* HTTP/1.0 learns the end of the body from the connection's */
    }
    add_piece(&pieces, finished_head(exchange), false);
    return send_part(exchange, &pieces, piece, part);
}

enum status http_answer_write(struct http_exchange *exchange, struct slice piece,
                              enum answer_part part)
{
    struct pieces pieces = {.count = 0};
    ASSERT(exchange->head_is_sent);
    return send_part(exchange, &pieces, piece, part);
}

enum status http_answer_end(struct http_exchange *exchange)
{
    return http_answer_write(exchange, (struct slice){0}, ANSWER_LAST);
}

void http_answer_break(struct http_exchange *exchange)
{
    exchange->closes = true;
    exchange->is_ended = false;
}
