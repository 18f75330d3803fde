#include "upstream/endpoint.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "upstream/connect.h"

void upstream_endpoint_init(struct upstream_endpoint *endpoint, struct loop *loop, struct dns *dns,
                            const struct upstream_endpoint_config *config,
                            const struct upstream_endpoint_hooks *hooks, struct upstream_load *load)
{
    *endpoint = (struct upstream_endpoint){
        .config = *config, .hooks = *hooks, .loop = loop, .dns = dns, .load = load};
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

static void take_idle(struct upstream_connection *connection)
{
    list_remove(&connection->node);
    connection->socket.on_idle_event = NULL;
    timer_disarm(&connection->idle_timer);
    count_idle(connection->endpoint, -1);
}

/* It is in no list, and not in use. */
static void close_connection(struct upstream_connection *connection)
{
    struct upstream_endpoint *endpoint = connection->endpoint;
    socket_close(&connection->socket);
    timer_remove(&connection->idle_timer);
    if (endpoint->hooks.on_open != NULL)
        endpoint->hooks.on_open(endpoint->hooks.context, -1);
    endpoint->connection_count--;
    atomic_fetch_sub(&endpoint->load->open, 1);
    alloc_free(connection);
}

static void drop_idle(struct upstream_connection *connection)
{
    take_idle(connection);
    close_connection(connection);
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

/* As many may be in use as the configuration says, of all loops together. */
static enum status enter(struct upstream_endpoint *endpoint, struct reason *reason)
{
    const uint32_t before = atomic_fetch_add(&endpoint->load->in_use, 1);
    if (before < endpoint->config.connections_max)
        return STATUS_OK;
    atomic_fetch_sub(&endpoint->load->in_use, 1);
    reason_set(reason, "%u connections to %s are in use, as many as may be", before,
               endpoint->config.host.data);
    return STATUS_LIMITED;
}

static void leave(struct upstream_endpoint *endpoint)
{
    atomic_fetch_sub(&endpoint->load->in_use, 1);
}

static struct upstream_connection *find_idle(struct upstream_endpoint *endpoint)
{
    while (!list_is_empty(&endpoint->idle)) {
        struct upstream_connection *connection =
            LIST_ENTRY(endpoint->idle.next, struct upstream_connection, node);
        if (socket_is_reusable(&connection->socket)) {
            take_idle(connection);
            connection->is_reused = true;
            return connection;
        }
        drop_idle(connection);
    }
    return NULL;
}

static enum status open_new(struct upstream_endpoint *endpoint,
                            struct upstream_connection **connection_out, struct reason *reason)
{
    struct upstream_connection *connection = alloc_zeroed(1, sizeof(*connection));
    if (connection == NULL) {
        reason_set(reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    connection->endpoint = endpoint;
    list_init(&connection->node);
    timer_init(&connection->idle_timer, on_idle_timeout);
    endpoint->connection_count++; /* before the wait: the endpoint must outlive it */
    atomic_fetch_add(&endpoint->load->open, 1);
    const enum status status = upstream_connect(endpoint, &connection->socket, reason);
    if (status != STATUS_OK) {
        endpoint->connection_count--;
        atomic_fetch_sub(&endpoint->load->open, 1);
        alloc_free(connection);
        return status;
    }
    if (endpoint->hooks.on_open != NULL)
        endpoint->hooks.on_open(endpoint->hooks.context, 1);
    *connection_out = connection;
    return STATUS_OK;
}

enum status upstream_connection_get(struct upstream_endpoint *endpoint, bool fresh,
                                    struct upstream_connection **connection_out,
                                    struct reason *reason)
{
    enum status status = enter(endpoint, reason);
    if (status != STATUS_OK)
        return status;
    struct upstream_connection *connection = fresh ? NULL : find_idle(endpoint);
    if (connection == NULL)
        status = open_new(endpoint, &connection, reason);
    if (status != STATUS_OK) {
        leave(endpoint);
        return status;
    }
    if (endpoint->hooks.on_use != NULL)
        endpoint->hooks.on_use(endpoint->hooks.context, connection->is_reused);
    *connection_out = connection;
    return STATUS_OK;
}

/* Whether it may wait for its next use. */
static bool is_worth_keeping(struct upstream_connection *connection)
{
    const struct upstream_endpoint *endpoint = connection->endpoint;
    return !endpoint->is_retired &&
           atomic_load(&endpoint->load->open) <= endpoint->config.connections_max &&
           socket_is_reusable(&connection->socket);
}

void upstream_connection_put(struct upstream_connection **taken)
{
    struct upstream_connection *connection = *taken;
    struct upstream_endpoint *endpoint = connection->endpoint;
    if (!is_worth_keeping(connection)) {
        upstream_connection_drop(taken);
        return;
    }
    *taken = NULL;
    leave(endpoint);
    connection->socket.on_idle_event = on_idle_event;
    list_push_front(&endpoint->idle, &connection->node);
    count_idle(endpoint, 1);
    timer_arm(loop_timers(endpoint->loop), &connection->idle_timer,
              loop_deadline(endpoint->loop, endpoint->config.idle_ms));
}

void upstream_connection_drop(struct upstream_connection **taken)
{
    struct upstream_connection *connection = *taken;
    *taken = NULL;
    leave(connection->endpoint);
    close_connection(connection);
}
