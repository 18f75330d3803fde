#include "gateway/worker.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/promptness.h"
#include "gateway/dispatch.h"
#include "gateway/gateway.h"

#define PROXY_FAULT_MS 1000 /* between two lines of the log */

/* --- Calling upstream ------------------------------------------------------------------------- */

static void shift(metric_cell *gauge, int change)
{
    metric_add(gauge, (uint64_t)(int64_t)change);
}

static struct metrics_provider *metrics_of(const struct target_endpoint *endpoint)
{
    return &endpoint->worker->metrics->providers[endpoint->provider->metrics_index];
}

static void on_upstream_open(void *context, int change)
{
    shift(&metrics_of(context)->connections_open, change);
}

static void on_upstream_idle(void *context, int change)
{
    shift(&metrics_of(context)->connections_idle, change);
}

static void on_upstream_use(void *context, bool is_reused)
{
    struct metrics_provider *metrics = metrics_of(context);
    metric_add(is_reused ? &metrics->connections_reused : &metrics->connections_created, 1);
}

static void endpoint_init(struct worker *worker, struct target_endpoint *endpoint,
                          const struct snapshot *snapshot, struct provider *provider)
{
    const struct upstream_endpoint_config upstream = snapshot_endpoint(snapshot, provider);
    const struct upstream_endpoint_hooks hooks = {on_upstream_open, on_upstream_idle,
                                                  on_upstream_use, endpoint};
    endpoint->provider = provider;
    endpoint->worker = worker;
    upstream_endpoint_init(&endpoint->upstream, worker->loop, worker->dns, &upstream, &hooks,
                           &provider->load);
}

static enum status calling_create(struct worker *worker, struct snapshot *snapshot,
                                  struct calling **calling_out)
{
    const size_t count = snapshot->config->provider_count;
    struct calling *calling = alloc_zeroed(1, sizeof(*calling));
    if (calling == NULL)
        return STATUS_NO_MEMORY;
    calling->endpoints = alloc_zeroed(count + 1, sizeof(*calling->endpoints));
    if (calling->endpoints == NULL) {
        alloc_free(calling);
        return STATUS_NO_MEMORY;
    }
    calling->snapshot = snapshot_ref(snapshot);
    for (size_t i = 0; i < count; i++)
        endpoint_init(worker, &calling->endpoints[i], snapshot, &snapshot->providers[i]);
    *calling_out = calling;
    return STATUS_OK;
}

static void calling_destroy(struct calling *calling)
{
    if (calling == NULL)
        return;
    ASSERT(calling->request_count == 0);
    for (size_t i = 0; i < calling->snapshot->config->provider_count; i++)
        upstream_endpoint_fini(&calling->endpoints[i].upstream);
    snapshot_unref(&calling->snapshot);
    alloc_free(calling->endpoints);
    alloc_free(calling);
}

static void calling_retire(struct calling *calling)
{
    calling->is_former = true;
    for (size_t i = 0; i < calling->snapshot->config->provider_count; i++)
        upstream_endpoint_retire(&calling->endpoints[i].upstream);
    if (calling->request_count == 0)
        calling_destroy(calling);
}

struct calling *calling_enter(struct worker *worker)
{
    worker->calling->request_count++;
    return worker->calling;
}

void calling_leave(struct worker *worker, struct calling *calling)
{
    if (--calling->request_count > 0 || !calling->is_former)
        return;
    pricing_clear(&worker->pricing); /* it may name the snapshot's providers */
    calling_destroy(calling);
}

/* --- Listeners -------------------------------------------------------------------------------- */

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
    const struct worker_listener *own = listener->context;
    metric_add(&own->worker->metrics->connections_accepted, 1);
    http_server_accept(&own->worker->server, fd, peer, own->tls);
}

static void close_listener(struct worker_listener *listener)
{
    listener_stop(&listener->listener);
    list_remove(&listener->node);
    tls_context_unref(&listener->tls);
    alloc_free(listener);
}

static struct worker_listener *find_listener(struct worker *worker, const struct address *address)
{
    for (struct list_node *at = worker->listeners.next; at != &worker->listeners; at = at->next) {
        struct worker_listener *listener = LIST_ENTRY(at, struct worker_listener, node);
        if (listener->address.size == address->size &&
            memcmp(&listener->address.socket, &address->socket, address->size) == 0)
            return listener;
    }
    return NULL;
}

