#include "gateway/gateway.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "gateway/route.h"
#include "http/body_memory.h"
#include "http/shared.h"

#define WORKERS_MAX      128
#define LEDGER_STOP_MS   5000 /* for what is left of the journal */
#define DESCRIPTORS_KEPT 256  /* for the store, listeners and the admin's connections */

static unsigned core_count(void)
{
    cpu_set_t set;
    const int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

unsigned gateway_worker_count(const struct config *config)
{
    const unsigned count = config->workers > 0 ? config->workers : core_count();
    return count < WORKERS_MAX ? count : WORKERS_MAX;
}

/* A request in flight takes two descriptors, its client's and its upstream's. */
static uint32_t connections_allowed(uint32_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    const rlim_t left =
        limit.rlim_cur > DESCRIPTORS_KEPT ? (limit.rlim_cur - DESCRIPTORS_KEPT) / 2 : 1;
    return left < wanted ? (uint32_t)left : wanted;
}

static void apply_bounds(struct gateway *gateway, const struct config *config)
{
    body_memory_set_max(config->transport.body_memory_bytes);
    gateway->connections_max = connections_allowed(config->transport.connections);
    http_shared_set_max(gateway->connections, gateway->connections_max,
                        config->transport.connections_per_address);
    atomic_store(&gateway->requests_max, config->transport.requests_in_flight);
}

/* Another program's listener on one of our ports would go unnoticed: SO_REUSEPORT lets several
 * sockets share it. `former` has ports that are ours already. */
static bool is_ours(const struct snapshot *former, const struct address *address)
{
    for (size_t i = 0; former != NULL && i < former->config->listen.count; i++) {
        const struct address *ours = &former->listeners[i].address;
        if (ours->size == address->size &&
            memcmp(&ours->socket, &address->socket, address->size) == 0)
            return true;
    }
    return false;
}

static enum status check_ports(const struct snapshot *snapshot, const struct snapshot *former,
                               struct reason *reason)
{
    for (size_t i = 0; i < snapshot->config->listen.count; i++) {
        const struct address *address = &snapshot->listeners[i].address;
        const enum status status =
            is_ours(former, address) ? STATUS_OK : listener_check_free(address, reason);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* --- The ledger ----------------------------------------------------------------------------------------- */

static void on_finish_page(void *context, uint32_t index)
{
    struct gateway *gateway = context;
    if (gateway->workers != NULL && gateway->workers[index] != NULL)
        worker_give_order(gateway->workers[index], WORKER_ORDER_FINISH_PAGE);
}

/* The keeper and the drain share a producer, which is one thread's at a time. */
static void on_ledger_report(void *context, bool is_error, const char *text)
{
    struct gateway *gateway = context;
    pthread_mutex_lock(&gateway->ledger_log_lock);
    log_write(gateway->ledger_log, is_error ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "ledger", "%s",
              text);
    pthread_mutex_unlock(&gateway->ledger_log_lock);
}

static enum status start_ledger(struct gateway *gateway, struct reason *reason)
{
    const struct config *config = gateway->snapshot->config;
    const struct config_ledger *settings = &config->ledger;
    char path[1024];
    snprintf(path, sizeof(path), "%s/journal", config->data_dir.data);
    const struct ledger_config ledger = {
        .path = path,
        .worker_count = gateway_worker_count(config),
        .journal_bytes = settings->journal_bytes,
        .sync_ms = (unsigned)settings->sync_ms,
        .orphans_are_charged = settings->orphans == CONFIG_ORPHANS_ESTIMATE,
        .retention_us = settings->retention_ms * US_PER_MS,
        .store = gateway->books.store,
        .seal = gateway->books.seal,
        .retain = gateway->books.retain,
        .finish_page = on_finish_page,
        .report = on_ledger_report,
        .context = gateway,
    };
    if (gateway->books.store == NULL)
        return STATUS_OK;
    pthread_mutex_init(&gateway->ledger_log_lock, NULL);
    const enum status status = log_producer_open(gateway->log, "weir-ledger", &gateway->ledger_log);
    gateway->has_ledger_log = true;
    return status == STATUS_OK ? ledger_create(&ledger, &gateway->ledger, reason) : status;
}

bool gateway_wait_recovered(const struct gateway *gateway, uint64_t wait_ms)
{
    const struct timespec pause = {0, (long)NS_PER_MS};
    const uint64_t until_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;
    struct ledger_figures figures = {0};
    if (gateway->ledger == NULL)
        return true;
    ledger_figures(gateway->ledger, &figures);
    while (figures.drain.is_recovering && clock_monotonic_ns() < until_ns) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        ledger_figures(gateway->ledger, &figures);
    }
    return !figures.drain.is_recovering;
}

/* The workers have stopped. */
static void stop_ledger(struct gateway *gateway)
{
    if (!gateway->has_ledger_log)
        return;
    gateway->has_ledger_log = false;
    if (gateway->ledger != NULL && !ledger_destroy(&gateway->ledger, LEDGER_STOP_MS))
        on_ledger_report(gateway, true,
                         "not all of the journal is in the store; the next start takes it over");
    log_producer_close(&gateway->ledger_log);
    pthread_mutex_destroy(&gateway->ledger_log_lock);
}

static enum status create_workers(struct gateway *gateway, struct reason *reason)
{
    const unsigned count = gateway_worker_count(gateway->snapshot->config);
    gateway->workers = alloc_zeroed(count, sizeof(struct worker *));
    if (gateway->workers == NULL)
        return STATUS_NO_MEMORY;
    gateway->worker_count = count;
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < count && status == STATUS_OK; i++)
        status = worker_create(gateway, i, &gateway->workers[i], reason);
    return status;
}

static enum status make_snapshot(struct gateway *gateway, const struct config **config,
                                 struct snapshot **snapshot_out, struct reason *reason)
{
    enum status status = snapshot_create(config, gateway->metrics, snapshot_out, reason);
    if (status != STATUS_OK)
        return status;
    (*snapshot_out)->store_prices = price_list_ref(gateway->store_prices);
    if (gateway->counters != NULL)
        status = snapshot_levels_make(*snapshot_out, gateway->counters, gateway->snapshot);
    if (status != STATUS_OK)
        snapshot_unref(snapshot_out);
    return status;
}

enum status gateway_start(struct gateway *gateway, const struct config **config,
                          struct reason *reason)
{
    reason_set(reason, "out of memory");
    enum status status = make_snapshot(gateway, config, &gateway->snapshot, reason);
    if (status == STATUS_OK)
        status = check_ports(gateway->snapshot, NULL, reason);
    if (status == STATUS_OK)
        status = http_shared_create(&gateway->connections);
    if (status != STATUS_OK)
        goto fail;
    apply_bounds(gateway, gateway->snapshot->config);
    status = start_ledger(gateway, reason);
    if (status == STATUS_OK)
        status = create_workers(gateway, reason);
    if (status == STATUS_OK)
        return STATUS_OK;

fail:
    gateway_stop(gateway);
    return status;
}

enum status gateway_run(struct gateway *gateway)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < gateway->worker_count && status == STATUS_OK; i++)
        status = worker_start(gateway->workers[i]);
    return status;
}

