/* What weir counts, and its text for Prometheus.
 *
 * Each thread that counts opens a block of its own and changes its cells with metric_add() and its
 * kin (telemetry/metric.h); a scrape reads all blocks and adds them up. metrics_table.c defines
 * every family: name, help, type, labels, and where its cells lie.
 *
 * Lifecycle: metrics_create() → metrics_worker_open() per thread → ... → metrics_destroy(). A block
 * lives as long as the metrics: what an ended thread counted stays in the sums.
 * Thread: a block's cells are changed by its owner alone; all else may be called from any thread.
 * Memory: a block takes about 150 KiB of address space, of which what is touched is resident.
 * Time is a parameter. */
#ifndef TELEMETRY_METRICS_H
#define TELEMETRY_METRICS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/id.h"
#include "base/slice.h"
#include "base/status.h"
#include "telemetry/histogram.h"
#include "telemetry/metric.h"
#include "telemetry/outcome.h"

#define METRICS_WORKERS_MAX   256
#define METRICS_ENDPOINTS_MAX 32  /* of the configuration's, beside "other" */
#define METRICS_PROVIDERS_MAX 256 /* over the life of the process, beside "other" */
#define METRICS_TARGETS_MAX   512 /* pairs of a model's rule and a provider, likewise */
#define METRICS_STATUSES_MAX  64
#define METRICS_NAME_SIZE     64 /* longer names of providers and rules are cut */

/* What a whole scrape can come to, every table full and every byte of a name escaped. */
#define METRICS_RENDERED_BYTES_MAX ((size_t)16 * 1024 * 1024)

#define METRICS_ENDPOINT_OTHER     METRICS_ENDPOINTS_MAX
#define METRICS_PROVIDER_OTHER     METRICS_PROVIDERS_MAX
#define METRICS_TARGET_OTHER       METRICS_TARGETS_MAX

/* Why a connection was not served. */
enum metrics_refusal {
    METRICS_REFUSAL_CONNECTIONS, /* as many as transport.connections are open */
    METRICS_REFUSAL_ADDRESS,     /* as many as transport.connections_per_address */
    METRICS_REFUSAL_TLS,         /* the handshake failed */
    METRICS_REFUSAL_DESCRIPTORS, /* the process may open no more */
    METRICS_REFUSAL_MEMORY,
    METRICS_REFUSAL_PROXY, /* a trusted proxy sent a malformed header */
    METRICS_REFUSAL_COUNT,
};

/* Why a request in flight was turned away by a bound of the process. */
enum metrics_overload {
    METRICS_OVERLOAD_REQUESTS,    /* transport.requests_in_flight */
    METRICS_OVERLOAD_BODY_MEMORY, /* transport.body_memory */
    METRICS_OVERLOAD_MEMORY,      /* an allocation failed */
    METRICS_OVERLOAD_LEDGER,      /* the journal is full, or its disk does not answer */
    METRICS_OVERLOAD_COUNT,
};

/* What ended a connection to an upstream, or kept it from coming about. */
enum metrics_failure {
    METRICS_FAILURE_DNS,
    METRICS_FAILURE_CONNECT,
    METRICS_FAILURE_TLS,
    METRICS_FAILURE_TIMEOUT,
    METRICS_FAILURE_PROTOCOL,
    METRICS_FAILURE_CLOSED,
    METRICS_FAILURE_COUNT,
};

/* What one call to a target came to. */
enum metrics_attempt {
    METRICS_ATTEMPT_ANSWERED,  /* a whole answer with a status below 400 */
    METRICS_ATTEMPT_REJECTED,  /* a whole answer with a status of 400 to 499 */
    METRICS_ATTEMPT_ERROR,     /* a whole answer with a status of 500 or more */
    METRICS_ATTEMPT_FAILED,    /* no answer */
    METRICS_ATTEMPT_BROKEN,    /* the answer began and did not end well */
    METRICS_ATTEMPT_TIMED_OUT, /* at any of the limits on time */
    METRICS_ATTEMPT_CANCELLED, /* weir gave it up: the client had gone, or shutdown */
    METRICS_ATTEMPT_COUNT,
};