static enum status open_listener(struct worker *worker, const struct address *address,
                                 struct tls_context *tls, struct reason *reason)
{
    struct worker_listener *listener = alloc_zeroed(1, sizeof(*listener));
    if (listener == NULL)
        return STATUS_NO_MEMORY;
    list_init(&listener->node);
    listener->worker = worker;
    listener->address = *address;
    listener->tls = tls != NULL ? tls_context_ref(tls) : NULL;
    enum status status = listener_open_tcp(&listener->listener, address, reason);
    if (status == STATUS_OK)
        status = listener_start(&listener->listener, worker->loop, on_accept, listener);
    if (status != STATUS_OK) {
        close_listener(listener);
        return status;
    }
    list_push_back(&worker->listeners, &listener->node);
    return STATUS_OK;
}

static bool is_wanted(const struct snapshot *snapshot, const struct worker_listener *listener)
{
    for (size_t i = 0; i < snapshot->config->listen.count; i++) {
        const struct address *address = &snapshot->listeners[i].address;
        if (address->size == listener->address.size &&
            memcmp(&address->socket, &listener->address.socket, address->size) == 0)
            return true;
    }
    return false;
}

static void close_unwanted(struct worker *worker, const struct snapshot *snapshot)
{
    struct list_node *next;
    for (struct list_node *at = worker->listeners.next; at != &worker->listeners; at = next) {
        struct worker_listener *listener = LIST_ENTRY(at, struct worker_listener, node);
        next = at->next;
        if (snapshot == NULL || !is_wanted(snapshot, listener))
            close_listener(listener);
    }
}

static void take_certificates(struct worker *worker, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->config->listen.count; i++) {
        const struct snapshot_listener *wanted = &snapshot->listeners[i];
        struct worker_listener *open = find_listener(worker, &wanted->address);
        tls_context_unref(&open->tls);
        open->tls = wanted->tls != NULL ? tls_context_ref(wanted->tls) : NULL;
    }
}

/* Opens what is missing; keeps what is open and wanted, with the snapshot's certificate; closes
 * the rest. On another status than STATUS_OK all is as it was. */
static enum status follow_listeners(struct worker *worker, const struct snapshot *snapshot,
                                    struct reason *reason)
{
    for (size_t i = 0; i < snapshot->config->listen.count; i++) {
        const struct snapshot_listener *wanted = &snapshot->listeners[i];
        if (find_listener(worker, &wanted->address) != NULL)
            continue;
        const enum status status = open_listener(worker, &wanted->address, wanted->tls, reason);
        if (status != STATUS_OK) {
            close_unwanted(worker, worker->calling != NULL ? worker->calling->snapshot : NULL);
            return status;
        }
    }
    take_certificates(worker, snapshot);
    close_unwanted(worker, snapshot);
    return STATUS_OK;
}

/* --- Following a snapshot ---------------------------------------------------------------------- */

static void apply_limits(struct worker *worker, const struct config *config)
{
    worker->server.limits = (struct http_server_limits){
        .header_bytes = config->transport.header_bytes,
        .headers = config->transport.headers,
        .body_bytes = config->transport.body_bytes,
        .header_ms = config->timeouts.header_ms,
        .body_ms = config->timeouts.body_ms,
        .idle_ms = config->timeouts.idle_ms,
        .write_ms = config->timeouts.idle_ms,
    };
    worker->server.trusted_proxies =
        (struct http_trust){config->trusted_proxies.items, config->trusted_proxies.count};
}

static void drop_lists(struct worker *worker)
{
    for (size_t i = 0; i < worker->list_count; i++)
        models_list_unref(&worker->lists[i]);
    alloc_free(worker->lists);
    worker->lists = NULL;
    worker->list_count = 0;
}

/* Does all of it or, on another status than STATUS_OK, keeps the former snapshot. */
static enum status follow(struct worker *worker, struct snapshot *snapshot, struct reason *reason)
{
    const size_t count = snapshot->config->provider_count;
    struct calling *calling;
    struct models_list **lists = alloc_zeroed(count + 1, sizeof(struct models_list *));
    if (lists == NULL)
        return STATUS_NO_MEMORY;
    enum status status = calling_create(worker, snapshot, &calling);
    if (status == STATUS_OK) {
        status = follow_listeners(worker, snapshot, reason);
        if (status != STATUS_OK)
            calling_destroy(calling);
    }
    if (status != STATUS_OK) {
        alloc_free(lists);
        return status;
    }
    apply_limits(worker, snapshot->config);
    pricing_clear(&worker->pricing);
    if (worker->calling != NULL)
        calling_retire(worker->calling);
    worker->calling = calling;
    drop_lists(worker);
    worker->lists = lists;
    worker->list_count = count;
    return STATUS_OK;
}

/* --- From the control thread ------------------------------------------------------------------- */

