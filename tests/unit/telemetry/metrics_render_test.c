#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "telemetry/metrics_internal.h"

#define MS(n) ((n) * UINT64_C(1000000))

static const char *const endpoints[] = {"/v1/chat/completions", "/v1/models"};

static struct metrics *new_metrics(void)
{
    const struct metrics_config config = {
        .version = "1.2.3",
        .start_time_us = 1700000000500000,
        .endpoints = endpoints,
        .endpoint_count = 2,
    };
    struct metrics *metrics = NULL;
    assert_int_equal(metrics_create(&config, &metrics), STATUS_OK);
    return metrics;
}

static struct metrics_worker *new_worker(struct metrics *metrics)
{
    struct metrics_worker *worker = NULL;
    assert_int_equal(metrics_worker_open(metrics, &worker), STATUS_OK);
    return worker;
}

/* The text with a zero byte after it. */
static const char *render(struct metrics *metrics, struct buffer *out)
{
    const struct metrics_scrape scrape = {
        .now_ns = MS(1000),
        .body_memory_bytes = 4096,
        .coroutine_stacks = 3,
        .log_dropped = 17,
        .log_written = 18,
        .log_lost_bytes = 19,
        .ledger =
            {
                .journal_bytes = 201,
                .undrained_bytes = 202,
                .records = 203,
                .records_lost = 204,
                .rows = 205,
                .batches = 206,
                .orphans = 207,
                .failures = 208,
                .syncs = 209,
                .sync_failures = 210,
                .sync_longest_ns = 211,
                .drain_cpu_ns = 212,
                .open_requests = 213,
                .is_full = 214,
                .has_failed = 215,
                .store_has_failed = 216,
            },
    };
    buffer_init(out, METRICS_RENDERED_BYTES_MAX);
    assert_int_equal(metrics_render(metrics, &scrape, out), STATUS_OK);
    assert_int_equal(buffer_append_byte(out, '\0'), STATUS_OK);
    return out->data;
}

/* Whether the text has exactly this line. */
static bool has_line(const char *text, const char *line)
{
    const size_t size = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at += size) {
        if ((at == text || at[-1] == '\n') && at[size] == '\n')
            return true;
    }
    return false;
}

static void assert_lines(struct metrics *metrics, const char *const *lines, size_t count)
{
    struct buffer out;
    const char *text = render(metrics, &out);
    for (size_t i = 0; i < count; i++) {
        if (!has_line(text, lines[i]))
            fail_msg("no line \"%s\" in:\n%s", lines[i], text);
    }
    buffer_fini(&out);
}

#define ASSERT_LINES(metrics, ...)                                                                 \
    do {                                                                                           \
        const char *const lines[] = {__VA_ARGS__};                                                 \
        assert_lines(metrics, lines, sizeof(lines) / sizeof(lines[0]));                            \
    } while (0)

static void requests_of_all_threads_are_added_up(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *first = new_worker(metrics);
    struct metrics_worker *second = new_worker(metrics);
    metrics_request_done(first, 0, 200, MS(812), 1, MS(1000));
    metrics_request_done(second, 0, 200, MS(601000), 1, MS(1000));
    metrics_request_done(second, 0, 429, 1, UINT64_C(1) << 40, MS(1000));
    metrics_request_done(second, METRICS_ENDPOINT_OTHER, 777, 1, 0, MS(1000));
    ASSERT_LINES(
        metrics, "# TYPE api_requests_total counter",
        "api_requests_total{endpoint=\"/v1/chat/completions\",status=\"200\"} 2",
        "api_requests_total{endpoint=\"/v1/chat/completions\",status=\"429\"} 1",
        "api_requests_total{endpoint=\"other\",status=\"other\"} 1",
        "# TYPE api_request_duration_seconds histogram",
        "api_request_duration_seconds_bucket{endpoint=\"/v1/chat/completions\",le=\"0.001\"} 1",
        "api_request_duration_seconds_bucket{endpoint=\"/v1/chat/completions\",le=\"0.5\"} 1",
        "api_request_duration_seconds_bucket{endpoint=\"/v1/chat/completions\",le=\"1\"} 2",
        "api_request_duration_seconds_bucket{endpoint=\"/v1/chat/completions\",le=\"600\"} 2",
        "api_request_duration_seconds_bucket{endpoint=\"/v1/chat/completions\",le=\"+Inf\"} 3",
        "api_request_duration_seconds_sum{endpoint=\"/v1/chat/completions\"} 601.812000001",
        "api_request_duration_seconds_count{endpoint=\"/v1/chat/completions\"} 3",
        "# TYPE active_users gauge", "active_users 2");
    metrics_destroy(&metrics);
}

