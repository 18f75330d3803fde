#include "policy/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static struct counters *create(void)
{
    struct counters *counters = NULL;
    assert_int_equal(counters_create(&counters, NULL), STATUS_OK);
    return counters;
}

static uint32_t take(struct counters *counters)
{
    uint32_t index = 0;
    assert_int_equal(counters_take(counters, &index), STATUS_OK);
    return index;
}

static void the_first_page_says_what_the_mapping_is(void **state)
{
    (void)state;
    struct counters *counters = create();
    const struct counters_header *header = counters_header(counters);
    assert_true(header->magic == COUNTERS_MAGIC);
    assert_int_equal(header->layout_version, COUNTERS_LAYOUT_VERSION);
    assert_int_equal(header->record_bytes, 64);
    assert_int_equal(header->record_count_max, COUNTERS_RECORDS_MAX);
    assert_int_equal((uintptr_t)counters_record(counters, 0) - (uintptr_t)header, 4096);
    assert_int_equal((uintptr_t)counters_record(counters, 3) % 64, 0);
    counters_destroy(&counters);
    assert_null(counters);
    counters_destroy(&counters);
}

static void a_record_is_of_zeros_when_it_is_taken_again(void **state)
{
    (void)state;
    struct counters *counters = create();
    const uint32_t first = take(counters), second = take(counters);
    assert_int_not_equal(first, second);
    for (unsigned i = 0; i < 8; i++)
        counters_record(counters, first)->words[i] = UINT64_MAX;
    counters_drop(counters, first);
    assert_int_equal(counters_used(counters), 1);
    assert_int_equal(take(counters), first);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(counters_record(counters, first)->words[i], 0);
    counters_drop(counters, first);
    counters_drop(counters, second);
    assert_int_equal(counters_used(counters), 0);
    counters_destroy(&counters);
}

static void a_record_is_free_once_nobody_has_it(void **state)
{
    (void)state;
    struct counters *counters = create();
    const uint32_t index = take(counters);
    counters_share(counters, index);
    counters_record(counters, index)->words[0] = 5;
    counters_drop(counters, index);
    assert_int_equal(counters_used(counters), 1);
    assert_int_equal(counters_record(counters, index)->words[0], 5);
    counters_drop(counters, index);
    assert_int_equal(counters_used(counters), 0);
    counters_destroy(&counters);
}

static void without_memory_no_record_is_taken_and_later_one_is(void **state)
{
    (void)state;
    struct counters *counters = NULL;
    alloc_fail_nth(0);
    assert_int_equal(counters_create(&counters, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(counters);
    counters = create();
    unsigned failures = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t index = UINT32_MAX;
        alloc_fail_nth(0);
        const enum status status = counters_take(counters, &index);
        alloc_fail_nth(-1);
        if (status != STATUS_OK) {
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_int_equal(counters_used(counters), i);
            failures++;
            index = take(counters);
        }
        assert_int_equal(index, i);
    }
    assert_int_equal(failures, 5); /* 64, then doubled to 1,024 */
    for (uint32_t i = 0; i < 1000; i++)
        counters_drop(counters, i);
    counters_destroy(&counters);
}

static void when_all_records_are_in_use_it_says_so(void **state)
{
    (void)state;
    struct counters *counters = NULL;
    uint32_t index;
    assert_int_equal(counters_create_of(100, &counters, NULL), STATUS_OK);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(take(counters), i);
    assert_int_equal(counters_take(counters, &index), STATUS_LIMITED);
    counters_record(counters, 99)->words[7] = 1; /* the mapping's last word */
    counters_drop(counters, 47);
    assert_int_equal(take(counters), 47);
    assert_int_equal(counters_take(counters, &index), STATUS_LIMITED);
    for (uint32_t i = 0; i < 100; i++)
        counters_drop(counters, i);
    counters_destroy(&counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_page_says_what_the_mapping_is),
        cmocka_unit_test(a_record_is_of_zeros_when_it_is_taken_again),
        cmocka_unit_test(a_record_is_free_once_nobody_has_it),
        cmocka_unit_test(without_memory_no_record_is_taken_and_later_one_is),
        cmocka_unit_test(when_all_records_are_in_use_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
