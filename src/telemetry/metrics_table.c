#include "telemetry/metrics_internal.h"

#include <stddef.h>

#define WORKER(member)  METRICS_SOURCE_WORKERS, offsetof(struct metrics_worker, member)
#define INSTANT(member) METRICS_SOURCE_INSTANT, offsetof(struct metrics_instant, member)
#define PROVIDER(member)                                                                           \
    METRICS_SOURCE_WORKERS,                                                                        \
        offsetof(struct metrics_worker, providers) + offsetof(struct metrics_provider, member)
#define ENDPOINT(member)                                                                           \
    METRICS_SOURCE_WORKERS,                                                                        \
        offsetof(struct metrics_worker, endpoints) + offsetof(struct metrics_endpoint, member)

#define TARGET(member)                                                                             \
    METRICS_SOURCE_WORKERS,                                                                        \
        offsetof(struct metrics_worker, targets) + offsetof(struct metrics_target, member)

#define COUNTER       METRICS_TYPE_COUNTER, METRICS_UNIT_ONE
#define GAUGE         METRICS_TYPE_GAUGE, METRICS_UNIT_ONE
#define SECONDS       METRICS_TYPE_GAUGE, METRICS_UNIT_NS
#define DOLLARS       METRICS_TYPE_COUNTER, METRICS_UNIT_NANOUSD
#define DURATIONS     METRICS_TYPE_HISTOGRAM, METRICS_UNIT_NS

#define BY_ENDPOINT   {METRICS_AXIS_ENDPOINT, sizeof(struct metrics_endpoint)}
#define BY_PROVIDER   {METRICS_AXIS_PROVIDER, sizeof(struct metrics_provider)}
#define BY_TARGET     {METRICS_AXIS_TARGET, sizeof(struct metrics_target)}
#define BY_CELL(axis) {METRICS_AXIS_##axis, sizeof(metric_cell)}

