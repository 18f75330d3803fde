#include "admin/server.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/operations.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "gateway/error.h"
#include "http/answer.h"
#include "http/body_memory.h"
#include "http/exchange.h"
#include "io/coroutine.h"

#define LISTENERS_MAX     16
#define METRICS_BYTES_MAX ((size_t)64 << 20)
#define HEADER_MS         10000
#define IDLE_MS           75000
#define ACTOR_BYTES       24

/* What a listener gives access to. */
enum access {
    ACCESS_SOCKET,  /* everything: whoever can open the file is the administrator */
    ACCESS_METRICS, /* /metrics */
};

struct door {
    struct listener listener;
    struct http_server server;
    struct admin_server *owner;
    enum access access;
    struct tls_context *tls;
};

struct admin_server {
    struct admin_server_config config;
    struct scratch *scratch;
    struct http_shared *shared;
    struct door doors[LISTENERS_MAX];
    unsigned door_count;
};

/* --- Metrics ---------------------------------------------------------------------------------- */

struct scrape {
    struct gateway *gateway;
    uint64_t now_ns;
    struct buffer text;
    enum status status;
};

static struct metrics_ledger ledger_metrics(const struct ledger *ledger)
{
    struct ledger_figures figures;
    if (ledger == NULL)
        return (struct metrics_ledger){0};
    ledger_figures(ledger, &figures);
    return (struct metrics_ledger){
        .journal_bytes = figures.keeper.segment_bytes_total,
        .undrained_bytes = figures.keeper.undrained_bytes,
        .records = figures.keeper.appended_records,
        .records_lost = figures.drain.records_lost,
        .rows = figures.drain.rows + figures.drain.recovered_rows,
        .batches = figures.drain.batches,
        .orphans = figures.drain.orphans,
        .failures = figures.drain.failures,
        .syncs = figures.keeper.syncs,
        .sync_failures = figures.keeper.sync_failures,
        .sync_longest_ns = figures.keeper.sync_longest_us * 1000,
        .drain_cpu_ns = figures.drain.busy_ns,
        .open_requests = figures.drain.open_requests,
        .is_full = figures.keeper.is_full,
        .has_failed = figures.keeper.has_failed,
        .store_has_failed = figures.drain.has_failed,
    };
}

static void render_metrics(void *argument)
{
    struct scrape *scrape = argument;
    struct log_stats stats;
    log_stats(scrape->gateway->log, &stats);
    const struct metrics_scrape known = {
        .now_ns = scrape->now_ns,
        .body_memory_bytes = body_memory_used(),
        .coroutine_stacks = coroutine_count(),
        .log_dropped = stats.dropped_records,
        .log_written = stats.written_records,
        .log_lost_bytes = stats.lost_bytes,
        .ledger = ledger_metrics(scrape->gateway->ledger),
    };
    scrape->status = metrics_render(scrape->gateway->metrics, &known, &scrape->text);
}

static void answer_text(struct http_exchange *exchange, unsigned http_status, struct slice type,
                        struct slice body)
{
    http_answer_begin(exchange, http_status);
    http_answer_header(exchange, SLICE("content-type"), type);
    /* The client may be gone; then nobody is left to tell. */
    const enum status status = http_answer_send(exchange, body);
    (void)status;
}

static void answer_metrics(struct door *door, struct http_exchange *exchange)
{
    const struct admin_server_config *config = &door->owner->config;
    struct scrape scrape = {.gateway = config->gateway, .now_ns = loop_now_ns(config->loop)};
    buffer_init(&scrape.text, METRICS_BYTES_MAX);
    scrape.status = STATUS_LIMITED;
    const enum status status = service_call(config->metrics, config->loop, render_metrics, &scrape);
    if (status == STATUS_OK && scrape.status == STATUS_OK)
        answer_text(exchange, 200, SLICE("text/plain; version=0.0.4; charset=utf-8"),
                    buffer_slice(&scrape.text));
    else
        answer_text(exchange, 503, SLICE("text/plain"), SLICE("out of memory\n"));
    buffer_fini(&scrape.text);
}

/* --- Operations ------------------------------------------------------------------------------- */

struct operation {
    struct admin_context *context;
    struct snapshot *snapshot; /* that was in force when it came */
    bool have_prices_changed;
    struct slice method, path, body;
    struct slice actor;
    struct buffer answer;
    unsigned http_status;
};

