/* The server side of HTTP/1.1: connections, and the requests that come over them.
 *
 * Lifecycle of a connection: accepted → idle ⇄ busy → closed. Idle, it has no task and no buffer:
 * the struct below and its place in the loop's epoll set are all there is. When bytes come, a task
 * reads what a trusted proxy says of the client, does the TLS handshake, both once, and then runs
 * one exchange after another until the input is used up. Each exchange is read, handed to
 * `handle` and finished (http/exchange.h, http/answer.h).
 *
 * Limits on time: from the first byte of a head to its end `header_ms`; the TLS handshake the
 * same; between requests `idle_ms`; a client that takes nothing of its answer `write_ms`.
 * Thread: one loop's. Memory: a server owns its connections. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/status.h"
#include "http/client_address.h"
#include "http/date.h"
#include "http/scratch.h"
#include "io/address.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/socket.h"
#include "io/tls.h"

struct http_exchange;
struct http_server;

/* Bounds that all loops of a process share. */
struct http_shared;
MUST_CHECK enum status http_shared_create(struct http_shared **shared_out);
void http_shared_destroy(struct http_shared **shared);
/* At start and again by a reload; 0 connections per address: no bound. */
void http_shared_set_max(struct http_shared *shared, uint32_t connections,
                         uint32_t connections_per_address);

struct http_server_limits {
    size_t header_bytes; /* at most SCRATCH_READ_BYTES / 2 */
    unsigned headers;
    uint64_t body_bytes;
    uint64_t header_ms, body_ms, idle_ms, write_ms;
};

/* Why a connection was turned away. */
enum http_turned_away {
    HTTP_TURNED_AWAY_CONNECTIONS,
    HTTP_TURNED_AWAY_ADDRESS,
    HTTP_TURNED_AWAY_TLS,
    HTTP_TURNED_AWAY_MEMORY,
    HTTP_TURNED_AWAY_PROXY,
};

struct http_server_hooks {
    /* Answers the exchange; runs in the connection's task and may wait. */
    void (*handle)(struct http_exchange *exchange, void *context);
    /* Answers a request that cannot be handled: malformed, too large, too slow. `http_status` is
     * what to say, `reason` why. The connection is closed afterwards. */
    void (*refuse)(struct http_exchange *exchange, unsigned http_status, const char *reason,
                   void *context);
    /* For figures; may be NULL. */
    void (*on_connection)(int change, void *context);
    void (*on_turned_away)(enum http_turned_away why, void *context);
    /* A trusted proxy sent a malformed header: told beside HTTP_TURNED_AWAY_PROXY; may be NULL. */
    void (*on_proxy_fault)(const struct address *proxy, const char *reason, void *context);
    void *context;
};

struct http_server {
    struct loop *loop;
    struct scratch *scratch; /* the loop's; borrowed */
    struct http_date date;
    struct http_server_hooks hooks;
    struct http_server_limits limits; /* may be changed between turns, as the next */
    struct http_trust trusted_proxies;
    struct http_shared *shared;
    bool is_closing; /* each answer says so, and its connection ends with it */
    struct list_node connections;
    uint32_t connection_count;
    struct list_node free_blocks; /* of exchanges */
    unsigned free_block_count;
};

void http_server_init(struct http_server *server, struct loop *loop, struct scratch *scratch,
                      struct http_shared *shared, const struct http_server_hooks *hooks);
/* All connections are closed by now. */
void http_server_fini(struct http_server *server);

/* Serves a connected descriptor, over TLS if `context` is not NULL. */
void http_server_accept(struct http_server *server, int fd, const struct address *peer,
                        struct tls_context *context);

/* From now on every answer closes its connection. */
void http_server_close_after_answers(struct http_server *server);
/* Closes the idle connections. */
void http_server_close_idle(struct http_server *server);
/* Closes all: a busy one's task is cancelled, and finds its socket shut down. */
void http_server_close_all(struct http_server *server);

/* --- For the rest of http/ --- */

struct http_connection {
    struct socket socket;
    struct timer idle;
    struct list_node node;
    struct http_server *server;
    struct tls_context *context; /* of the handshake that is still to be done */
    struct address peer;         /* or for whom a trusted proxy says that it calls */
    bool is_busy;
    bool may_be_proxied; /* a trusted proxy opened it, and nothing of it was read */
    bool counts_address; /* it is counted for its peer's address */
    /* Bytes of the next request, read with the last one. */
    char *pending;
    size_t pending_size;
    /* What whoever answers keeps between the requests (http_exchange_keep()). */
    void *kept;
    size_t kept_bytes;
};

/* Memory of HTTP_BLOCK_BYTES from the server's stock, or NULL. */
#define HTTP_BLOCK_BYTES 4096
void *http_block_take(struct http_server *server);
void http_block_give(struct http_server *server, void *block);

#endif
