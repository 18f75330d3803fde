#include "http/server.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "http/exchange.h"
#include "http/proxied.h"
#include "http/shared.h"

#define FREE_BLOCKS_MAX 1024

/* --- Blocks ----------------------------------------------------------------------------------- */

void *http_block_take(struct http_server *server)
{
    if (server->free_block_count == 0)
        return alloc_bytes(HTTP_BLOCK_BYTES);
    struct list_node *node = server->free_blocks.next;
    list_remove(node);
    server->free_block_count--;
    return node;
}

void http_block_give(struct http_server *server, void *block)
{
    if (server->free_block_count >= FREE_BLOCKS_MAX) {
        alloc_free(block);
        return;
    }
    struct list_node *node = block;
    list_push_front(&server->free_blocks, node);
    server->free_block_count++;
}

/* --- Birth and death -------------------------------------------------------------------------- */

void http_server_init(struct http_server *server, struct loop *loop, struct scratch *scratch,
                      struct http_shared *shared, const struct http_server_hooks *hooks)
{
    *server =
        (struct http_server){.loop = loop, .scratch = scratch, .shared = shared, .hooks = *hooks};
    http_date_init(&server->date);
    list_init(&server->connections);
    list_init(&server->free_blocks);
}

void http_server_fini(struct http_server *server)
{
    ASSERT(server->connection_count == 0);
    while (server->free_block_count > 0) {
        struct list_node *node = server->free_blocks.next;
        list_remove(node);
        server->free_block_count--;
        alloc_free(node);
    }
}

static void leave(struct http_server *server, const struct address *peer, bool counts_address)
{
    if (counts_address)
        http_shared_leave(server->shared, peer);
    else
        http_shared_leave_proxy(server->shared);
}

static void connection_close(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    socket_close(&connection->socket);
    timer_remove(&connection->idle);
    list_remove(&connection->node);
    server->connection_count--;
    leave(server, &connection->peer, connection->counts_address);
    if (server->hooks.on_connection != NULL)
        server->hooks.on_connection(-1, server->hooks.context);
    tls_context_unref(&connection->context);
    if (connection->kept != NULL)
        explicit_bzero(connection->kept, connection->kept_bytes);
    alloc_free(connection->kept);
    alloc_free(connection->pending);
    alloc_free(connection);
}

static void turn_away(struct http_server *server, enum http_turned_away why)
{
    if (server->hooks.on_turned_away != NULL)
        server->hooks.on_turned_away(why, server->hooks.context);
}