static void routes_that_nobody_asked_for_have_no_series(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct buffer out;
    metrics_request_done(new_worker(metrics), 0, 200, 1, 0, 0);
    const char *text = render(metrics, &out);
    assert_null(strstr(text, "/v1/models"));
    assert_null(strstr(text, "endpoint=\"other\""));
    assert_null(strstr(text, "status=\"404\""));
    buffer_fini(&out);
    metrics_destroy(&metrics);
}

static void what_can_happen_is_zero_until_it_does(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    metrics_provider(metrics, SLICE("local"));
    ASSERT_LINES(metrics, "weir_connections_refused_total{reason=\"tls\"} 0",
                 "weir_streams_total{outcome=\"upstream_broken\"} 0",
                 "weir_config_reloads_total{result=\"failed\"} 0",
                 "weir_upstream_failures_total{provider=\"local\",kind=\"dns\"} 0",
                 "weir_upstream_attempts_total{provider=\"local\",outcome=\"answered\"} 0",
                 "weir_loop_turn_seconds_bucket{le=\"+Inf\"} 0", "weir_loop_turn_seconds_sum 0",
                 "active_users 0");
    metrics_destroy(&metrics);
}

/* One cell of each kind, each with a number of its own, so that no two can be mixed up. */
static void every_cell_is_shown_under_its_name(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    struct metrics_provider *local = &worker->providers[metrics_provider(metrics, SLICE("local"))];
    metric_add(&worker->connections_open, 101);
    metric_add(&worker->connections_accepted, 102);
    metric_add(&worker->connections_refused[METRICS_REFUSAL_ADDRESS], 103);
    metric_add(&worker->requests_in_flight, 104);
    metric_add(&worker->requests_overload[METRICS_OVERLOAD_BODY_MEMORY], 105);
    metric_add(&worker->streams_open, 106);
    metric_add(&worker->streams[OUTCOME_TIMED_OUT], 107);
    metric_add(&worker->bytes_to_client, 108);
    metric_add(&worker->bytes_to_upstream, 109);
    metric_add(&worker->users_uncounted, 110);
    metric_add(&worker->reloads[METRICS_RELOAD_OK], 111);
    metric_add(&local->connections_open, 112);
    metric_add(&local->connections_idle, 113);
    metric_add(&local->connections_created, 114);
    metric_add(&local->connections_reused, 115);
    metric_add(&local->connections_replaced, 116);
    metric_add(&local->failures[METRICS_FAILURE_CLOSED], 117);
    metric_add(&local->attempts[METRICS_ATTEMPT_BROKEN], 118);
    metrics_first_byte(worker, 0, MS(40));
    metrics_turn(worker, 12345);
    ASSERT_LINES(
        metrics, "weir_connections_open 101", "weir_connections_accepted_total 102",
        "weir_connections_refused_total{reason=\"connections_per_address\"} 103",
        "weir_requests_in_flight 104", "weir_requests_overload_total{reason=\"body_memory\"} 105",
        "weir_streams_open 106", "weir_streams_total{outcome=\"timed_out\"} 107",
        "weir_relayed_to_client_bytes_total 108", "weir_relayed_to_upstream_bytes_total 109",
        "weir_active_users_uncounted_total 110", "weir_config_reloads_total{result=\"ok\"} 111",
        "weir_upstream_connections_open{provider=\"local\"} 112",
        "weir_upstream_connections_idle{provider=\"local\"} 113",
        "weir_upstream_connections_created_total{provider=\"local\"} 114",
        "weir_upstream_connections_reused_total{provider=\"local\"} 115",
        "weir_upstream_connections_replaced_total{provider=\"local\"} 116",
        "weir_upstream_failures_total{provider=\"local\",kind=\"closed\"} 117",
        "weir_upstream_attempts_total{provider=\"local\",outcome=\"broken\"} 118",
        "weir_first_byte_seconds_sum{provider=\"local\"} 0.04",
        "weir_first_byte_seconds_count{provider=\"local\"} 1",
        "weir_loop_turn_seconds_bucket{le=\"0.000025\"} 1",
        "weir_loop_turn_seconds_sum 0.000012345", "weir_loop_turn_longest_seconds 0.000012345");
    metrics_destroy(&metrics);
}

