#include "policy/level.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "policy/admission.h"

#define NOW_NS (1000 * 1000 * NS_PER_MS)
#define NOW_US (UINT64_C(1795521600) * US_PER_S)
#define USD    UINT64_C(1000000000)

static struct counters *counters;

static int set_up(void **state)
{
    (void)state;
    return counters_create(&counters, NULL) == STATUS_OK ? 0 : -1;
}

/* Whatever a test did, no record is lost. */
static int tear_down(void **state)
{
    (void)state;
    if (counters_used(counters) > 0)
        return -1;
    counters_destroy(&counters);
    return 0;
}

static struct level *level_of(const char *text, const struct level *former)
{
    struct limits limits;
    struct level *level = NULL;
    assert_int_equal(limits_parse(slice_from_text(text), &limits, NULL), STATUS_OK);
    assert_int_equal(level_create(counters, &limits, false, former, &level), STATUS_OK);
    return level;
}

static struct level_state state_of(const struct level *level, size_t index)
{
    struct level_state state;
    level_state(level, index, NULL, NOW_NS, NOW_US, &state);
    return state;
}

/* Takes a request of 100 tokens and a dollar. */
static void take(struct level *level, struct admission_grant *grant)
{
    const struct admission_levels levels = {.of = {level}};
    const struct admission_demand demand = {NOW_NS, NOW_US, 100, USD};
    struct admission_refusal refusal;
    assert_int_equal(admission_take(&levels, &demand, grant, &refusal), ADMISSION_ADMITTED);
}

static void settle(struct admission_grant *grant)
{
    const struct admission_actual actual = {NOW_NS, 100, USD, false};
    admission_settle(grant, &actual, NULL);
}

static void a_level_tells_what_it_has(void **state)
{
    (void)state;
    struct limits limits;
    struct level *level = NULL;
    assert_int_equal(limits_parse(SLICE("60req/min,2usd/day"), &limits, NULL), STATUS_OK);
    assert_int_equal(level_create(counters, &limits, true, NULL, &level), STATUS_OK);
    assert_int_equal(level_count(level), 2);
    assert_int_equal(level_limit(level, 0)->amount, 60);
    assert_int_equal(level_limit(level, 1)->kind, LIMIT_MONEY);
    assert_true(level_is_warn_only(level) && level_has_budget(level));
    assert_int_equal(counters_used(counters), 2);
    level_unref(&level);
    assert_null(level);
    level = level_of("60req/min", NULL);
    assert_false(level_is_warn_only(level) || level_has_budget(level));
    level_unref(&level);
}

static void without_limits_there_is_no_level(void **state)
{
    (void)state;
    struct level *level = level_of("", NULL);
    assert_null(level);
    assert_int_equal(level_count(level), 0);
    assert_false(level_is_warn_only(level) || level_has_budget(level));
    assert_null(level_ref(level));
    level_unref(&level);
    struct level *first = level_of("1req/min", level);
    assert_non_null(first);
    level_unref(&first);
}

static void a_level_that_follows_another_goes_on_counting(void **state)
{
    (void)state;
    struct admission_take takes[5];
    struct admission_grant grant = {.takes = takes};
    struct level *first = level_of("10req/min,1000tok/day,5parallel,3usd/day,9usd/month", NULL);
    take(first, &grant);
    struct level *second = level_of("4usd/day,20req/min,7req/day,5parallel", first);
    assert_int_equal(counters_used(counters), 6);
    level_unref(&first);
    assert_int_equal(counters_used(counters), 6); /* the grant has it still */
    assert_int_equal(state_of(second, 0).held, USD);
    assert_int_equal(state_of(second, 0).remaining, 3 * USD);
    assert_int_equal(state_of(second, 1).used, 2); /* 1 of 10 is 2 of 20 */
    assert_int_equal(state_of(second, 2).used, 0);
    assert_int_equal(state_of(second, 3).used, 1);
    settle(&grant);
    assert_int_equal(counters_used(counters), 4);
    assert_int_equal(state_of(second, 0).used, USD);
    assert_int_equal(state_of(second, 0).held, 0);
    assert_int_equal(state_of(second, 3).used, 0);
    level_unref(&second);
}

static void a_rate_that_changes_counts_what_was_taken_and_what_comes_back(void **state)
{
    (void)state;
    struct admission_take takes[4];
    struct admission_grant grant = {.takes = takes};
    struct level *first = level_of("10req/min,1000tok/min,5parallel,3usd/day", NULL);
    take(first, &grant);
    struct level *second = level_of("20req/min,100tok/min,5parallel,4usd/day", first);
    level_succeed(second, first, NOW_NS);
    level_unref(&first);
    assert_int_equal(state_of(second, 0).used, 1);
    assert_int_equal(state_of(second, 1).used, 100);
    struct level *third = level_of("30req/min,2000tok/min", second);
    level_succeed(third, second, NOW_NS);
    level_unref(&second);
    assert_int_equal(state_of(third, 0).used, 1);
    assert_int_equal(state_of(third, 1).used, 100);
    const struct admission_actual actual = {NOW_NS, 30, USD, false};
    admission_settle(&grant, &actual, NULL);
    assert_int_equal(state_of(third, 0).used, 1);
    assert_int_equal(state_of(third, 1).used, 30);
    level_succeed(third, NULL, NOW_NS);
    level_succeed(NULL, third, NOW_NS);
    level_unref(&third);
}

