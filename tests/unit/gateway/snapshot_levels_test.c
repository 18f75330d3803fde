#include "gateway/snapshot_levels.h"

#include "unit/config/loading.h"

#include "base/clock.h"
#include "gateway/snapshot.h"
#include "policy/admission.h"

static struct counters *counters;

static int open_counters(void **state)
{
    (void)state;
    return counters_create(&counters, NULL) == STATUS_OK ? 0 : -1;
}

static int close_counters(void **state)
{
    (void)state;
    assert_int_equal(counters_used(counters), 0); /* all levels are gone */
    counters_destroy(&counters);
    return 0;
}

#define PROVIDERS                                                                                  \
    "providers:\n"                                                                                 \
    "  one: { base_url: 'http://127.0.0.1:9/v1', api_key: k, limits: [7parallel] }\n"              \
    "  two: { base_url: 'http://127.0.0.1:9/v1', api_key: k }\n"

static const char yaml[] = PROVIDERS "limits: [100req/min, 5usd/day]\n"
                                     "models:\n"
                                     "  - { name: a, targets: [one], limits: [3req/day] }\n"
                                     "  - { name: b, targets: [two] }\n";

/* `b` goes before `a`, which may do more than before. */
static const char other_yaml[] = PROVIDERS "limits: [100req/min]\n"
                                           "models:\n"
                                           "  - { name: b, targets: [two] }\n"
                                           "  - { name: a, targets: [one], limits: [5req/day] }\n";

static struct snapshot *made(const char *text, const struct snapshot *former)
{
    struct loading loading = {0};
    struct snapshot *snapshot = NULL;
    const struct config *config = config_ref(loading_sound(&loading, text));
    loading_end(&loading);
    assert_int_equal(snapshot_create_for_prices(&config, &snapshot, NULL), STATUS_OK);
    assert_int_equal(snapshot_levels_make(snapshot, counters, former), STATUS_OK);
    return snapshot;
}

/* Takes so many requests at the level; false: one of them is refused. */
static bool take(struct level *level, int count)
{
    const struct admission_levels levels = {.of = {[LEVEL_MODEL] = level}};
    const struct admission_demand demand = {.now_ns = NS_PER_MS, .now_us = US_PER_S};
    const struct admission_actual actual = {.now_ns = NS_PER_MS};
    struct admission_take takes[4];
    struct admission_refusal refusal;
    for (int i = 0; i < count; i++) {
        struct admission_grant grant = {.takes = takes};
        if (admission_take(&levels, &demand, &grant, &refusal) != ADMISSION_ADMITTED)
            return false;
        admission_settle(&grant, &actual, NULL);
    }
    return true;
}

static void each_rule_and_provider_and_the_gateway_has_its_own(void **state)
{
    (void)state;
    struct snapshot *snapshot = made(yaml, NULL);
    const struct snapshot_levels *levels = &snapshot->levels;
    assert_int_equal(level_count(levels->gateway), 2);
    assert_int_equal(level_count(levels->rules[0]), 1);
    assert_null(levels->rules[1]);
    for (size_t i = 0; i < snapshot->config->provider_count; i++) {
        const bool is_one = slice_equal(snapshot->config->providers[i].name, SLICE("one"));
        assert_int_equal(level_count(levels->providers[i]), is_one ? 1 : 0);
    }
    snapshot_unref(&snapshot);
}

static void what_was_counted_goes_on_by_the_name_of_the_rule(void **state)
{
    (void)state;
    struct snapshot *former = made(yaml, NULL);
    assert_true(take(former->levels.rules[0], 3));
    assert_false(take(former->levels.rules[0], 1));
    struct snapshot *next = made(other_yaml, former);
    snapshot_levels_succeed(next, former, NS_PER_MS);
    snapshot_unref(&former);
    assert_null(next->levels.rules[0]);
    assert_true(take(next->levels.rules[1], 2)); /* five less those three */
    assert_false(take(next->levels.rules[1], 1));
    snapshot_unref(&next);
}

static void a_snapshot_that_is_never_in_force_changes_nothing(void **state)
{
    (void)state;
    struct snapshot *former = made(yaml, NULL);
    assert_true(take(former->levels.rules[0], 1));
    struct snapshot *refused = made(other_yaml, former);
    snapshot_unref(&refused);
    assert_true(take(former->levels.rules[0], 2));
    assert_false(take(former->levels.rules[0], 1));
    snapshot_unref(&former);
}

static void a_snapshot_without_levels_has_nothing_to_follow_or_free(void **state)
{
    (void)state;
    struct loading loading = {0};
    struct snapshot *plain = NULL;
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    assert_int_equal(snapshot_create_for_prices(&config, &plain, NULL), STATUS_OK);
    struct snapshot *snapshot = made(yaml, NULL);
    snapshot_levels_succeed(snapshot, NULL, NS_PER_MS);
    snapshot_levels_succeed(snapshot, plain, NS_PER_MS);
    snapshot_levels_succeed(plain, snapshot, NS_PER_MS);
    snapshot_unref(&snapshot);
    snapshot_unref(&plain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_counters, close_counters)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_rule_and_provider_and_the_gateway_has_its_own),
        TEST(what_was_counted_goes_on_by_the_name_of_the_rule),
        TEST(a_snapshot_that_is_never_in_force_changes_nothing),
        TEST(a_snapshot_without_levels_has_nothing_to_follow_or_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