static void deliver_snapshot(struct loop_message *message)
{
    struct worker *worker = LIST_ENTRY(message, struct worker, orders.snapshot_message);
    struct snapshot *snapshot = atomic_exchange(&worker->orders.snapshot, NULL);
    struct reason reason = {"out of memory"};
    if (follow(worker, snapshot, &reason) != STATUS_OK)
        log_write(worker->log, LOG_LEVEL_ERROR, "reload",
                  "worker %u stays with the former configuration: %s", worker->index, reason.text);
    snapshot_unref(&snapshot);
}

void worker_update(struct worker *worker, struct snapshot *snapshot)
{
    struct snapshot *overtaken = atomic_exchange(&worker->orders.snapshot, snapshot_ref(snapshot));
    if (overtaken == NULL)
        loop_post(worker->loop, &worker->orders.snapshot_message);
    snapshot_unref(&overtaken);
}

static void take_order(struct worker *worker, enum worker_order order)
{
    switch (order) {
    case WORKER_ORDER_CLOSE_AFTER_ANSWERS:
        http_server_close_after_answers(&worker->server);
        break;
    case WORKER_ORDER_STOP_ACCEPTING:
        close_unwanted(worker, NULL);
        http_server_close_idle(&worker->server);
        break;
    case WORKER_ORDER_CUT_OFF:
        http_server_close_all(&worker->server);
        break;
    case WORKER_ORDER_STOP:
        loop_stop(worker->loop);
        break;
    case WORKER_ORDER_FINISH_PAGE:
        journal_finish_page(worker->journal);
        break;
    case WORKER_ORDER_COUNT:
        break;
    }
}

static void deliver_orders(struct loop_message *message)
{
    struct worker *worker = LIST_ENTRY(message, struct worker, orders.pending_message);
    const unsigned orders = atomic_exchange(&worker->orders.pending, 0);
    for (unsigned order = 0; order < WORKER_ORDER_COUNT; order++) {
        if (orders & 1U << order)
            take_order(worker, (enum worker_order)order);
    }
}

void worker_give_order(struct worker *worker, enum worker_order order)
{
    if (atomic_fetch_or(&worker->orders.pending, 1U << order) == 0)
        loop_post(worker->loop, &worker->orders.pending_message);
}

struct list_message {
    struct loop_message message;
    struct worker *worker;
    struct snapshot *snapshot;
    size_t provider;
    struct models_list *list;
};

static void deliver_list(struct loop_message *delivered)
{
    struct list_message *message = LIST_ENTRY(delivered, struct list_message, message);
    struct worker *worker = message->worker;
    if (worker->calling->snapshot == message->snapshot && message->provider < worker->list_count) {
        models_list_unref(&worker->lists[message->provider]);
        worker->lists[message->provider] = message->list;
        message->list = NULL;
    }
    models_list_unref(&message->list);
    snapshot_unref(&message->snapshot);
    alloc_free(message);
}

enum status worker_update_list(struct worker *worker, struct snapshot *snapshot, size_t provider,
                               struct models_list *list)
{
    struct list_message *message = alloc_bytes(sizeof(*message));
    if (message == NULL)
        return STATUS_NO_MEMORY;
    *message = (struct list_message){
        .message = {.deliver = deliver_list},
        .worker = worker,
        .snapshot = snapshot_ref(snapshot),
        .provider = provider,
        .list = models_list_ref(list),
    };
    loop_post(worker->loop, &message->message);
    return STATUS_OK;
}

/* --- Birth and death --------------------------------------------------------------------------- */

static void after_turn(void *context, uint64_t turn_ns)
{
    struct worker *worker = context;
    metrics_turn(worker->metrics, turn_ns);
    identity_reader_turn(worker->identity);
}

static void sleep_or_wake(void *context, bool is_sleeping)
{
    struct worker *worker = context;
    if (is_sleeping)
        identity_reader_idle(worker->identity);
    else
        identity_reader_turn(worker->identity);
}

static void on_connection(int change, void *context)
{
    struct worker *worker = context;
    shift(&worker->metrics->connections_open, change);
}

static void on_turned_away(enum http_turned_away why, void *context)
{
    static const enum metrics_refusal refusals[] = {
        [HTTP_TURNED_AWAY_CONNECTIONS] = METRICS_REFUSAL_CONNECTIONS,
        [HTTP_TURNED_AWAY_ADDRESS] = METRICS_REFUSAL_ADDRESS,
        [HTTP_TURNED_AWAY_TLS] = METRICS_REFUSAL_TLS,
        [HTTP_TURNED_AWAY_MEMORY] = METRICS_REFUSAL_MEMORY,
        [HTTP_TURNED_AWAY_PROXY] = METRICS_REFUSAL_PROXY,
    };
    struct worker *worker = context;
    metric_add(&worker->metrics->connections_refused[refusals[why]], 1);
}

