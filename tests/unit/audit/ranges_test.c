#include "audit/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static void add(struct ranges *ranges, uint64_t from, uint64_t to)
{
    assert_int_equal(ranges_add(ranges, from, to), STATUS_OK);
}

static void numbers_that_follow_each_other_are_one_range(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    for (uint64_t i = 0; i < 1000; i++)
        add(&ranges, i, i);
    assert_int_equal(ranges.count, 1);
    for (uint64_t i = 3000; i > 2000; i--)
        add(&ranges, i, i);
    assert_int_equal(ranges.count, 2);
    add(&ranges, 1000, 2000);
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.items[0].from, 0);
    assert_int_equal(ranges.items[0].to, 3000);
    ranges_fini(&ranges);
}

/* Against a plain table, in an order that looks random. */
static void it_holds_what_was_added_in_any_order(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    bool table[512] = {false};
    uint64_t seed = 1;
    for (int round = 0; round < 400; round++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        const uint64_t from = (seed >> 33) % 500, to = from + (seed >> 50) % 4;
        add(&ranges, from, to);
        for (uint64_t i = from; i <= to; i++)
            table[i] = true;
        for (size_t i = 1; i < ranges.count; i++)
            assert_true(ranges.items[i].from > ranges.items[i - 1].to + 1);
        for (uint64_t i = 0; i < 512; i++)
            assert_int_equal(ranges_contain(&ranges, i), table[i]);
    }
    ranges_fini(&ranges);
}

static void gaps_are_found(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    assert_int_equal(ranges_next_gap(&ranges, 1).from, 1);
    assert_true(ranges_next_gap(&ranges, 1).to == UINT64_MAX);
    add(&ranges, 1, 4);
    add(&ranges, 8, 9);
    assert_int_equal(ranges_next_gap(&ranges, 1).from, 5);
    assert_int_equal(ranges_next_gap(&ranges, 1).to, 8);
    assert_int_equal(ranges_next_gap(&ranges, 6).from, 6);
    assert_int_equal(ranges_next_gap(&ranges, 8).from, 10);
    assert_int_equal(ranges_next_gap(&ranges, 0).from, 0);
    assert_int_equal(ranges_next_gap(&ranges, 0).to, 1);
    ranges_fini(&ranges);
}

static void the_ends_of_the_numbers_are_numbers_too(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    add(&ranges, UINT64_MAX, UINT64_MAX);
    add(&ranges, 0, 0);
    assert_true(ranges_contain(&ranges, UINT64_MAX));
    assert_true(ranges_contain(&ranges, 0));
    assert_false(ranges_contain(&ranges, 1));
    add(&ranges, 5, UINT64_MAX);
    assert_int_equal(ranges.count, 2);
    ranges_fini(&ranges);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    alloc_fail_nth(0);
    assert_int_equal(ranges_add(&ranges, 1, 1), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_int_equal(ranges.count, 0);
    ranges_fini(&ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_follow_each_other_are_one_range),
        cmocka_unit_test(it_holds_what_was_added_in_any_order),
        cmocka_unit_test(gaps_are_found),
        cmocka_unit_test(the_ends_of_the_numbers_are_numbers_too),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
