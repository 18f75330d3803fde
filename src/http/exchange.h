/* One request on a connection of the server, and its answer.
 *
 * Lifecycle: http_exchange_run() reads the head, calls the server's `handle`, which may read the
 * body (http_body_read) and answers (http/answer.h), then finishes: what is left of the body is
 * read if that is cheap, else the connection is closed after a linger, so that the client sees the
 * answer and not a reset.
 * While the handler runs, a client that goes away cancels the task's wait, once.
 *
 * Memory: the exchange, its head and small bodies lie in one block of the server's stock; more
 * comes from `arena`, which ends with the exchange. Thread: the loop's. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "http/body_memory.h"
#include "http/chunked.h"
#include "http/head_writer.h"
#include "http/request_head.h"
#include "http/server.h"

#define HTTP_ARENA_BYTES_MAX (256 * 1024)

struct http_exchange {
    struct http_server *server;
    struct http_connection *connection;
    struct arena arena;
    struct http_request_head head;
    uint64_t started_ns; /* when the first byte of the head was there */

    /* The body that is still to be read. */
    struct slice ahead; /* bytes after the head that are here already */
    uint64_t body_left; /* with a Content-Length */
    struct chunked chunked;
    bool body_is_done;
    bool wants_continue;
    uint64_t body_bytes; /* read so far, after chunked decoding */

    /* The answer. */
    unsigned status; /* 0: not begun */
    bool is_begun;   /* its head is in the scratch, or gone */
    bool head_is_sent;
    bool is_ended;                  /* all of it went out */
    bool is_chunked;                /* its length was not known when it began */
    bool closes;                    /* the connection ends with it */
    struct head_writer head_writer; /* over the scratch */
    uint64_t answer_bytes;          /* body bytes that the socket took */
    uint64_t begun_ns;              /* when its head was begun */
    uint64_t first_byte_ns;         /* when its first body bytes were; 0: none went out */

    struct body_memory head_memory; /* a head too large for the block */

    bool has_client_address; /* the next is set */
    unsigned char client_address[16];
};

/* Reads and serves one request; false: the connection is to be closed. */
bool http_exchange_run(struct http_connection *connection);

/* A body that was read whole. It lies in the block, or in `memory`. */
struct http_body {
    struct slice bytes;
    struct body_memory memory;
};

/* Reads the whole body, undoes chunking and Content-Encoding.
 * On another status than STATUS_OK *http_status_out is what to answer with (413, 415, 408, 400,
 * 503), or 0 if the client is gone; *reason says why. Free with http_body_free(). */
MUST_CHECK enum status http_body_read(struct http_exchange *exchange, struct http_body *body_out,
                                      unsigned *http_status_out, struct reason *reason);
void http_body_free(struct http_body *body);

/* Memory of the connection, for what whoever answers keeps from one of its requests to the next: zeros when it
 * is first asked for, wiped when the connection closes. All ask for the same size. NULL: no memory. */
void *http_exchange_keep(struct http_exchange *exchange, size_t size);

/* The client's address, 16 bytes, IPv4 as ::ffff:a.b.c.d: what trusted proxies say of it, else the
 * peer's. NULL: it has none (a Unix socket). It holds as long as the exchange. */
const unsigned char *http_exchange_client_address(struct http_exchange *exchange);

/* The header's value, empty if it is absent. */
struct slice http_exchange_header(const struct http_exchange *exchange, enum http_header_id id);

#endif
