/* What the control thread serves: the admin API on the admin socket and on its listeners, and /metrics.
 *
 * Operations run on the store's service thread, one after another; metrics are rendered on another one.
 * A request for the API writes one line to the access log.
 * Thread: the control loop's. */
#ifndef ADMIN_SERVER_H
#define ADMIN_SERVER_H

#include "admin/context.h"
#include "base/reason.h"
#include "base/status.h"
#include "gateway/gateway.h"
#include "io/loop.h"
#include "io/service.h"

struct admin_server;

struct admin_server_config {
    struct loop *loop;
    struct gateway *gateway;
    struct admin_context *context; /* used on `store` only */
    struct service *store;
    struct service *metrics;
    struct log_producer *log; /* the control thread's */
    const char *socket_path;  /* outlives the server */
    /* What the store adds to the configuration has changed: called in a coroutine, before the change is
     * answered. */
    void (*follow_store)(void *owner);
    void *owner;
};

/* Listens. Statuses of listener_open_tcp() and listener_open_unix(), with their reasons. */
MUST_CHECK enum status admin_server_open(const struct admin_server_config *config,
                                         struct admin_server **server_out, struct reason *reason);
/* Stops listening and closes the connections; busy ones end when their operation does. */
void admin_server_close(struct admin_server *server);
void admin_server_destroy(struct admin_server **server);

#endif