static void operate(void *argument)
{
    struct operation *operation = argument;
    struct admin_context *context = operation->context;
    const struct slice own = context->actor;
    context->actor = operation->actor;
    context->snapshot = operation->snapshot;
    operation->http_status = admin_operate(context, operation->method, operation->path,
                                           operation->body, &operation->answer);
    context->actor = own;
    context->snapshot = NULL;
    operation->have_prices_changed = context->have_prices_changed;
    context->have_prices_changed = false;
}

/* Who is at the other end of the socket. */
static struct slice actor_of(const struct http_exchange *exchange, char text[ACTOR_BYTES])
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(exchange->connection->socket.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return SLICE("admin.sock");
    return slice_of(text, (size_t)snprintf(text, ACTOR_BYTES, "uid=%u", peer.uid));
}

static void answer_operation(struct door *door, struct http_exchange *exchange)
{
    const struct admin_server_config *config = &door->owner->config;
    struct http_body body;
    struct reason reason;
    unsigned http_status;
    if (http_body_read(exchange, &body, &http_status, &reason) != STATUS_OK) {
        if (http_status != 0)
            answer_text(exchange, http_status, SLICE("text/plain"), slice_from_text(reason.text));
        return;
    }
    char actor[ACTOR_BYTES];
    struct operation operation = {
        .context = config->context,
        .snapshot = snapshot_ref(config->gateway->snapshot),
        .actor = actor_of(exchange, actor),
        .method = exchange->head.method_text,
        .path = exchange->head.target,
        .body = body.bytes,
        .http_status = 503,
    };
    buffer_init(&operation.answer, ADMIN_ANSWER_BYTES_MAX);
    const enum status status = service_call(config->store, config->loop, operate, &operation);
    const bool is_problem = status != STATUS_OK || operation.http_status >= 400;
    if (operation.have_prices_changed)
        config->follow_prices(config->owner);
    answer_text(exchange, operation.http_status,
                is_problem ? SLICE("application/problem+json") : SLICE("application/json"),
                buffer_slice(&operation.answer));
    buffer_fini(&operation.answer);
    http_body_free(&body);
    snapshot_unref(&operation.snapshot);
}

/* --- Dispatch --------------------------------------------------------------------------------- */

static void handle(struct http_exchange *exchange, void *context)
{
    struct door *door = context;
    const bool is_read =
        exchange->head.method == HTTP_METHOD_GET || exchange->head.method == HTTP_METHOD_HEAD;
    if (slice_equal(exchange->head.path, SLICE("/metrics")) && is_read)
        answer_metrics(door, exchange);
    else if (door->access == ACCESS_SOCKET)
        answer_operation(door, exchange);
    else
        answer_text(exchange, 404, SLICE("text/plain"), SLICE("There is /metrics here.\n"));
}

static void refuse(struct http_exchange *exchange, unsigned http_status, const char *reason,
                   void *context)
{
    (void)context;
    answer_text(exchange, http_status, SLICE("text/plain"), slice_from_text(reason));
}

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
    const struct http_server_hooks hooks = {.handle = handle, .refuse = refuse, .context = door};
    door->owner = server;
    door->access = access;
    door->listener.fd = -1;
    timer_init(&door->listener.resume, NULL);
    http_server_init(&door->server, server->config.loop, server->scratch, server->shared, &hooks);
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

static enum status open_tcp(struct admin_server *server, const struct config_listener *config,
                            struct reason *reason)
{
    struct address address;
    if (server->door_count == LISTENERS_MAX) {
        reason_set(reason, "more than %d admin and metrics listeners", LISTENERS_MAX - 1);
        return STATUS_LIMITED;
    }
    struct door *door = add_door(server, ACCESS_METRICS);
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

static enum status open_all(struct admin_server *server, const struct config_listeners *listeners,
                            struct reason *reason)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < listeners->count && status == STATUS_OK; i++)
        status = open_tcp(server, &listeners->items[i], reason);
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
        status = http_shared_create(&server->shared);
    if (status != STATUS_OK)
        goto fail;
    struct door *door = add_door(server, ACCESS_SOCKET);
    status = listener_open_unix(&door->listener, config->socket_path, 0600, reason);
    if (status == STATUS_OK)
        status = listener_start(&door->listener, config->loop, on_accept, door);
    const struct config *settings = config->gateway->snapshot->config;
    if (status == STATUS_OK)
        status = open_all(server, &settings->admin.listen, reason);
    if (status == STATUS_OK)
        status = open_all(server, &settings->metrics_listen, reason);
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
    http_shared_destroy(&server->shared);
    alloc_free(server->scratch);
    alloc_free(server);
}