/* The kinds of tokens that have prices of their own. Cached ones and those written to the cache are
 * part of the input, those of reasoning part of the output. */
enum metrics_tokens {
    METRICS_TOKENS_INPUT,
    METRICS_TOKENS_OUTPUT,
    METRICS_TOKENS_CACHED,
    METRICS_TOKENS_CACHE_WRITE,
    METRICS_TOKENS_REASONING,
    METRICS_TOKENS_AUDIO,
    METRICS_TOKENS_COUNT,
};

/* Who has a limit: in the order of enum level_kind of policy/admission.h. */
enum metrics_level {
    METRICS_LEVEL_KEY,
    METRICS_LEVEL_USER,
    METRICS_LEVEL_TEAM,
    METRICS_LEVEL_MODEL,
    METRICS_LEVEL_PROVIDER,
    METRICS_LEVEL_GATEWAY,
    METRICS_LEVEL_COUNT,
};

enum metrics_reload { METRICS_RELOAD_OK, METRICS_RELOAD_FAILED, METRICS_RELOAD_COUNT };

struct metrics_endpoint {
    metric_cell requests[METRICS_STATUSES_MAX];
    struct histogram duration;
};

struct metrics_provider {
    metric_cell connections_open; /* gauge; those in use and the idle ones */
    metric_cell connections_idle; /* gauge */
    metric_cell connections_created;
    metric_cell connections_reused;
    metric_cell connections_replaced;
    metric_cell failures[METRICS_FAILURE_COUNT];
    metric_cell attempts[METRICS_ATTEMPT_COUNT];
    struct histogram first_byte;
};

/* What a rule's requests to one provider came to. */
struct metrics_target {
    metric_cell requests; /* that were admitted and are over */
    metric_cell tokens[METRICS_TOKENS_COUNT];
    metric_cell cost_nanousd; /* of the priced ones */
    metric_cell unpriced;
    metric_cell estimated;
};

/* The block of one thread; starts at a cache line. */
struct metrics_worker {
    struct metrics *metrics;
    metric_cell connections_open; /* gauge */
    metric_cell connections_accepted;
    metric_cell connections_refused[METRICS_REFUSAL_COUNT];
    metric_cell requests_in_flight; /* gauge */
    metric_cell requests_overload[METRICS_OVERLOAD_COUNT];
    metric_cell requests_limited[METRICS_LEVEL_COUNT]; /* refused by a limit or budget of a level */
    metric_cell budget_alerts[METRICS_LEVEL_COUNT];    /* shares of budgets that were reached */
    metric_cell requests_unrecorded; /* served while the ledger had no room, as configured */
    metric_cell streams_open;        /* gauge */
    metric_cell streams[OUTCOME_COUNT];
    metric_cell bytes_to_client;   /* body bytes of answers */
    metric_cell bytes_to_upstream; /* body bytes of requests */
    metric_cell users_uncounted;
    metric_cell reloads[METRICS_RELOAD_COUNT];
    metric_cell turn_longest_ns;
    struct histogram turns;
    struct metrics_endpoint endpoints[METRICS_ENDPOINTS_MAX + 1];
    struct metrics_provider providers[METRICS_PROVIDERS_MAX + 1];
    struct metrics_target targets[METRICS_TARGETS_MAX + 1];
};

struct metrics_config {
    const char *version;          /* copied */
    uint64_t start_time_us;       /* of the process, since 1970, UTC */
    const char *const *endpoints; /* routes with their /v1; their places are the indexes. Borrowed
                                   * for the life of the metrics */
    uint32_t endpoint_count;      /* at most METRICS_ENDPOINTS_MAX */
};

