#include "admin/server.h"

#include <unistd.h>

#include "admin/door.h"
#include "admin/operations.h"
#include "base/alloc.h"
#include "base/assert.h"

#define LISTENERS_MAX 16
#define HEADER_MS     10000
#define IDLE_MS       75000
/* Of all listeners together. The admin socket has its own: who floods a listener locks nobody out. */
#define CONNECTIONS_MAX 1000

struct admin_server {
    struct admin_server_config config;
    struct scratch *scratch;
    struct http_shared *of_socket, *of_listeners;
    struct key_hasher *hasher;
    struct door doors[LISTENERS_MAX];
    unsigned door_count;
};

/* --- Listening --------------------------------------------------------------------------------- */

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
    struct door *door = listener->context;
    http_server_accept(&door->server, fd, peer, door->tls);
}

static struct door *add_door(struct admin_server *server, enum access access)
{
    ASSERT(server->door_count < LISTENERS_MAX);
    struct door *door = &server->doors[server->door_count++];
    const struct http_server_hooks hooks = {
        .handle = api_handle, .refuse = api_refuse, .context = door};
    door->config = &server->config;
    door->hasher = server->hasher;
    door->access = access;
    door->listener.fd = -1;
    timer_init(&door->listener.resume, NULL);
    http_server_init(&door->server, server->config.loop, server->scratch,
                     access == ACCESS_SOCKET ? server->of_socket : server->of_listeners, &hooks);
    door->server.limits = (struct http_server_limits){
        .header_bytes = 16 * 1024,
        .headers = 100,
        .body_bytes = ADMIN_BODY_BYTES_MAX,
        .header_ms = HEADER_MS,
        .body_ms = HEADER_MS,
        .idle_ms = IDLE_MS,
        .write_ms = IDLE_MS,
    };
    return door;
}

static enum status open_tcp(struct admin_server *server, enum access access,
                            const struct config_listener *config, struct reason *reason)
{
    struct address address;
    if (server->door_count == LISTENERS_MAX) {
        reason_set(reason, "more than %d admin and metrics listeners", LISTENERS_MAX - 1);
        return STATUS_LIMITED;
    }
    struct door *door = add_door(server, access);
    door->is_loopback = config_ip_is_loopback(&config->address.ip);
    enum status status = address_parse(config->address.host, config->address.port, &address);
    ASSERT(status == STATUS_OK);
    if (config->certificate.size > 0)
        status = tls_server_context_create(config->certificate.data, config->key.data, &door->tls,
                                           reason);
    if (status == STATUS_OK)
        status = listener_check_free(&address, reason);
    if (status == STATUS_OK)
        status = listener_open_tcp(&door->listener, &address, reason);
    if (status == STATUS_OK)
        status = listener_start(&door->listener, server->config.loop, on_accept, door);
    return status;
}

static enum status open_all(struct admin_server *server, enum access access,
                            const struct config_listeners *listeners, struct reason *reason)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < listeners->count && status == STATUS_OK; i++)
        status = open_tcp(server, access, &listeners->items[i], reason);
    return status;
}

enum status admin_server_open(const struct admin_server_config *config,
                              struct admin_server **server_out, struct reason *reason)
{
    struct admin_server *server = alloc_zeroed(1, sizeof(*server));
    if (server == NULL)
        return STATUS_NO_MEMORY;
    server->config = *config;
    server->scratch = alloc_bytes(sizeof(*server->scratch));
    enum status status = server->scratch != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = http_shared_create(&server->of_socket);
    if (status == STATUS_OK)
        status = http_shared_create(&server->of_listeners);
    if (status == STATUS_OK)
        status = key_hasher_create(config->context->pepper, &server->hasher);
    if (status != STATUS_OK)
        goto fail;
    http_shared_set_max(server->of_listeners, CONNECTIONS_MAX, 0);
    struct door *door = add_door(server, ACCESS_SOCKET);
    status = listener_open_unix(&door->listener, config->socket_path, 0600, reason);
    if (status == STATUS_OK)
        status = listener_start(&door->listener, config->loop, on_accept, door);
    const struct config *settings = config->gateway->snapshot->config;
    if (status == STATUS_OK)
        status = open_all(server, ACCESS_API, &settings->admin.listen, reason);
    if (status == STATUS_OK)
        status = open_all(server, ACCESS_METRICS, &settings->metrics_listen, reason);
    if (status != STATUS_OK)
        goto fail;
    *server_out = server;
    return STATUS_OK;

fail:
    admin_server_destroy(&server);
    return status;
}

void admin_server_close(struct admin_server *server)
{
    for (unsigned i = 0; i < server->door_count; i++) {
        struct door *door = &server->doors[i];
        if (door->access == ACCESS_SOCKET && door->listener.fd >= 0)
            unlink(server->config.socket_path);
        listener_stop(&door->listener);
        http_server_close_after_answers(&door->server);
        http_server_close_idle(&door->server);
    }
}

void admin_server_destroy(struct admin_server **taken)
{
    struct admin_server *server = *taken;
    *taken = NULL;
    if (server == NULL)
        return;
    admin_server_close(server);
    for (unsigned i = 0; i < server->door_count; i++) {
        http_server_fini(&server->doors[i].server);
        tls_context_unref(&server->doors[i].tls);
    }
    http_shared_destroy(&server->of_socket);
    http_shared_destroy(&server->of_listeners);
    key_hasher_destroy(&server->hasher);
    alloc_free(server->scratch);
    alloc_free(server);
}
