/* The running gateway: its workers, and what all threads of it share.
 *
 * Lifecycle: gateway_start() → gateway_run() → gateway_prepare() and gateway_publish(), any
 * number of times → the steps of a
 * stop:
 * gateway_wind_down() and, when nothing is open any more or time is up, gateway_stop().
 * Thread: the control thread calls these functions; workers read the struct, in which what
 * changes after the start is atomic or has its own locking.
 * Memory: identities, metrics and log are borrowed for the gateway's life. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/budget_alerts.h"
#include "gateway/snapshot.h"
#include "gateway/worker.h"
#include "http/server.h"
#include "identity/key_hasher.h"
#include "identity/map.h"
#include "io/service.h"
#include "ledger/ledger.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

/* What the ledger writes into. Without a store (in tests) nothing is recorded. */
struct gateway_books {
    struct store *store;     /* the drain's alone, for the gateway's life */
    struct service *service; /* the thread that reads reports */
    struct store *reports;   /* the store of that thread */
    struct batch_seal seal;  /* this and the next one: see gateway/audit_books.h */
    enum status (*retain)(void *context, struct store *store, uint64_t before_us,
                          struct reason *reason);
};

struct gateway {
    const char *version;
    struct identity_map *identities;
    const unsigned char *pepper; /* PEPPER_SIZE bytes */
    struct metrics *metrics;
    struct log *log;
    struct counters *counters; /* of limits and budgets; NULL: there are none */
    struct gateway_books books;
    struct price_list
        *store_prices; /* a reference: of each snapshot from the next one on; or NULL */

    struct ledger *ledger; /* NULL without a store */
    bool has_ledger_log;
    struct log_producer *ledger_log; /* of the ledger's threads, one at a time */
    pthread_mutex_t ledger_log_lock;
    struct snapshot *snapshot; /* in force */
    struct budget_alerts alerts;
    struct http_shared *connections;
    struct worker **workers;
    unsigned worker_count;
    atomic_uint requests_in_flight;
    atomic_uint requests_max;
    uint32_t connections_max;   /* as configured, or as the descriptors allow */
    atomic_bool is_draining;    /* readyz says no */
    atomic_bool is_cutting_off; /* what ends now was ended by the stop */
};

/* How many workers a configuration comes to on this machine. */
unsigned gateway_worker_count(const struct config *config);

/* Takes over the caller's reference of *config; makes the workers and opens their listeners. The
 * first seven fields of *gateway are set, the rest is zero. On any status but STATUS_OK nothing is
 * left running; the reason says what to do. */
MUST_CHECK enum status gateway_start(struct gateway *gateway, const struct config **config,
                                     struct reason *reason);

/* Waits until what former processes left in the journal is in the store, for at most `wait_ms`. False:
 * it is not, and the log says why. */
bool gateway_wait_recovered(const struct gateway *gateway, uint64_t wait_ms);

/* Starts the workers' threads: from now on clients are answered. STATUS_NO_MEMORY: the system has no
 * thread left; gateway_stop() is due. */
MUST_CHECK enum status gateway_run(struct gateway *gateway);

/* Makes a snapshot of another configuration, of which it takes over the caller's reference in any
 * case; what its budgets begin with may then be set, before it is published. */
MUST_CHECK enum status gateway_prepare(struct gateway *gateway, const struct config **config,
                                       struct snapshot **snapshot_out, struct reason *reason);
/* Puts it in force, and takes it over. */
void gateway_publish(struct gateway *gateway, struct snapshot **snapshot);

/* One step of the stop, on every worker. */
void gateway_wind_down(struct gateway *gateway, enum worker_order order);
/* Client connections that are open. */
uint32_t gateway_connection_count(const struct gateway *gateway);
/* Ends the workers and frees what gateway_start() made; no connection is open. */
void gateway_stop(struct gateway *gateway);

/* The routes' names for metrics_create(), and how many there are. */
const char *const *gateway_endpoint_names(uint32_t *count_out);

#endif
