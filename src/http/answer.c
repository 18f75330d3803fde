#include "http/answer.h"

#include "base/assert.h"
#include "base/clock.h"
#include "http/head_writer.h"

/* --- The head ----------------------------------------------------------------------------------- */

void http_answer_begin(struct http_exchange *exchange, unsigned status)
{
    struct http_server *server = exchange->server;
    ASSERT(!exchange->head_is_sent);
    exchange->status = status;
    exchange->is_begun = true;
    head_writer_init(&exchange->head_writer, server->scratch->head, SCRATCH_HEAD_BYTES);
    head_writer_status_line(&exchange->head_writer, status);
    head_writer_lines(&exchange->head_writer,
                      http_date_line(&server->date, clock_realtime_us()));
}

void http_answer_header(struct http_exchange *exchange, struct slice name, struct slice value)
{
    struct head_writer *writer = &exchange->head_writer;
    const struct head_writer before = *writer;
    head_writer_add(writer, name, value);
    if (writer->failed != STATUS_OK)
        *writer = before;
}

void http_answer_header_number(struct http_exchange *exchange, struct slice name, uint64_t value)
{
    head_writer_add_u64(&exchange->head_writer, name, value);
}

void http_answer_lines(struct http_exchange *exchange, struct slice lines)
{
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
        exchange->first_byte_ns = clock_monotonic_ns();
    exchange->answer_bytes += sent - head_size;
}

/* Copies the pieces but for their first `skip` bytes. */
static enum status copy_rest(const struct iovec *pieces, int count, size_t skip,
                             struct body_memory *rest)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    enum status status = body_memory_reserve(rest, total - skip);
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        const size_t skipped = skip < pieces[i].iov_len ? skip : pieces[i].iov_len;
        skip -= skipped;
        status = body_memory_append(rest, (const char *)pieces[i].iov_base + skipped,
                                    pieces[i].iov_len - skipped);
    }
    return status;
}

static enum status send_rest(struct http_exchange *exchange, const struct iovec *pieces, int count,
                             size_t skip)
{
    struct body_memory rest = {0};
    enum status status = copy_rest(pieces, count, skip, &rest);
    if (status == STATUS_OK) {
        struct iovec piece = {rest.data, rest.size};
        status = socket_write(&exchange->connection->socket, &piece, 1,
                              exchange->server->limits.write_ms);
    }
    body_memory_free(&rest);
    return status;
}

/* Sends the pieces; `overhead` of their bytes are not body. A connection on which a part went out
 * and the rest did not is of no more use. */
static enum status send_pieces(struct http_exchange *exchange, const struct iovec *pieces,
                               int count, size_t overhead)
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
    const struct iovec pieces[] = {{(char *)(uintptr_t)head.data, head.size},
                                   {(char *)(uintptr_t)body.data, body.size}};
    const bool is_bare = body.size == 0 || has_no_body(exchange);
    const enum status status = send_pieces(exchange, pieces, is_bare ? 1 : 2, head.size);
    exchange->is_ended = status == STATUS_OK;
    return status;
}

enum status http_answer_send_empty(struct http_exchange *exchange)
{
    const struct slice head = finished_head(exchange);
    const struct iovec piece = {(char *)(uintptr_t)head.data, head.size};
    const enum status status = send_pieces(exchange, &piece, 1, head.size);
    exchange->is_ended = status == STATUS_OK;
    return status;
}

/* --- Streams -------------------------------------------------------------------------------------- */

/* Lays out one chunk (or the bare bytes) behind what stands in `out` already; returns how many
 * pieces there are then. */
static int lay_out(const struct http_exchange *exchange, const struct slice *pieces,
                   unsigned count, char chunk_head[CHUNKED_HEADER_BYTES], struct iovec *out)
{
    static char end[] = "\r\n";
    int used = 0;
    size_t total = 0;
    for (unsigned i = 0; i < count; i++)
        total += pieces[i].size;
    if (total == 0)
        return 0;
    if (exchange->is_chunked)
        out[used++] = (struct iovec){chunk_head, chunked_header(total, chunk_head)};
    for (unsigned i = 0; i < count; i++)
        out[used++] = (struct iovec){(char *)(uintptr_t)pieces[i].data, pieces[i].size};
    if (exchange->is_chunked)
        out[used++] = (struct iovec){end, 2};
    return used;
}

static size_t overhead_of(const struct iovec *out, int used, bool is_chunked, bool has_head)
{
    size_t overhead = has_head ? out[0].iov_len : 0;
    const int chunk = has_head ? 1 : 0;
    if (is_chunked && used > chunk)
        overhead += out[chunk].iov_len + 2;
    return overhead;
}

enum status http_answer_start(struct http_exchange *exchange, uint64_t size, struct slice piece)
{
    char chunk_head[CHUNKED_HEADER_BYTES];
    struct iovec out[ANSWER_PIECES_MAX];
    ASSERT(exchange->is_begun && !exchange->head_is_sent);
    if (size != ANSWER_SIZE_UNKNOWN) {
        http_answer_header_number(exchange, SLICE("content-length"), size);
    } else if (exchange->head.minor > 0) {
        exchange->is_chunked = true;
        head_writer_lines(&exchange->head_writer, SLICE("transfer-encoding: chunked\r\n"));
    } else if (!exchange->closes) {
        /* HTTP/1.0 learns the end of the body from that of the connection. */
        exchange->closes = true;
    }
    const struct slice head = finished_head(exchange);
    out[0] = (struct iovec){(char *)(uintptr_t)head.data, head.size};
    const int used =
        has_no_body(exchange) ? 1 : 1 + lay_out(exchange, &piece, 1, chunk_head, out + 1);
    return send_pieces(exchange, out, used,
                       overhead_of(out, used, exchange->is_chunked, true));
}

enum status http_answer_write(struct http_exchange *exchange, struct slice piece)
{
    return http_answer_write_pieces(exchange, &piece, 1);
}

enum status http_answer_write_pieces(struct http_exchange *exchange, const struct slice *pieces,
                                     unsigned count)
{
    char chunk_head[CHUNKED_HEADER_BYTES];
    struct iovec out[ANSWER_PIECES_MAX];
    ASSERT(exchange->head_is_sent && count + 2 <= ANSWER_PIECES_MAX);
    if (has_no_body(exchange))
        return STATUS_OK;
    const int used = lay_out(exchange, pieces, count, chunk_head, out);
    if (used == 0)
        return STATUS_OK;
    return send_pieces(exchange, out, used,
                       overhead_of(out, used, exchange->is_chunked, false));
}

enum status http_answer_end(struct http_exchange *exchange)
{
    static char last_chunk[] = "0\r\n\r\n";
    enum status status = STATUS_OK;
    if (exchange->is_chunked && !has_no_body(exchange)) {
        const struct iovec piece = {last_chunk, sizeof(last_chunk) - 1};
        status = send_pieces(exchange, &piece, 1, piece.iov_len);
    }
    exchange->is_ended = status == STATUS_OK;
    return status;
}

void http_answer_break(struct http_exchange *exchange)
{
    exchange->closes = true;
    exchange->is_ended = false;
}