/* Says so to those that are turned away, as far as that can be done without waiting. */
static void say_overloaded(int fd)
{
    static const char body[] =
        "{\"error\":{\"message\":\"The gateway holds as many connections as it "
        "may; try again shortly.\",\"type\":\"server_error\","
        "\"param\":null,\"code\":\"overloaded\"}}";
    char answer[512];
    const int size =
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\nRetry-After: 1\r\nConnection: close\r\n\r\n%s",
                 sizeof(body) - 1, body);
    if (send(fd, answer, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        shutdown(fd, SHUT_WR);
}

/* --- The connection's task -------------------------------------------------------------------- */

static bool do_handshake(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct reason reason;
    struct tls_context *context = connection->context;
    connection->context = NULL;
    const uint64_t deadline_ms = loop_deadline(server->loop, server->limits.header_ms);
    const enum status status = tls_accept(&connection->socket, context, deadline_ms, &reason);
    tls_context_unref(&context);
    if (status == STATUS_OK)
        return true;
    turn_away(server, HTTP_TURNED_AWAY_TLS);
    return false;
}

static bool hear_proxy(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct reason reason;
    connection->may_be_proxied = false;
    const enum status status = http_proxied_begin(connection, &reason);
    if (status == STATUS_LIMITED) {
        turn_away(server, HTTP_TURNED_AWAY_ADDRESS);
        if (connection->context == NULL)
            say_overloaded(connection->socket.fd);
    } else if (status == STATUS_PROTOCOL) {
        turn_away(server, HTTP_TURNED_AWAY_PROXY);
        if (server->hooks.on_proxy_fault != NULL)
            server->hooks.on_proxy_fault(&connection->peer, reason.text, server->hooks.context);
    }
    return status == STATUS_OK;
}

/* What comes before the first request. */
static bool begin(struct http_connection *connection)
{
    if (connection->may_be_proxied && !hear_proxy(connection))
        return false;
    return connection->context == NULL || do_handshake(connection);
}

/* Runs exchanges until the input is used up. A stop leaves a connection that has not yet had an
 * answer open for its first request. */
static void connection_run(void *argument)
{
    struct http_connection *connection = argument;
    struct http_server *server = connection->server;
    bool goes_on = begin(connection), has_answered = false;
    while (goes_on && (connection->pending_size > 0 || socket_would_read(&connection->socket))) {
        goes_on = http_exchange_run(connection);
        has_answered = true;
    }
    if (!goes_on || (server->is_closing && has_answered && connection->pending_size == 0)) {
        connection_close(connection);
        return;
    }
    connection->is_busy = false;
    timer_arm(loop_timers(server->loop), &connection->idle,
              loop_deadline(server->loop, server->limits.idle_ms));
}

static void on_input(struct socket *socket)
{
    struct http_connection *connection = LIST_ENTRY(socket, struct http_connection, socket);
    if (connection->is_busy)
        return;
    connection->is_busy = true;
    if (task_spawn(connection->server->loop, connection_run, connection) != STATUS_OK) {
        turn_away(connection->server, HTTP_TURNED_AWAY_MEMORY);
        connection_close(connection);
    }
}

static void on_idle_timeout(struct timer *timer)
{
    struct http_connection *connection = LIST_ENTRY(timer, struct http_connection, idle);
    if (!connection->is_busy)
        connection_close(connection);
}

/* --- Accepting -------------------------------------------------------------------------------- */

static void reject(struct http_server *server, int fd, bool is_tls, enum http_turned_away why)
{
    turn_away(server, why);
    if (!is_tls)
        say_overloaded(fd);
    close(fd);
}

static bool is_trusted(const struct http_server *server, const struct address *peer)
{
    unsigned char bytes[16];
    return server->trusted_proxies.count > 0 && address_to_bytes(peer, bytes) &&
           http_trust_contains(&server->trusted_proxies, bytes);
}

/* A trusted proxy's connection counts for its client's address, once that is known. */
static bool enter(struct http_server *server, int fd, const struct address *peer, bool is_proxy,
                  bool is_tls)
{
    const enum http_entry entry = is_proxy ? http_shared_enter_proxy(server->shared)
                                           : http_shared_enter(server->shared, peer);
    if (entry == HTTP_ENTRY_OK)
        return true;
    reject(server, fd, is_tls,
           entry == HTTP_ENTRY_ADDRESS_FULL ? HTTP_TURNED_AWAY_ADDRESS
                                            : HTTP_TURNED_AWAY_CONNECTIONS);
    return false;
}

static void connection_begin(struct http_server *server, struct http_connection *connection)
{
    connection->server = server;
    connection->socket.on_idle_event = on_input;
    timer_init(&connection->idle, on_idle_timeout);
    timer_arm(loop_timers(server->loop), &connection->idle,
              loop_deadline(server->loop, server->limits.idle_ms));
    list_push_back(&server->connections, &connection->node);
    server->connection_count++;
    if (server->hooks.on_connection != NULL)
        server->hooks.on_connection(1, server->hooks.context);
}

void http_server_accept(struct http_server *server, int fd, const struct address *peer,
                        struct tls_context *context)
{
    const bool is_proxy = is_trusted(server, peer);
    if (!enter(server, fd, peer, is_proxy, context != NULL))
        return;
    struct http_connection *connection = alloc_zeroed(1, sizeof(*connection));
    if (connection == NULL || socket_open(&connection->socket, server->loop, fd) != STATUS_OK) {
        if (connection == NULL)
            close(fd);
        alloc_free(connection);
        leave(server, peer, !is_proxy);
        turn_away(server, HTTP_TURNED_AWAY_MEMORY);
        return;
    }
    connection->context = context != NULL ? tls_context_ref(context) : NULL;
    connection->peer = *peer;
    connection->may_be_proxied = is_proxy;
    connection->counts_address = !is_proxy;
    connection_begin(server, connection);
}

/* --- Closing ---------------------------------------------------------------------------------- */

void http_server_close_after_answers(struct http_server *server)
{
    server->is_closing = true;
}

void http_server_close_idle(struct http_server *server)
{
    struct list_node *next;
    for (struct list_node *at = server->connections.next; at != &server->connections; at = next) {
        struct http_connection *connection = LIST_ENTRY(at, struct http_connection, node);
        next = at->next;
        if (!connection->is_busy)
            connection_close(connection);
    }
}

void http_server_close_all(struct http_server *server)
{
    http_server_close_after_answers(server);
    http_server_close_idle(server);
    for (struct list_node *at = server->connections.next; at != &server->connections;
         at = at->next) {
        struct http_connection *connection = LIST_ENTRY(at, struct http_connection, node);
        connection->socket.was_reset = true;
        shutdown(connection->socket.fd, SHUT_RDWR);
    }
}