static void what_the_scrape_is_told_is_shown(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    ASSERT_LINES(metrics, "weir_body_memory_bytes 4096", "weir_coroutine_stacks 3",
                 "weir_log_dropped_total 17", "weir_log_written_total 18",
                 "weir_log_lost_bytes_total 19", "weir_build_info{version=\"1.2.3\"} 1",
                 "weir_start_time_seconds 1700000000.5", "process_start_time_seconds 1700000000.5",
                 "# TYPE process_cpu_seconds_total counter",
                 "# TYPE process_resident_memory_bytes gauge", "# TYPE process_open_fds gauge");
    metrics_destroy(&metrics);
}

static void the_ledger_is_shown_as_the_scrape_is_told(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    ASSERT_LINES(metrics, "weir_ledger_journal_bytes 201", "weir_ledger_undrained_bytes 202",
                 "weir_ledger_records_total 203", "weir_ledger_records_lost_total 204",
                 "weir_ledger_rows_total 205", "weir_ledger_batches_total 206",
                 "weir_ledger_orphans_total 207", "weir_ledger_failures_total 208",
                 "weir_ledger_syncs_total 209", "weir_ledger_sync_failures_total 210",
                 "weir_ledger_sync_longest_seconds 0.000000211",
                 "weir_ledger_drain_cpu_seconds_total 0.000000212", "weir_ledger_open_requests 213",
                 "weir_ledger_full 214", "weir_ledger_failed 215", "weir_ledger_store_failed 216",
                 "# TYPE weir_ledger_drain_cpu_seconds_total counter",
                 "# TYPE weir_ledger_journal_bytes gauge");
    metrics_destroy(&metrics);
}

/* One number for each cell, as above. */
static void every_cell_of_a_target_is_shown_under_its_name(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    metrics_target(metrics, SLICE("*"), SLICE("local"));
    const uint32_t index = metrics_target(metrics, SLICE("gpt*"), SLICE("openai"));
    struct metrics_target *target = &worker->targets[index];
    metric_add(&target->requests, 301);
    for (unsigned i = 0; i < METRICS_TOKENS_COUNT; i++)
        metric_add(&target->tokens[i], 302 + i);
    metric_add(&target->cost_nanousd, 308);
    metric_add(&target->unpriced, 309);
    metric_add(&target->estimated, 310);
    metric_add(&worker->requests_unrecorded, 311);
    metric_add(&worker->requests_overload[METRICS_OVERLOAD_LEDGER], 312);
    ASSERT_LINES(metrics, "weir_requests_total{model=\"gpt*\",provider=\"openai\"} 301",
                 "weir_tokens_total{model=\"gpt*\",provider=\"openai\",type=\"input\"} 302",
                 "weir_tokens_total{model=\"gpt*\",provider=\"openai\",type=\"output\"} 303",
                 "weir_tokens_total{model=\"gpt*\",provider=\"openai\",type=\"cached\"} 304",
                 "weir_tokens_total{model=\"gpt*\",provider=\"openai\",type=\"cache_write\"} 305",
                 "weir_tokens_total{model=\"gpt*\",provider=\"openai\",type=\"reasoning\"} 306",
                 "weir_tokens_total{model=\"gpt*\",provider=\"openai\",type=\"audio\"} 307",
                 "# TYPE weir_cost_usd_total counter",
                 "weir_cost_usd_total{model=\"gpt*\",provider=\"openai\"} 0.000000308",
                 "weir_requests_unpriced_total{model=\"gpt*\",provider=\"openai\"} 309",
                 "weir_requests_estimated_total{model=\"gpt*\",provider=\"openai\"} 310",
                 "weir_requests_unrecorded_total 311",
                 "weir_requests_overload_total{reason=\"ledger\"} 312");
    metrics_destroy(&metrics);
}

