#include "store/sqlite/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define KEY_COUNT 1000

static struct tally tally;

static int open_tally(void **state)
{
    (void)state;
    tally_init(&tally);
    return 0;
}

static int close_tally(void **state)
{
    (void)state;
    tally_fini(&tally);
    return 0;
}

static enum status add(uint32_t key, uint64_t requests)
{
    const struct counts counts = {.values = {[COUNT_REQUESTS] = requests}};
    return tally_add(&tally, slice_of(&key, sizeof(key)), &counts);
}

static void each_key_has_its_own_counts(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t key = 0; key < KEY_COUNT; key++)
            assert_int_equal(add(key, key), STATUS_OK);
    }
    assert_int_equal(tally.count, KEY_COUNT);
    for (uint32_t key = 0; key < KEY_COUNT; key++) {
        assert_memory_equal(tally.entries[key].key.data, &key, sizeof(key));
        assert_int_equal(tally.entries[key].counts.values[COUNT_REQUESTS], 3 * key);
        assert_int_equal(tally.entries[key].counts.values[COUNT_REFUSED], 0);
    }
}

static void a_key_may_be_empty_and_is_not_its_prefix(void **state)
{
    (void)state;
    const struct counts one = {.values = {1}};
    assert_int_equal(tally_add(&tally, SLICE(""), &one), STATUS_OK);
    assert_int_equal(tally_add(&tally, SLICE("a"), &one), STATUS_OK);
    assert_int_equal(tally_add(&tally, SLICE("a\0"), &one), STATUS_OK);
    assert_int_equal(tally_add(&tally, SLICE(""), &one), STATUS_OK);
    assert_int_equal(tally.count, 3);
    assert_int_equal(tally.entries[0].counts.values[0], 2);
}

static void counts_stop_at_the_end_of_their_range(void **state)
{
    (void)state;
    assert_int_equal(add(1, INT64_MAX - 1), STATUS_OK);
    assert_int_equal(add(1, 1), STATUS_OK);
    assert_true(tally.entries[0].counts.values[COUNT_REQUESTS] == INT64_MAX);
    assert_int_equal(add(1, INT64_MAX), STATUS_OK);
    assert_true(tally.entries[0].counts.values[COUNT_REQUESTS] == INT64_MAX);
}

static void a_cleared_tally_begins_anew(void **state)
{
    (void)state;
    tally_clear(&tally);
    assert_int_equal(add(1, 5), STATUS_OK);
    tally_clear(&tally);
    assert_int_equal(tally.count, 0);
    assert_int_equal(add(1, 2), STATUS_OK);
    assert_int_equal(tally.entries[0].counts.values[COUNT_REQUESTS], 2);
}

static void adding_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        uint32_t key = 0;
        alloc_fail_nth(nth);
        while (key < KEY_COUNT && add(key, 1) == STATUS_OK)
            key++;
        alloc_fail_nth(-1);
        if (key == KEY_COUNT) {
            assert_in_range(nth, 5, 60);
            return;
        }
        assert_int_equal(tally.count, key);
        assert_int_equal(add(key, 1), STATUS_OK);
        assert_int_equal(tally.count, key + 1);
        tally_fini(&tally);
        tally_init(&tally);
    }
}

static void the_requests_of_a_sum_with_a_reason_are_refused_ones(void **state)
{
    (void)state;
    struct store_sum sum = {.requests = 3, .cost_nanousd = -1, .answered_tokens = UINT64_MAX};
    struct counts counts = counts_of(&sum);
    assert_int_equal(counts.values[COUNT_REQUESTS], 3);
    assert_int_equal(counts.values[COUNT_REFUSED], 0);
    assert_int_equal(counts.values[COUNT_COST], 0);
    assert_true(counts.values[COUNT_ANSWERED_TOKENS] == INT64_MAX);
    sum.reason = SLICE("rate_limit");
    counts = counts_of(&sum);
    assert_int_equal(counts.values[COUNT_REQUESTS], 0);
    assert_int_equal(counts.values[COUNT_REFUSED], 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_tally, close_tally)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_key_has_its_own_counts),
        TEST(a_key_may_be_empty_and_is_not_its_prefix),
        TEST(counts_stop_at_the_end_of_their_range),
        TEST(a_cleared_tally_begins_anew),
        TEST(adding_survives_the_failure_of_each_allocation),
        TEST(the_requests_of_a_sum_with_a_reason_are_refused_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
