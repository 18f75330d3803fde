#include "telemetry/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "telemetry/metrics_internal.h"

static const char *const endpoints[] = {"/v1/chat/completions", "/v1/models"};

static const struct metrics_config config = {
    .version = "1.2.3",
    .start_time_us = 1700000000500000,
    .endpoints = endpoints,
    .endpoint_count = 2,
};

static struct metrics *new_metrics(void)
{
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

static void a_block_is_zero_and_starts_at_a_cache_line(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    for (int i = 0; i < 5; i++) {
        const struct metrics_worker *worker = new_worker(metrics);
        assert_int_equal((uintptr_t)worker % 64, 0);
        assert_int_equal(metric_read(&worker->connections_open), 0);
        assert_int_equal(metric_read(&worker->providers[METRICS_PROVIDER_OTHER].connections_open),
                         0);
    }
    metrics_destroy(&metrics);
    assert_null(metrics);
    metrics_destroy(&metrics);
}

static void a_request_counts_under_its_route_and_status(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    metrics_request_done(worker, 1, 200, 5000000, 77, 0);
    metrics_request_done(worker, 1, 200, 5000001, 77, 0);
    metrics_request_done(worker, METRICS_ENDPOINT_OTHER, 404, 1, 0, 0);

    const struct metrics_endpoint *models = &worker->endpoints[1];
    assert_int_equal(metric_read(&models->requests[metrics->status_slots[200]]), 2);
    assert_int_equal(metric_read(&models->duration.buckets[2]), 1);
    assert_int_equal(metric_read(&models->duration.buckets[3]), 1);
    const struct metrics_endpoint *other = &worker->endpoints[METRICS_ENDPOINT_OTHER];
    assert_int_equal(metric_read(&other->requests[metrics->status_slots[404]]), 1);
    assert_int_equal(active_users_count(metrics->users, 0), 1); /* no key, no user */
    metrics_destroy(&metrics);
}

static void statuses_that_nobody_knows_are_other(void **state)
{
    (void)state;
    const unsigned unknown[] = {0, 1, 99, 100, 299, 418 + 1, 599, 600, 999, UINT32_MAX};
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        metrics_request_done(worker, 0, unknown[i], 1, 0, 0);
    assert_int_equal(metric_read(&worker->endpoints[0].requests[0]),
                     sizeof(unknown) / sizeof(unknown[0]));
    metrics_destroy(&metrics);
}

static void every_known_status_has_a_cell_of_its_own(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    for (size_t i = 1; i < metrics_status_count; i++)
        assert_int_equal(metrics->status_slots[metrics_statuses[i]], i);
    metrics_destroy(&metrics);
}

static void a_provider_keeps_its_index_over_reloads(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    const uint32_t local = metrics_provider(metrics, SLICE("local"));
    const uint32_t openai = metrics_provider(metrics, SLICE("openai"));
    assert_int_not_equal(local, openai);
    assert_int_equal(metrics_provider(metrics, SLICE("local")), local);
    assert_int_equal(metrics_provider(metrics, SLICE("openai")), openai);
    assert_int_equal(metrics_provider(metrics, SLICE("other")), METRICS_PROVIDER_OTHER);
    metrics_destroy(&metrics);
}

static void providers_beyond_the_table_are_other(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    char name[16];
    for (unsigned i = 0; i < METRICS_PROVIDERS_MAX; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        assert_int_equal(metrics_provider(metrics, slice_from_text(name)), i);
    }
    assert_int_equal(metrics_provider(metrics, SLICE("one more")), METRICS_PROVIDER_OTHER);
    assert_int_equal(metrics_provider(metrics, SLICE("p7")), 7);
    metrics_destroy(&metrics);
}

static void long_names_that_begin_alike_share_an_index(void **state)
{
    (void)state;
    static char name[METRICS_NAME_SIZE + 8];
    struct metrics *metrics = new_metrics();
    memset(name, 'n', sizeof(name));
    const uint32_t index = metrics_provider(metrics, slice_of(name, sizeof(name)));
    assert_int_equal(metrics_provider(metrics, slice_of(name, METRICS_NAME_SIZE)), index);
    assert_int_not_equal(metrics_provider(metrics, slice_of(name, METRICS_NAME_SIZE - 1)), index);
    metrics_destroy(&metrics);
}

static void a_target_is_a_pair_and_keeps_its_index(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    const uint32_t first = metrics_target(metrics, SLICE("gpt*"), SLICE("openai"));
    const uint32_t second = metrics_target(metrics, SLICE("gpt*"), SLICE("local"));
    const uint32_t third = metrics_target(metrics, SLICE("*"), SLICE("openai"));
    assert_int_not_equal(first, second);
    assert_int_not_equal(first, third);
    assert_int_not_equal(second, third);
    assert_int_equal(metrics_target(metrics, SLICE("gpt*"), SLICE("openai")), first);
    assert_int_equal(metrics_target(metrics, SLICE("*"), SLICE("openai")), third);
    assert_int_not_equal(metrics_target(metrics, SLICE("gpt*o"), SLICE("penai")), first);
    metrics_destroy(&metrics);
}

static void only_a_pair_of_others_is_the_target_other(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    assert_int_equal(metrics_target(metrics, SLICE("other"), SLICE("other")), METRICS_TARGET_OTHER);
    assert_true(metrics_target(metrics, SLICE("other"), SLICE("local")) < METRICS_TARGET_OTHER);
    assert_true(metrics_target(metrics, SLICE("*"), SLICE("other")) < METRICS_TARGET_OTHER);
    metrics_destroy(&metrics);
}

static void targets_beyond_the_table_are_other(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    char name[16];
    for (unsigned i = 0; i < METRICS_TARGETS_MAX; i++) {
        snprintf(name, sizeof(name), "m%u", i / 2);
        const struct slice provider = i % 2 == 0 ? SLICE("local") : SLICE("openai");
        assert_int_equal(metrics_target(metrics, slice_from_text(name), provider), i);
    }
    assert_int_equal(metrics_target(metrics, SLICE("m7"), SLICE("azure")), METRICS_TARGET_OTHER);
    assert_int_equal(metrics_target(metrics, SLICE("m7"), SLICE("openai")), 15);
    metrics_destroy(&metrics);
}

static void long_targets_that_begin_alike_share_an_index(void **state)
{
    (void)state;
    static char name[METRICS_NAME_SIZE + 8];
    struct metrics *metrics = new_metrics();
    memset(name, 'n', sizeof(name));
    const struct slice whole = slice_of(name, sizeof(name));
    const struct slice cut = slice_of(name, METRICS_NAME_SIZE);
    assert_int_equal(metrics_target(metrics, whole, whole), metrics_target(metrics, cut, cut));
    assert_int_not_equal(metrics_target(metrics, whole, whole),
                         metrics_target(metrics, slice_of(name, 0), cut));
    metrics_destroy(&metrics);
}

static void the_longest_turn_is_kept(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = new_worker(metrics);
    metrics_turn(worker, 5000);
    metrics_turn(worker, 70000);
    metrics_turn(worker, 6000);
    assert_int_equal(metric_read(&worker->turn_longest_ns), 70000);
    assert_int_equal(metric_read(&worker->turns.sum_ns), 81000);
    metrics_destroy(&metrics);
}

static void hashes_of_users_differ_and_are_never_zero(void **state)
{
    (void)state;
    struct id id = {{0}};
    uint64_t former = 0;
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            id.bytes[i] = (unsigned char)(1U << bit);
            const uint64_t hash = metrics_user_hash(&id);
            assert_true(hash != 0 && hash != former);
            former = hash;
        }
        id.bytes[i] = 0;
    }
    assert_true(metrics_user_hash(&id) != 0);
}