/* A proxy that is set up wrongly is so for each connection: once a second is enough. */
static void on_proxy_fault(const struct address *proxy, const char *reason, void *context)
{
    struct worker *worker = context;
    char text[ADDRESS_TEXT_BYTES];
    const uint64_t now_ms = loop_now_ms(worker->loop);
    if (now_ms < worker->proxy_fault_again_ms)
        return;
    worker->proxy_fault_again_ms = now_ms + PROXY_FAULT_MS;
    address_format(proxy, text);
    log_write(worker->log, LOG_LEVEL_WARN, "http",
              "the trusted proxy %s sent a malformed PROXY header: %s", text, reason);
}

static void init_server(struct worker *worker)
{
    const struct http_server_hooks hooks = {
        .handle = dispatch_handle,
        .refuse = dispatch_refuse,
        .on_connection = on_connection,
        .on_turned_away = on_turned_away,
        .on_proxy_fault = on_proxy_fault,
        .context = worker,
    };
    http_server_init(&worker->server, worker->loop, worker->scratch, worker->gateway->connections,
                     &hooks);
}

enum status worker_create(struct gateway *gateway, unsigned index, struct worker **worker_out,
                          struct reason *reason)
{
    struct worker *worker = alloc_zeroed(1, sizeof(*worker));
    if (worker == NULL)
        return STATUS_NO_MEMORY;
    worker->gateway = gateway;
    worker->index = index;
    if (gateway->ledger != NULL)
        worker->journal = ledger_journal(gateway->ledger, index);
    worker->orders.snapshot_message.deliver = deliver_snapshot;
    worker->orders.pending_message.deliver = deliver_orders;
    list_init(&worker->listeners);
    char name[16];
    snprintf(name, sizeof(name), "weir-w%u", index % 1000);

    enum status status = loop_create(&worker->loop, reason);
    if (status != STATUS_OK)
        goto fail;
    status = STATUS_NO_MEMORY;
    worker->scratch = alloc_bytes(sizeof(*worker->scratch));
    if (worker->scratch == NULL)
        goto fail;
    init_server(worker);
    status = dns_create(worker->loop, &worker->dns, reason);
    if (status == STATUS_OK)
        status = identity_reader_create(gateway->identities, &worker->identity);
    if (status == STATUS_OK)
        status = key_hasher_create(gateway->pepper, &worker->hasher);
    if (status == STATUS_OK)
        status = metrics_worker_open(gateway->metrics, &worker->metrics);
    if (status == STATUS_OK)
        status = log_producer_open(gateway->log, name, &worker->log);
    if (status == STATUS_OK)
        status = follow(worker, gateway->snapshot, reason);
    if (status != STATUS_OK)
        goto fail;
    const struct loop_hooks hooks = {after_turn, sleep_or_wake, worker};
    loop_set_hooks(worker->loop, &hooks);
    *worker_out = worker;
    return STATUS_OK;

fail:
    worker_destroy(&worker);
    return status;
}

void worker_destroy(struct worker **taken)
{
    struct worker *worker = *taken;
    *taken = NULL;
    if (worker == NULL)
        return;
    struct snapshot *undelivered = atomic_exchange(&worker->orders.snapshot, NULL);
    snapshot_unref(&undelivered);
    close_unwanted(worker, NULL);
    calling_destroy(worker->calling);
    drop_lists(worker);
    pricing_fini(&worker->pricing);
    if (worker->scratch != NULL)
        http_server_fini(&worker->server);
    dns_destroy(&worker->dns);
    loop_destroy(&worker->loop);
    identity_reader_destroy(&worker->identity);
    key_hasher_destroy(&worker->hasher);
    log_producer_close(&worker->log);
    alloc_free(worker->scratch);
    alloc_free(worker);
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    promptness_high();
    loop_run(worker->loop);
    return NULL;
}

enum status worker_start(struct worker *worker)
{
    char name[16];
    snprintf(name, sizeof(name), "weir-w%u", worker->index % 1000);
    if (pthread_create(&worker->thread, NULL, run, worker) != 0)
        return STATUS_NO_MEMORY;
    pthread_setname_np(worker->thread, name);
    worker->is_started = true;
    return STATUS_OK;
}

void worker_join(struct worker *worker)
{
    if (worker->is_started)
        pthread_join(worker->thread, NULL);
    worker->is_started = false;
}