/* Money is shown to the nano-dollar, however much it is. */
static void costs_are_exact(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *first = new_worker(metrics);
    struct metrics_worker *second = new_worker(metrics);
    const uint32_t index = metrics_target(metrics, SLICE("a"), SLICE("b"));
    metric_add(&first->targets[index].cost_nanousd, UINT64_C(9007199254740993));
    metric_add(&second->targets[index].cost_nanousd, UINT64_C(1000000000000000000));
    ASSERT_LINES(metrics, "weir_cost_usd_total{model=\"a\",provider=\"b\"} 1009007199.254740993");
    metric_set(&second->targets[index].cost_nanousd, UINT64_C(10) - 3);
    metric_set(&first->targets[index].cost_nanousd, UINT64_C(5000000000) - 7);
    ASSERT_LINES(metrics, "weir_cost_usd_total{model=\"a\",provider=\"b\"} 5");
    metrics_destroy(&metrics);
}

static void targets_show_when_they_count(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    struct buffer out;
    metrics_target(metrics, SLICE("gpt*"), SLICE("openai"));
    assert_null(strstr(render(metrics, &out), "model="));
    buffer_fini(&out);
    metric_add(&worker->targets[METRICS_TARGET_OTHER].requests, 5);
    ASSERT_LINES(metrics, "weir_requests_total{model=\"other\",provider=\"other\"} 5");
    metrics_destroy(&metrics);
}

static void the_longest_turn_is_that_of_any_thread(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    metrics_turn(new_worker(metrics), MS(3));
    metrics_turn(new_worker(metrics), MS(5));
    metrics_turn(new_worker(metrics), MS(4));
    ASSERT_LINES(metrics, "weir_loop_turn_longest_seconds 0.005");
    metrics_destroy(&metrics);
}

static void a_gauge_may_rise_in_one_thread_and_fall_in_another(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *first = new_worker(metrics);
    struct metrics_worker *second = new_worker(metrics);
    metric_add(&first->streams_open, 3);
    metric_subtract(&second->streams_open, 2);
    ASSERT_LINES(metrics, "weir_streams_open 1");
    metric_subtract(&second->streams_open, 2);
    ASSERT_LINES(metrics, "weir_streams_open 0");
    metrics_destroy(&metrics);
}

static void the_rest_of_the_providers_shows_when_it_counts(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    struct buffer out;
    metrics_provider(metrics, SLICE("local"));
    assert_null(strstr(render(metrics, &out), "provider=\"other\""));
    buffer_fini(&out);
    metric_add(&worker->providers[METRICS_PROVIDER_OTHER].connections_created, 5);
    ASSERT_LINES(metrics, "weir_upstream_connections_created_total{provider=\"local\"} 0",
                 "weir_upstream_connections_created_total{provider=\"other\"} 5");
    metrics_destroy(&metrics);
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    metrics_provider(metrics, SLICE("a\"b\\c\nd"));
    const uint32_t target = metrics_target(metrics, SLICE("e\"f*"), SLICE("g\nh"));
    metric_add(&worker->targets[target].requests, 1);
    ASSERT_LINES(metrics, "weir_upstream_connections_open{provider=\"a\\\"b\\\\c\\nd\"} 0",
                 "weir_requests_total{model=\"e\\\"f*\",provider=\"g\\nh\"} 1");
    metrics_destroy(&metrics);
}

/* Each family once, named as Prometheus asks: counters end in _total, nothing else does. */
static void families_are_named_by_the_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < metrics_family_count; i++) {
        const struct metrics_family *family = &metrics_families[i];
        const struct slice name = slice_from_text(family->name);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(family->name, metrics_families[j].name);
        assert_int_equal(slice_ends_with(name, SLICE("_total")),
                         family->type == METRICS_TYPE_COUNTER);
        if (family->unit == METRICS_UNIT_NS)
            assert_true(slice_find(name, SLICE("_seconds")) < name.size);
        if (family->unit == METRICS_UNIT_NANOUSD)
            assert_true(slice_find(name, SLICE("_usd")) < name.size);
        assert_int_equal(family->type == METRICS_TYPE_HISTOGRAM, family->scale != NULL);
        assert_true(slice_ends_with(slice_from_text(family->help), SLICE(".")));
        assert_null(strpbrk(family->help, "\\\n"));
    }
}