static void blocks_and_endpoints_are_bounded(void **state)
{
    (void)state;
    struct metrics *metrics = new_metrics();
    struct metrics_worker *worker = NULL;
    for (int i = 0; i < METRICS_WORKERS_MAX; i++)
        new_worker(metrics);
    assert_int_equal(metrics_worker_open(metrics, &worker), STATUS_LIMITED);
    assert_null(worker);
    metrics_destroy(&metrics);

    struct metrics_config many = config;
    many.endpoint_count = METRICS_ENDPOINTS_MAX + 1;
    assert_int_equal(metrics_create(&many, &metrics), STATUS_INVALID);
    assert_null(metrics);
}

static void create_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct metrics *metrics = NULL;
        struct metrics_worker *worker = NULL;
        alloc_fail_nth(nth);
        enum status status = metrics_create(&config, &metrics);
        if (status == STATUS_OK)
            status = metrics_worker_open(metrics, &worker);
        alloc_fail_nth(-1);
        metrics_destroy(&metrics);
        if (status == STATUS_OK) {
            assert_int_equal(nth, 3);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_null(worker);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_zero_and_starts_at_a_cache_line),
        cmocka_unit_test(a_request_counts_under_its_route_and_status),
        cmocka_unit_test(statuses_that_nobody_knows_are_other),
        cmocka_unit_test(every_known_status_has_a_cell_of_its_own),
        cmocka_unit_test(a_provider_keeps_its_index_over_reloads),
        cmocka_unit_test(providers_beyond_the_table_are_other),
        cmocka_unit_test(long_names_that_begin_alike_share_an_index),
        cmocka_unit_test(a_target_is_a_pair_and_keeps_its_index),
        cmocka_unit_test(only_a_pair_of_others_is_the_target_other),
        cmocka_unit_test(targets_beyond_the_table_are_other),
        cmocka_unit_test(long_targets_that_begin_alike_share_an_index),
        cmocka_unit_test(the_longest_turn_is_kept),
        cmocka_unit_test(hashes_of_users_differ_and_are_never_zero),
        cmocka_unit_test(blocks_and_endpoints_are_bounded),
        cmocka_unit_test(create_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