enum status gateway_prepare(struct gateway *gateway, const struct config **config,
                            struct snapshot **snapshot_out, struct reason *reason)
{
    reason_set(reason, "out of memory");
    enum status status = make_snapshot(gateway, config, snapshot_out, reason);
    if (status != STATUS_OK)
        return status;
    status = check_ports(*snapshot_out, gateway->snapshot, reason);
    if (status != STATUS_OK)
        snapshot_unref(snapshot_out);
    return status;
}

void gateway_publish(struct gateway *gateway, struct snapshot **snapshot)
{
    apply_bounds(gateway, (*snapshot)->config);
    snapshot_levels_succeed(*snapshot, gateway->snapshot, clock_monotonic_ns());
    for (unsigned i = 0; i < gateway->worker_count; i++)
        worker_update(gateway->workers[i], *snapshot);
    snapshot_unref(&gateway->snapshot);
    gateway->snapshot = *snapshot;
    *snapshot = NULL;
}

void gateway_wind_down(struct gateway *gateway, enum worker_order order)
{
    for (unsigned i = 0; i < gateway->worker_count; i++)
        worker_give_order(gateway->workers[i], order);
}

uint32_t gateway_connection_count(const struct gateway *gateway)
{
    return http_shared_count(gateway->connections);
}

void gateway_stop(struct gateway *gateway)
{
    for (unsigned i = 0; i < gateway->worker_count; i++) {
        struct worker *worker = gateway->workers[i];
        if (worker != NULL && worker->is_started) {
            worker_give_order(worker, WORKER_ORDER_STOP);
            worker_join(worker);
        }
    }
    /* The ledger's threads speak to the workers up to its end. */
    stop_ledger(gateway);
    for (unsigned i = 0; i < gateway->worker_count; i++)
        worker_destroy(&gateway->workers[i]);
    alloc_free(gateway->workers);
    gateway->workers = NULL;
    gateway->worker_count = 0;
    http_shared_destroy(&gateway->connections);
    snapshot_unref(&gateway->snapshot);
    price_list_destroy(&gateway->store_prices);
    for (struct budget_alert *alert = budget_alerts_take(&gateway->alerts); alert != NULL;)
        budget_alert_free(&alert);
}

const char *const *gateway_endpoint_names(uint32_t *count_out)
{
    return route_metric_names(count_out);
}