static void a_limit_that_comes_back_begins_anew(void **state)
{
    (void)state;
    struct admission_take takes[1];
    struct admission_grant grant = {.takes = takes};
    struct level *first = level_of("3usd/day", NULL);
    take(first, &grant);
    settle(&grant);
    struct level *second = level_of("10req/min", first);
    level_unref(&first);
    struct level *third = level_of("3usd/day", second);
    level_unref(&second);
    assert_int_equal(state_of(third, 0).used, 0);
    level_unref(&third);
}

static void where_a_limit_stands_is_told_in_its_unit(void **state)
{
    (void)state;
    struct admission_take takes[5];
    struct admission_grant grant = {.takes = takes};
    struct level *level = level_of("60req/min,1000tok/hour,5parallel,3usd/day,9usd/total", NULL);
    take(level, &grant);
    const struct level_state requests = state_of(level, 0), tokens = state_of(level, 1);
    const struct level_state parallel = state_of(level, 2), money = state_of(level, 3);
    assert_true(requests.used == 1 && requests.remaining == 59 && requests.held == 0);
    assert_int_equal(requests.reset_us, US_PER_S);
    assert_true(tokens.used == 100 && tokens.remaining == 900);
    assert_int_equal(tokens.reset_us, 360 * US_PER_S);
    assert_true(parallel.used == 1 && parallel.remaining == 4);
    assert_true(parallel.reset_us == UINT64_MAX);
    assert_true(money.used == 0 && money.held == USD && money.remaining == 2 * USD);
    assert_int_equal(money.reset_us, 12 * 3600 * US_PER_S);
    assert_true(state_of(level, 4).reset_us == UINT64_MAX);
    settle(&grant);
    assert_true(state_of(level, 2).used == 0 && state_of(level, 2).reset_us == 0);
    assert_true(state_of(level, 3).used == USD && state_of(level, 3).held == 0);
    level_unref(&level);
}

static void what_was_spent_before_is_added(void **state)
{
    (void)state;
    struct level *level = level_of("3usd/day", NULL);
    struct window now, before;
    struct level_state read;
    window_at(LIMIT_WINDOW_DAY, NULL, NOW_US, &now);
    assert_true(window_before(LIMIT_WINDOW_DAY, NULL, &now, &before));
    level_seed(level, 0, &now, USD);
    level_seed(level, 0, &before, 2 * USD);
    level_seed(level, 0, &now, USD / 2);
    assert_int_equal(state_of(level, 0).used, USD + USD / 2);
    level_state(level, 0, NULL, NOW_NS, before.start_us, &read);
    assert_int_equal(read.used, 2 * USD);
    assert_int_equal(read.remaining, USD);
    level_state(level, 0, NULL, NOW_NS, now.end_us, &read);
    assert_int_equal(read.used, 0);
    level_seed(level, 0, &now, UINT64_MAX);
    assert_int_equal(state_of(level, 0).remaining, 0);
    level_unref(&level);
}

static void without_memory_there_is_no_level_and_nothing_is_lost(void **state)
{
    (void)state;
    struct limits limits;
    struct level *former = level_of("1req/min,2parallel", NULL), *level = NULL;
    enum status status = STATUS_NO_MEMORY;
    char text[LIMITS_TEXT_BYTES] = "1req/min,1req/hour,1req/day,1tok/min,1tok/hour,1tok/day,"
                                   "1parallel,1usd/hour,1usd/day,1usd/week,1usd/month,1usd/total";
    assert_int_equal(limits_parse(slice_from_text(text), &limits, NULL), STATUS_OK);
    struct level *fillers[60];
    for (size_t i = 0; i < 60; i++) /* so that records run out on the way */
        fillers[i] = level_of("1req/day", NULL);
    int nth = 0;
    for (; status != STATUS_OK; nth++) {
        alloc_fail_nth(nth);
        status = level_create(counters, &limits, false, former, &level);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || (status == STATUS_NO_MEMORY && level == NULL));
        assert_int_equal(counters_used(counters), status == STATUS_OK ? 72 : 62);
    }
    assert_int_equal(nth, 3);
    for (size_t i = 0; i < 60; i++)
        level_unref(&fillers[i]);
    level_unref(&former);
    level_unref(&level);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_level_tells_what_it_has),
        TEST(without_limits_there_is_no_level),
        TEST(a_level_that_follows_another_goes_on_counting),
        TEST(a_rate_that_changes_counts_what_was_taken_and_what_comes_back),
        TEST(a_limit_that_comes_back_begins_anew),
        TEST(where_a_limit_stands_is_told_in_its_unit),
        TEST(what_was_spent_before_is_added),
        TEST(without_memory_there_is_no_level_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
