/* An address where weir calls, with its TLS, and the connections that one loop holds to it.
 *
 * Connections are kept alive and used again, the latest first, while they are younger than
 * `idle_ms` since their last use and untouched by the peer. The loops share the bound on
 * connections through `load`: no more are in use than may be. What one loop keeps idle is in
 * nobody's way: another may open one nevertheless, and while more are open than may be in use,
 * those that come back are closed. So never twice as many are open, and no longer than `idle_ms`.
 * Lifecycle of a connection: upstream_connection_get() → one exchange → upstream_connection_put()
 * if it ended cleanly, else upstream_connection_drop().
 * Thread: the loop's. Memory: the endpoint owns its idle connections; the texts of its config are
 * borrowed for its life.
 *
 * Statuses of upstream_connection_get(): STATUS_OK; STATUS_LIMITED: as many are in use as may be;
 * STATUS_TIMED_OUT, STATUS_CANCELLED, STATUS_NO_MEMORY; STATUS_NOT_FOUND: the name was not
 * resolved; STATUS_CLOSED: refused, or closed by the proxy; STATUS_PROTOCOL: the TLS handshake
 * failed, or the proxy gave no tunnel; STATUS_DENIED: no address of it may be connected to;
 * STATUS_IO: no descriptors. The reason says more in each
 * case. */
#ifndef UPSTREAM_ENDPOINT_H
#define UPSTREAM_ENDPOINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "io/dns.h"
#include "io/loop.h"
#include "io/socket.h"
#include "io/tls.h"

struct upstream_proxy {
    struct slice host; /* size 0: no proxy */
    uint16_t port;
    struct slice authorization; /* "Basic …", or empty */
};

/* Whether an address that was resolved may be connected to; if not, the reason says why. */
typedef bool upstream_may_connect(const void *context, const struct address *address,
                                  struct reason *reason);

struct upstream_endpoint_config {
    struct slice host; /* followed by a zero byte */
    uint16_t port;
    struct tls_context *tls; /* NULL: in the clear. Borrowed */
    struct upstream_proxy proxy;
    uint32_t connections_max;
    uint64_t idle_ms;
    uint64_t connect_ms;               /* for resolving, connecting, the proxy and TLS together */
    upstream_may_connect *may_connect; /* NULL: any */
    const void *may_connect_context;
};

/* For figures; all may be NULL. `change` is 1 or -1. */
struct upstream_endpoint_hooks {
    void (*on_open)(void *context, int change);
    void (*on_idle)(void *context, int change);
    void (*on_use)(void *context, bool is_reused);
    void *context;
};

/* The connections of all loops. Each use writes it, so it shares no cache line with others. */
struct upstream_load {
    char before[64];
    _Atomic uint32_t in_use; /* or being made */
    _Atomic uint32_t open;   /* in use, being made or idle */
    char after[64];
};

struct upstream_endpoint {
    struct upstream_endpoint_config config;
    struct upstream_endpoint_hooks hooks;
    struct loop *loop;
    struct dns *dns;
    struct upstream_load *load; /* borrowed */
    struct list_node idle;      /* the latest used first */
    uint32_t connection_count;  /* of this loop, in use or idle */
    struct tls_session session;
    bool is_retired; /* connections are dropped when they are put back */
};

struct upstream_connection {
    struct socket socket;
    struct timer idle_timer;
    struct list_node node;
    struct upstream_endpoint *endpoint;
    bool is_reused;
};

void upstream_endpoint_init(struct upstream_endpoint *endpoint, struct loop *loop, struct dns *dns,
                            const struct upstream_endpoint_config *config,
                            const struct upstream_endpoint_hooks *hooks,
                            struct upstream_load *load);
/* Closes the idle connections; none may be in use. */
void upstream_endpoint_fini(struct upstream_endpoint *endpoint);
/* Closes the idle connections and from now on those that come back. */
void upstream_endpoint_retire(struct upstream_endpoint *endpoint);

/* An idle connection that looks alive, or a new one; `fresh` wants a new one. */
MUST_CHECK enum status upstream_connection_get(struct upstream_endpoint *endpoint, bool fresh,
                                               struct upstream_connection **connection_out,
                                               struct reason *reason);
/* Both take *connection and set it to NULL. */
void upstream_connection_put(struct upstream_connection **connection);
void upstream_connection_drop(struct upstream_connection **connection);

#endif