static void a_buffer_that_is_too_small_is_said(void **state)
{
    (void)state;
    const struct metrics_scrape scrape = {0};
    struct metrics *metrics = new_metrics();
    struct buffer out;
    buffer_init(&out, 100);
    assert_int_equal(metrics_render(metrics, &scrape, &out), STATUS_TOO_LARGE);
    buffer_fini(&out);
    buffer_init(&out, 1024 * 1024);
    alloc_fail_nth(0);
    assert_int_equal(metrics_render(metrics, &scrape, &out), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    buffer_fini(&out);
    metrics_destroy(&metrics);
}

/* One of many names that are as long as a name can be, and grow as much as escaping lets them. */
static struct slice worst_name(uint32_t number)
{
    static char names[2][METRICS_NAME_SIZE];
    static unsigned turn;
    char *name = names[turn++ % 2];
    for (unsigned i = 0; i < METRICS_NAME_SIZE; i++)
        name[i] = i < 32 && (number >> i & 1) != 0 ? 1 : 2;
    return slice_of(name, METRICS_NAME_SIZE);
}

static void a_full_house_stays_within_the_stated_size(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    struct buffer out;
    for (uint32_t i = 0; i < METRICS_PROVIDERS_MAX; i++)
        metrics_first_byte(worker, metrics_provider(metrics, worst_name(i)), 1);
    for (uint32_t i = 0; i < METRICS_TARGETS_MAX; i++) {
        struct metrics_target *target =
            &worker->targets[metrics_target(metrics, worst_name(i), worst_name(0))];
        for (metric_cell *cell = (metric_cell *)target; cell < (metric_cell *)(target + 1); cell++)
            metric_set(cell, UINT64_MAX);
    }
    assert_int_equal(metrics->target_count, METRICS_TARGETS_MAX);
    render(metrics, &out);
    assert_true(out.size < METRICS_RENDERED_BYTES_MAX);
    buffer_fini(&out);
    metrics_destroy(&metrics);
}

struct counting {
    struct metrics *metrics;
    struct metrics_worker *worker;
};

static void *count(void *argument)
{
    const struct counting *counting = argument;
    for (unsigned i = 0; i < 20000; i++) {
        metrics_request_done(counting->worker, i % 2, 200, i, i % 50 + 1, MS(1000));
        if (i % 1000 == 0)
            metrics_provider(counting->metrics, slice_of(&"abcdefghijklmnopqrst"[i / 1000], 1));
    }
    return NULL;
}

static void a_scrape_beside_counting_threads_sees_sums_that_fit(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct counting counting[2];
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        counting[i] = (struct counting){metrics, new_worker(metrics)};
        assert_int_equal(pthread_create(&threads[i], NULL, count, &counting[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        struct buffer out;
        assert_non_null(strstr(render(metrics, &out), "active_users "));
        buffer_fini(&out);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    ASSERT_LINES(metrics,
                 "api_requests_total{endpoint=\"/v1/chat/completions\",status=\"200\"} 20000",
                 "api_request_duration_seconds_count{endpoint=\"/v1/models\"} 20000",
                 "api_request_duration_seconds_bucket{endpoint=\"/v1/models\",le=\"+Inf\"} 20000");
    metrics_destroy(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_all_threads_are_added_up),
        cmocka_unit_test(routes_that_nobody_asked_for_have_no_series),
        cmocka_unit_test(what_can_happen_is_zero_until_it_does),
        cmocka_unit_test(every_cell_is_shown_under_its_name),
        cmocka_unit_test(what_the_scrape_is_told_is_shown),
        cmocka_unit_test(the_ledger_is_shown_as_the_scrape_is_told),
        cmocka_unit_test(every_cell_of_a_target_is_shown_under_its_name),
        cmocka_unit_test(costs_are_exact),
        cmocka_unit_test(targets_show_when_they_count),
        cmocka_unit_test(the_longest_turn_is_that_of_any_thread),
        cmocka_unit_test(a_gauge_may_rise_in_one_thread_and_fall_in_another),
        cmocka_unit_test(the_rest_of_the_providers_shows_when_it_counts),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(families_are_named_by_the_rules),
        cmocka_unit_test(a_buffer_that_is_too_small_is_said),
        cmocka_unit_test(a_full_house_stays_within_the_stated_size),
        cmocka_unit_test(a_scrape_beside_counting_threads_sees_sums_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
