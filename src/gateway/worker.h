/* A worker: one thread, its loop, its listeners and its connections to clients and upstreams.
 *
 * Lifecycle: worker_create() opens everything, so that what fails is said at start; worker_start()
 * runs the loop on a thread of its own; the control thread then speaks to it by messages:
 * worker_update() after a reload, worker_give_order() in the steps of a stop; worker_join() after
 * the last step. Everything else in struct worker is the worker's own.
 * What the worker shares with others stands in struct gateway (gateway/gateway.h). */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "gateway/models_list.h"
#include "gateway/pricing.h"
#include "gateway/snapshot.h"
#include "http/server.h"
#include "identity/key_hasher.h"
#include "identity/map.h"
#include "io/dns.h"
#include "io/loop.h"
#include "ledger/journal.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "upstream/endpoint.h"

struct gateway;

/* How this worker reaches one provider of a snapshot. */
struct target_endpoint {
    struct upstream_endpoint upstream;
    struct provider *provider;
    struct worker *worker;
};

/* A snapshot as this worker uses it. A former one lives until its last request has ended. */
struct calling {
    struct snapshot *snapshot;
    struct target_endpoint *endpoints; /* one for each provider */
    uint32_t request_count;            /* in flight, or waiting for a turn */
    bool is_former;
};

struct worker_listener {
    struct list_node node;
    struct listener listener;
    struct worker *worker;
    struct tls_context *tls; /* NULL: in the clear */
    struct address address;
};

/* What other threads want. Part of the worker, so that neither a reload nor a stop takes
 * memory to be told; what is wanted twice before the worker looked is told once. */
struct worker_orders {
    struct loop_message snapshot_message;
    _Atomic(struct snapshot *) snapshot; /* a reference; NULL: none is on its way */
    struct loop_message pending_message;
    atomic_uint pending; /* a bit for each enum worker_order; 0: none is on its way */
};

struct worker {
    struct gateway *gateway;
    unsigned index;
    pthread_t thread;
    bool is_started;
    struct loop *loop;
    struct dns *dns;
    struct scratch *scratch;
    struct http_server server;
    struct list_node listeners;
    struct calling *calling;
    struct models_list **lists; /* the latest of each provider of the snapshot; may be NULL */
    size_t list_count;
    struct identity_reader *identity;
    struct key_hasher *hasher;
    struct metrics_worker *metrics;
    struct log_producer *log;
    struct journal *journal; /* NULL: nothing is recorded */
    struct pricing pricing;
    struct worker_orders orders;
    uint64_t proxy_fault_again_ms; /* when the next one is logged again */
};

MUST_CHECK enum status worker_create(struct gateway *gateway, unsigned index,
                                     struct worker **worker_out, struct reason *reason);
MUST_CHECK enum status worker_start(struct worker *worker);
/* The thread has ended, or was never started. */
void worker_destroy(struct worker **worker);

/* --- From the control thread --- */

/* The worker follows to another snapshot, of which it takes a reference of its own. Where it cannot
 * (no memory, or a listener that does not open) it says so in the log, and the former one stays. */
void worker_update(struct worker *worker, struct snapshot *snapshot);
/* The models that a provider of `snapshot` lists; ignored if the worker has moved on. On
 * STATUS_NO_MEMORY the worker keeps the list that it has. */
MUST_CHECK enum status worker_update_list(struct worker *worker, struct snapshot *snapshot,
                                          size_t provider, struct models_list *list);

/* The first four in the order of a stop. */
enum worker_order {
    WORKER_ORDER_CLOSE_AFTER_ANSWERS, /* go on, but end each connection with its answer */
    WORKER_ORDER_STOP_ACCEPTING,      /* close listeners and idle connections */
    WORKER_ORDER_CUT_OFF,             /* end what is in flight */
    WORKER_ORDER_STOP,                /* end the loop; nothing is in flight */
    WORKER_ORDER_FINISH_PAGE,         /* of its journal; the ledger's */
    WORKER_ORDER_COUNT,
};
/* Any thread. */
void worker_give_order(struct worker *worker, enum worker_order order);
/* Waits for the thread to end, after WORKER_ORDER_STOP. */
void worker_join(struct worker *worker);

/* --- On the worker --- */

/* Keeps the snapshot in force for a request; give it back with calling_leave(). */
struct calling *calling_enter(struct worker *worker);
void calling_leave(struct worker *worker, struct calling *calling);

#endif
