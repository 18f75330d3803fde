#include "upstream/endpoint.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "upstream/connect.h"

void upstream_endpoint_init(struct upstream_endpoint *endpoint, struct loop *loop, struct dns *dns,
                            const struct upstream_endpoint_config *config,
                            const struct upstream_endpoint_hooks *hooks,
                            _Atomic uint32_t *open_count)
{
    *endpoint = (struct upstream_endpoint){
        .config = *config, .hooks = *hooks, .loop = loop, .dns = dns, .open_count = open_count};
    list_init(&endpoint->idle);
}

void upstream_endpoint_fini(struct upstream_endpoint *endpoint)
{
    upstream_endpoint_retire(endpoint);
    ASSERT(endpoint->connection_count == 0);
    tls_session_fini(&endpoint->session);
}

static void count_idle(struct upstream_endpoint *endpoint, int change)
{
    if (endpoint->hooks.on_idle != NULL)
        endpoint->hooks.on_idle(endpoint->hooks.context, change);
}

static struct upstream_connection *take_idle(struct upstream_connection *connection)
{
    list_remove(&connection->node);
    connection->socket.on_idle_event = NULL;
    timer_disarm(&connection->idle_timer);
    count_idle(connection->endpoint, -1);
    return connection;
}

static void drop_idle(struct upstream_connection *connection)
{
    take_idle(connection);
    upstream_connection_drop(&connection);
}

void upstream_endpoint_retire(struct upstream_endpoint *endpoint)
{
    endpoint->is_retired = true;
    while (!list_is_empty(&endpoint->idle))
        drop_idle(LIST_ENTRY(endpoint->idle.next, struct upstream_connection, node));
}

/* --- While a connection is idle --------------------------------------------------------------- */

static void on_idle_timeout(struct timer *timer)
{
    struct upstream_connection *connection =
        LIST_ENTRY(timer, struct upstream_connection, idle_timer);
    if (!list_is_empty(&connection->node))
        drop_idle(connection);
}

static void on_idle_event(struct socket *socket)
{
    if (!socket_is_reusable(socket))
        drop_idle(LIST_ENTRY(socket, struct upstream_connection, socket));
}

/* --- Getting and putting back ------------------------------------------------------------------ */

static enum status open_new(struct upstream_endpoint *endpoint,
                            struct upstream_connection **connection_out, struct reason *reason)
{
    const uint32_t before = atomic_fetch_add(endpoint->open_count, 1);
    enum status status = STATUS_LIMITED;
    struct upstream_connection *connection = NULL;
    if (before >= endpoint->config.connections_max) {
        reason_set(reason, "%u connections to %s are open, as many as may be", before,
                   endpoint->config.host.data);
        goto fail;
    }
    connection = alloc_zeroed(1, sizeof(*connection));
    status = STATUS_NO_MEMORY;
    if (connection == NULL)
        goto fail;
    connection->endpoint = endpoint;
    list_init(&connection->node);
    timer_init(&connection->idle_timer, on_idle_timeout);
    endpoint->connection_count++; /* before the wait: the endpoint must outlive it */
    status = upstream_connect(endpoint, &connection->socket, reason);
    if (status != STATUS_OK) {
        endpoint->connection_count--;
        goto fail;
    }
    if (endpoint->hooks.on_open != NULL)
        endpoint->hooks.on_open(endpoint->hooks.context, 1);
    *connection_out = connection;
    return STATUS_OK;

fail:
    atomic_fetch_sub(endpoint->open_count, 1);
    alloc_free(connection);
    return status;
}

enum status upstream_connection_get(struct upstream_endpoint *endpoint, bool fresh,
                                    struct upstream_connection **connection_out,
                                    struct reason *reason)
{
    while (!fresh && !list_is_empty(&endpoint->idle)) {
        struct upstream_connection *connection =
            take_idle(LIST_ENTRY(endpoint->idle.next, struct upstream_connection, node));
        if (!socket_is_reusable(&connection->socket)) {
            upstream_connection_drop(&connection);
            continue;
        }
        connection->is_reused = true;
        *connection_out = connection;
        if (endpoint->hooks.on_use != NULL)
            endpoint->hooks.on_use(endpoint->hooks.context, true);
        return STATUS_OK;
    }
    const enum status status = open_new(endpoint, connection_out, reason);
    if (status == STATUS_OK && endpoint->hooks.on_use != NULL)
        endpoint->hooks.on_use(endpoint->hooks.context, false);
    return status;
}

void upstream_connection_put(struct upstream_connection **taken)
{
    struct upstream_connection *connection = *taken;
    struct upstream_endpoint *endpoint = connection->endpoint;
    if (endpoint->is_retired || !socket_is_reusable(&connection->socket)) {
        upstream_connection_drop(taken);
        return;
    }
    *taken = NULL;
    connection->socket.on_idle_event = on_idle_event;
    list_push_front(&endpoint->idle, &connection->node);
    count_idle(endpoint, 1);
    timer_arm(loop_timers(endpoint->loop), &connection->idle_timer,
              loop_deadline(endpoint->loop, endpoint->config.idle_ms));
}

void upstream_connection_drop(struct upstream_connection **taken)
{
    struct upstream_connection *connection = *taken;
    struct upstream_endpoint *endpoint = connection->endpoint;
    *taken = NULL;
    socket_close(&connection->socket);
    timer_remove(&connection->idle_timer);
    if (endpoint->hooks.on_open != NULL)
        endpoint->hooks.on_open(endpoint->hooks.context, -1);
    endpoint->connection_count--;
    atomic_fetch_sub(endpoint->open_count, 1);
    alloc_free(connection);
}