/* clang-format off */
const struct metrics_family metrics_families[] = {
    {"api_requests_total", "Requests answered, by route and HTTP status.",
     COUNTER, ENDPOINT(requests), NULL, {BY_ENDPOINT, BY_CELL(STATUS)}, true},
    {"api_request_duration_seconds", "From the first byte of a request to the end of its answer.",
     DURATIONS, ENDPOINT(duration), &histogram_requests, {BY_ENDPOINT}, true},
    {"active_users", "Distinct users seen in the last 5 minutes.",
     GAUGE, INSTANT(active_users), NULL, {{0}}, false},
    {"weir_active_users_uncounted_total", "Requests whose user found no room in the table of active users.",
     COUNTER, WORKER(users_uncounted), NULL, {{0}}, false},

    {"weir_connections_open", "Client connections that are open.",
     GAUGE, WORKER(connections_open), NULL, {{0}}, false},
    {"weir_connections_accepted_total", "Client connections accepted.",
     COUNTER, WORKER(connections_accepted), NULL, {{0}}, false},
    {"weir_connections_refused_total", "Client connections closed before they were served, by reason.",
     COUNTER, WORKER(connections_refused), NULL, {BY_CELL(REFUSAL)}, false},
    {"weir_requests_in_flight", "Requests between their head and the end of their answer.",
     GAUGE, WORKER(requests_in_flight), NULL, {{0}}, false},
    {"weir_requests_overload_total", "Requests answered 503 because a bound of the process was reached.",
     COUNTER, WORKER(requests_overload), NULL, {BY_CELL(OVERLOAD)}, false},
    {"weir_requests_limited_total", "Requests refused by a limit or a budget, by whose it was.",
     COUNTER, WORKER(requests_limited), NULL, {BY_CELL(LEVEL)}, false},
    {"weir_budget_alerts_total", "Shares of budgets that were reached, by whose the budget is.",
     COUNTER, WORKER(budget_alerts), NULL, {BY_CELL(LEVEL)}, false},
    {"weir_streams_open", "Streamed answers that are being relayed.",
     GAUGE, WORKER(streams_open), NULL, {{0}}, false},
    {"weir_streams_total", "Streamed answers that ended, by outcome.",
     COUNTER, WORKER(streams), NULL, {BY_CELL(OUTCOME)}, false},
    {"weir_relayed_to_client_bytes_total", "Body bytes of answers sent to clients.",
     COUNTER, WORKER(bytes_to_client), NULL, {{0}}, false},
    {"weir_relayed_to_upstream_bytes_total", "Body bytes of requests sent to upstreams.",
     COUNTER, WORKER(bytes_to_upstream), NULL, {{0}}, false},

    {"weir_upstream_connections_open", "Connections to a provider that are open, in use or idle.",
     GAUGE, PROVIDER(connections_open), NULL, {BY_PROVIDER}, false},
    {"weir_upstream_connections_idle", "Connections to a provider that wait to be used again.",
     GAUGE, PROVIDER(connections_idle), NULL, {BY_PROVIDER}, false},
    {"weir_upstream_connections_created_total", "Connections to a provider that were made.",
     COUNTER, PROVIDER(connections_created), NULL, {BY_PROVIDER}, false},
    {"weir_upstream_connections_reused_total", "Requests sent on a connection that was open already.",
     COUNTER, PROVIDER(connections_reused), NULL, {BY_PROVIDER}, false},
    {"weir_upstream_connections_replaced_total", "Reused connections that turned out to be closed and were replaced.",
     COUNTER, PROVIDER(connections_replaced), NULL, {BY_PROVIDER}, false},
    {"weir_upstream_failures_total", "Connections to a provider that failed, by kind.",
     COUNTER, PROVIDER(failures), NULL, {BY_PROVIDER, BY_CELL(FAILURE)}, false},
    {"weir_upstream_attempts_total", "Calls to a provider, by outcome.",
     COUNTER, PROVIDER(attempts), NULL, {BY_PROVIDER, BY_CELL(ATTEMPT)}, false},
    {"weir_first_byte_seconds", "From sending a request to a provider to the first body byte of its answer.",
     DURATIONS, PROVIDER(first_byte), &histogram_requests, {BY_PROVIDER}, true},

    {"weir_requests_total", "Requests that were admitted and are over, by the model's rule and provider.",
     COUNTER, TARGET(requests), NULL, {BY_TARGET}, true},
    {"weir_tokens_total", "Tokens of requests; input has the cached and cache_write ones in it, output those of reasoning.",
     COUNTER, TARGET(tokens), NULL, {BY_TARGET, BY_CELL(TOKENS)}, true},
    {"weir_cost_usd_total", "What requests cost, in dollars, as far as their price is known.",
     DOLLARS, TARGET(cost_nanousd), NULL, {BY_TARGET}, true},
    {"weir_requests_unpriced_total", "Requests whose price is not known.",
     COUNTER, TARGET(unpriced), NULL, {BY_TARGET}, true},
    {"weir_requests_estimated_total", "Requests whose tokens were estimated, since the provider did not say.",
     COUNTER, TARGET(estimated), NULL, {BY_TARGET}, true},
    {"weir_requests_unrecorded_total", "Requests served without a record, since the ledger had no room.",
     COUNTER, WORKER(requests_unrecorded), NULL, {{0}}, false},

    {"weir_ledger_journal_bytes", "Bytes of the journal's segments on disk.",
     GAUGE, INSTANT(scrape.ledger.journal_bytes), NULL, {{0}}, false},
    {"weir_ledger_undrained_bytes", "Bytes of the journal that are not in the store yet.",
     GAUGE, INSTANT(scrape.ledger.undrained_bytes), NULL, {{0}}, false},
    {"weir_ledger_records_total", "Records appended to the journal.",
     COUNTER, INSTANT(scrape.ledger.records), NULL, {{0}}, false},
    {"weir_ledger_records_lost_total", "Records of the journal lost by damage.",
     COUNTER, INSTANT(scrape.ledger.records_lost), NULL, {{0}}, false},
    {"weir_ledger_rows_total", "Rows of usage written to the store.",
     COUNTER, INSTANT(scrape.ledger.rows), NULL, {{0}}, false},
    {"weir_ledger_batches_total", "Batches written to the store.",
     COUNTER, INSTANT(scrape.ledger.batches), NULL, {{0}}, false},
    {"weir_ledger_orphans_total", "Requests that a process left open when it died.",
     COUNTER, INSTANT(scrape.ledger.orphans), NULL, {{0}}, false},
    {"weir_ledger_failures_total", "Batches that the store refused.",
     COUNTER, INSTANT(scrape.ledger.failures), NULL, {{0}}, false},
    {"weir_ledger_syncs_total", "Syncs of the journal to its disk.",
     COUNTER, INSTANT(scrape.ledger.syncs), NULL, {{0}}, false},
    {"weir_ledger_sync_failures_total", "Syncs of the journal that failed.",
     COUNTER, INSTANT(scrape.ledger.sync_failures), NULL, {{0}}, false},
    {"weir_ledger_sync_longest_seconds", "The longest sync of the journal since the start.",
     SECONDS, INSTANT(scrape.ledger.sync_longest_ns), NULL, {{0}}, false},
    {"weir_ledger_drain_cpu_seconds_total", "CPU time of the thread that moves the journal into the store.",
     METRICS_TYPE_COUNTER, METRICS_UNIT_NS, INSTANT(scrape.ledger.drain_cpu_ns), NULL, {{0}}, false},
    {"weir_ledger_open_requests", "Requests that the journal holds open, as far as it is read.",
     GAUGE, INSTANT(scrape.ledger.open_requests), NULL, {{0}}, false},
    {"weir_ledger_full", "Whether the journal has no room: it is at its limit, or its disk is full.",
     GAUGE, INSTANT(scrape.ledger.is_full), NULL, {{0}}, false},
    {"weir_ledger_failed", "Whether the journal's disk fails, or has given no answer for a second.",
     GAUGE, INSTANT(scrape.ledger.has_failed), NULL, {{0}}, false},
    {"weir_ledger_store_failed", "Whether the store refuses what the ledger writes.",
     GAUGE, INSTANT(scrape.ledger.store_has_failed), NULL, {{0}}, false},

    {"weir_loop_turn_seconds", "Turns of the event loops, without the time that they waited.",
     DURATIONS, WORKER(turns), &histogram_turns, {{0}}, false},
    {"weir_loop_turn_longest_seconds", "The longest turn of an event loop since the start.",
     SECONDS, METRICS_SOURCE_WORKERS_MAX, offsetof(struct metrics_worker, turn_longest_ns),
     NULL, {{0}}, false},
    {"weir_body_memory_bytes", "Memory held by bodies and answers.",
     GAUGE, INSTANT(scrape.body_memory_bytes), NULL, {{0}}, false},
    {"weir_coroutine_stacks", "Coroutine stacks in use.",
     GAUGE, INSTANT(scrape.coroutine_stacks), NULL, {{0}}, false},
    {"weir_log_written_total", "Log records written.",
     COUNTER, INSTANT(scrape.log_written), NULL, {{0}}, false},
    {"weir_log_dropped_total", "Log records dropped because the log was not read fast enough.",
     COUNTER, INSTANT(scrape.log_dropped), NULL, {{0}}, false},
    {"weir_log_lost_bytes_total", "Bytes of log lines that could not be written.",
     COUNTER, INSTANT(scrape.log_lost_bytes), NULL, {{0}}, false},
    {"weir_config_reloads_total", "Reloads of the configuration, by result.",
     COUNTER, WORKER(reloads), NULL, {BY_CELL(RELOAD)}, false},

    {"weir_build_info", "Always 1; the label says which version runs.",
     GAUGE, INSTANT(one), NULL, {{METRICS_AXIS_VERSION, 0}}, false},
    {"weir_start_time_seconds", "When the process started, since 1970, UTC.",
     SECONDS, INSTANT(start_time_ns), NULL, {{0}}, false},
    {"process_start_time_seconds", "When the process started, since 1970, UTC.",
     SECONDS, INSTANT(start_time_ns), NULL, {{0}}, false},
    {"process_cpu_seconds_total", "CPU time that the process has used.",
     METRICS_TYPE_COUNTER, METRICS_UNIT_NS, INSTANT(process.cpu_ns), NULL, {{0}}, false},
    {"process_resident_memory_bytes", "Resident memory.",
     GAUGE, INSTANT(process.resident_bytes), NULL, {{0}}, false},
    {"process_virtual_memory_bytes", "Address space in use.",
     GAUGE, INSTANT(process.virtual_bytes), NULL, {{0}}, false},
    {"process_open_fds", "Open descriptors.",
     GAUGE, INSTANT(process.open_fds), NULL, {{0}}, false},
    {"process_max_fds", "How many descriptors may be open.",
     GAUGE, INSTANT(process.max_fds), NULL, {{0}}, false},
};
/* clang-format on */

const size_t metrics_family_count = sizeof(metrics_families) / sizeof(metrics_families[0]);

/* RFC 9110 section 15 and what is in use beside it: 499 (nginx: the client has gone), 520 to 526
 * (Cloudflare), 529 (Anthropic: overloaded). */
const uint16_t metrics_statuses[] = {
    0,   200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406,
    407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 424, 425, 426, 428, 429,
    431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 511, 520, 521, 522, 523, 524, 525, 526, 529,
};

const size_t metrics_status_count = sizeof(metrics_statuses) / sizeof(metrics_statuses[0]);
_Static_assert(sizeof(metrics_statuses) / sizeof(metrics_statuses[0]) <= METRICS_STATUSES_MAX,
               "each known status has a cell");