/* The ledger's figures at the time of a scrape: sums since the start, but for those marked. */
struct metrics_ledger {
    uint64_t journal_bytes;   /* gauge; of the segments on disk */
    uint64_t undrained_bytes; /* gauge */
    uint64_t records;         /* appended */
    uint64_t records_lost;
    uint64_t rows;
    uint64_t batches;
    uint64_t orphans;
    uint64_t failures; /* of the store */
    uint64_t syncs;
    uint64_t sync_failures;
    uint64_t sync_longest_ns; /* gauge */
    uint64_t drain_cpu_ns;
    uint64_t open_requests; /* gauge */
    uint64_t is_full;       /* these three: 0 or 1 */
    uint64_t has_failed;    /* the journal's disk */
    uint64_t store_has_failed;
};

/* What the composer knows at the time of a scrape. */
struct metrics_scrape {
    uint64_t now_ns; /* monotonic, of the same clock as metrics_request_done() was given */
    uint64_t body_memory_bytes;
    uint64_t coroutine_stacks; /* in use */
    uint64_t log_dropped;      /* struct log_stats */
    uint64_t log_written;
    uint64_t log_lost_bytes;
    struct metrics_ledger ledger;
};

/* STATUS_INVALID: too many endpoints. STATUS_NO_MEMORY. Free with metrics_destroy(). */
MUST_CHECK enum status metrics_create(const struct metrics_config *config,
                                      struct metrics **metrics_out);
/* Frees *metrics, if any, with all blocks, and sets it to NULL. No thread counts any more. */
void metrics_destroy(struct metrics **metrics);

/* A zeroed block, the calling thread's until the metrics are destroyed. STATUS_LIMITED:
 * METRICS_WORKERS_MAX are open. STATUS_NO_MEMORY. */
MUST_CHECK enum status metrics_worker_open(struct metrics *metrics,
                                           struct metrics_worker **worker_out);

/* The index of the provider's cells, the same for the same name at every call, so that a reload
 * simply asks again. METRICS_PROVIDER_OTHER once the table is full, and for the name "other". */
uint32_t metrics_provider(struct metrics *metrics, struct slice name);

/* The index of the cells of a rule's requests to a provider, likewise the same for the same pair.
 * `model` is the name of a rule of the configuration ("gpt*"), never what a client wrote.
 * METRICS_TARGET_OTHER once the table is full, and if both are "other". */
uint32_t metrics_target(struct metrics *metrics, struct slice model, struct slice provider);

/* A hash of the user for metrics_request_done(): never 0. */
uint64_t metrics_user_hash(const struct id *user_id);

/* Counts a request that ended. `endpoint` is an index or METRICS_ENDPOINT_OTHER; a status that is
 * not in the table counts as "other"; user_hash 0: no valid key. */
void metrics_request_done(struct metrics_worker *worker, uint32_t endpoint, unsigned status,
                          uint64_t duration_ns, uint64_t user_hash, uint64_t now_ns);

/* Counts a turn of the thread's event loop. */
static inline void metrics_turn(struct metrics_worker *worker, uint64_t turn_ns)
{
    histogram_observe(&worker->turns, &histogram_turns, turn_ns);
    metric_raise(&worker->turn_longest_ns, turn_ns);
}

/* Counts the time from sending a request to the first body byte of the provider's answer. */
static inline void metrics_first_byte(struct metrics_worker *worker, uint32_t provider,
                                      uint64_t first_byte_ns)
{
    histogram_observe(&worker->providers[provider].first_byte, &histogram_requests, first_byte_ns);
}

/* Appends everything in the text format 0.0.4 (content type
 * "text/plain; version=0.0.4; charset=utf-8"): some 15 KiB, 5 KiB more for each provider and up
 * to 1 KiB for each target; at most METRICS_RENDERED_BYTES_MAX. Statuses of buffer_append(). Takes
 * some 300 µs, and with hundreds of providers or targets, or thousands of descriptors before Linux
 * 6.2, milliseconds: not a thing to do between the requests of a worker. */
MUST_CHECK enum status metrics_render(struct metrics *metrics, const struct metrics_scrape *scrape,
                                      struct buffer *out);

#endif
