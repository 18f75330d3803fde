#include "ledger/sums.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/ledger/fixture.h"

static struct store_sum sum_of(unsigned key)
{
    return (struct store_sum){
        .hour_us = STORE_HOUR_US * 5,
        .user_id = fixture_id(1000 - key),
        .key_id = fixture_id(key),
        .model = SLICE("gpt"),
        .requests = 1,
        .cost_nanousd = 10,
    };
}

static void what_shares_a_bucket_is_added_up(void **state)
{
    (void)state;
    struct sums sums = {0};
    for (unsigned i = 0; i < 3000; i++) {
        const struct store_sum sum = sum_of(i % 1000);
        assert_int_equal(sums_add(&sums, &sum), STATUS_OK);
    }
    assert_int_equal(sums.count, 1000);
    for (size_t i = 0; i < sums.count; i++) {
        assert_int_equal(sums.items[i].requests, 3);
        assert_int_equal(sums.items[i].cost_nanousd, 30);
    }
    sums_clear(&sums);
    assert_int_equal(sums.count, 0);
    const struct store_sum sum = sum_of(1);
    assert_int_equal(sums_add(&sums, &sum), STATUS_OK);
    assert_int_equal(sums.items[0].requests, 1);
    sums_fini(&sums);
}

static void every_part_of_the_key_tells_buckets_apart(void **state)
{
    (void)state;
    struct sums sums = {0};
    struct store_sum variants[7];
    for (size_t i = 0; i < 7; i++)
        variants[i] = sum_of(1);
    variants[0].hour_us += STORE_HOUR_US;
    variants[1].user_id = fixture_id(7);
    variants[2].key_id = fixture_id(7);
    variants[3].team_id = fixture_id(7);
    variants[4].model = SLICE("gpu");
    variants[5].provider = SLICE("p");
    variants[6].reason = SLICE("p");
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(sums_add(&sums, &variants[i]), STATUS_OK);
    const struct store_sum plain = sum_of(1);
    assert_int_equal(sums_add(&sums, &plain), STATUS_OK);
    assert_int_equal(sums.count, 8);
    sums_fini(&sums);
}

static void sorting_puts_a_users_buckets_together(void **state)
{
    (void)state;
    struct sums sums = {0};
    for (unsigned i = 0; i < 500; i++) {
        const struct store_sum sum = sum_of(i * 7 % 500);
        assert_int_equal(sums_add(&sums, &sum), STATUS_OK);
    }
    sums_sort(&sums);
    for (size_t i = 1; i < sums.count; i++)
        assert_true(memcmp(&sums.items[i - 1].user_id, &sums.items[i].user_id, 16) < 0);
    sums_fini(&sums);
}

static void without_memory_nothing_is_added(void **state)
{
    (void)state;
    struct sums sums = {0};
    for (unsigned i = 0; i < 600; i++) {
        const struct store_sum sum = sum_of(i);
        for (int nth = 0;; nth++) {
            alloc_fail_nth(nth);
            const enum status status = sums_add(&sums, &sum);
            alloc_fail_nth(-1);
            if (status == STATUS_OK)
                break;
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_int_equal(sums.count, i);
        }
    }
    assert_int_equal(sums.count, 600);
    sums_fini(&sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_shares_a_bucket_is_added_up),
        cmocka_unit_test(every_part_of_the_key_tells_buckets_apart),
        cmocka_unit_test(sorting_puts_a_users_buckets_together),
        cmocka_unit_test(without_memory_nothing_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
