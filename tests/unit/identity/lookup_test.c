#include "identity/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define ITEM_COUNT 20000

struct item {
    uint64_t hash;
    uint64_t number;
    bool present;
};

static struct item items[ITEM_COUNT];

/* A fixed sequence of well mixed numbers (splitmix64). */
static uint64_t mixed(uint64_t number)
{
    number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static bool same_number(const void *item, const void *wanted)
{
    return ((const struct item *)item)->number == *(const uint64_t *)wanted;
}

static struct item *find(const struct lookup *lookup, uint64_t number)
{
    return lookup_find(lookup, items[number].hash, same_number, &number);
}

static int make_items(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < ITEM_COUNT; i++)
        items[i] = (struct item){mixed(i), i, false};
    return 0;
}

static void insert(struct lookup *lookup, uint64_t number)
{
    assert_int_equal(lookup_reserve(lookup, items[number].hash), STATUS_OK);
    lookup_insert(lookup, items[number].hash, &items[number]);
    items[number].present = true;
}

static void take_out(struct lookup *lookup, uint64_t number)
{
    lookup_remove(lookup, items[number].hash, &items[number]);
    items[number].present = false;
}

static void assert_holds_what_is_present(const struct lookup *lookup)
{
    size_t count = 0;
    for (uint64_t i = 0; i < ITEM_COUNT; i++) {
        assert_ptr_equal(find(lookup, i), items[i].present ? &items[i] : NULL);
        count += items[i].present;
    }
    assert_int_equal(lookup->count, count);
}

static void items_are_found_while_the_table_grows(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    grace_init(&grace);
    assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
    for (uint64_t i = 0; i < ITEM_COUNT; i++) {
        insert(&lookup, i);
        if (i % 1000 == 0)
            assert_holds_what_is_present(&lookup);
    }
    assert_holds_what_is_present(&lookup);
    lookup_fini(&lookup);
    grace_fini(&grace);
}

static void items_come_and_go_without_the_table_growing_for_ever(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    grace_init(&grace);
    assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
    for (uint64_t round = 0; round < 100000; round++) {
        const uint64_t number = mixed(round) % 1000;
        if (items[number].present)
            take_out(&lookup, number);
        else
            insert(&lookup, number);
        grace_reclaim(&grace, 4);
    }
    assert_holds_what_is_present(&lookup);
    assert_true(lookup.bytes < 16 * 1000 * 16);
    lookup_fini(&lookup);
    grace_fini(&grace);
}

static void items_with_one_hash_are_told_apart(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    grace_init(&grace);
    assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
    for (uint64_t i = 0; i < 100; i++) {
        items[i].hash = UINT64_MAX;
        insert(&lookup, i);
    }
    take_out(&lookup, 40);
    assert_holds_what_is_present(&lookup);
    lookup_fini(&lookup);
    grace_fini(&grace);
}

static void hashes_that_are_not_random_end_in_no_memory_not_in_a_loop(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    grace_init(&grace);
    assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
    uint64_t count = 0;
    for (enum status status = STATUS_OK; status == STATUS_OK && count < 1000; count++) {
        items[count].hash = 7;
        status = lookup_reserve(&lookup, 7);
        if (status == STATUS_OK)
            lookup_insert(&lookup, 7, &items[count]);
    }
    assert_in_range(count, 100, 999);
    lookup_fini(&lookup);
    grace_fini(&grace);
}

static void a_replaced_item_is_found_no_more(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    struct item other = items[3];
    grace_init(&grace);
    assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
    insert(&lookup, 3);
    lookup_replace(&lookup, items[3].hash, &items[3], &other);
    assert_ptr_equal(find(&lookup, 3), &other);
    assert_int_equal(lookup.count, 1);
    lookup_fini(&lookup);
    grace_fini(&grace);
}

/* At every filling of a segment, the last that is reserved inserted first. */
static void insertions_whose_room_was_reserved_together_all_succeed(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    grace_init(&grace);
    for (uint64_t before = 0; before < 800; before++) {
        assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
        for (uint64_t i = 0; i < before; i++)
            insert(&lookup, i);
        for (uint64_t i = 0; i < LOOKUP_RESERVED_MAX; i++)
            assert_int_equal(lookup_reserve(&lookup, items[before + i].hash), STATUS_OK);
        for (uint64_t i = LOOKUP_RESERVED_MAX; i-- > 0;)
            lookup_insert(&lookup, items[before + i].hash, &items[before + i]);
        for (uint64_t i = 0; i < before + LOOKUP_RESERVED_MAX; i++)
            assert_ptr_equal(find(&lookup, i), &items[i]);
        lookup_fini(&lookup);
    }
    grace_fini(&grace);
}

static size_t visited;

static void count_visit(void *context, void *item)
{
    (void)context;
    assert_true(((struct item *)item)->present);
    visited++;
}

static void a_visit_meets_each_item_once(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    grace_init(&grace);
    assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
    for (uint64_t i = 0; i < 5000; i++)
        insert(&lookup, i);
    for (uint64_t i = 0; i < 5000; i += 3)
        take_out(&lookup, i);
    visited = 0;
    lookup_visit(&lookup, count_visit, NULL);
    assert_int_equal(visited, lookup.count);
    lookup_fini(&lookup);
    grace_fini(&grace);
}

/* Every reservation is tried with its first allocation failing, then its second, and so on: what
 * was there stays findable. */
static void growing_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct grace grace;
    struct lookup lookup;
    unsigned failures = 0;
    grace_init(&grace);
    assert_int_equal(lookup_init(&lookup, &grace), STATUS_OK);
    for (uint64_t i = 0; i < 3000; i++) {
        for (int nth = 0;; nth++) {
            alloc_fail_nth(nth);
            const enum status status = lookup_reserve(&lookup, items[i].hash);
            alloc_fail_nth(-1);
            if (status == STATUS_OK)
                break;
            assert_int_equal(status, STATUS_NO_MEMORY);
            failures++;
        }
        lookup_insert(&lookup, items[i].hash, &items[i]);
        items[i].present = true;
    }
    assert_true(failures > 10);
    assert_holds_what_is_present(&lookup);
    lookup_fini(&lookup);
    grace_fini(&grace);
}

static void init_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct grace grace;
    grace_init(&grace);
    for (int nth = 0; nth < 2; nth++) {
        struct lookup lookup = {0};
        alloc_fail_nth(nth);
        assert_int_equal(lookup_init(&lookup, &grace), STATUS_NO_MEMORY);
        alloc_fail_nth(-1);
        lookup_fini(&lookup);
    }
    grace_fini(&grace);
}

#define TEST(name) cmocka_unit_test_setup(name, make_items)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_are_found_while_the_table_grows),
        TEST(items_come_and_go_without_the_table_growing_for_ever),
        TEST(items_with_one_hash_are_told_apart),
        TEST(hashes_that_are_not_random_end_in_no_memory_not_in_a_loop),
        TEST(a_replaced_item_is_found_no_more),
        TEST(insertions_whose_room_was_reserved_together_all_succeed),
        TEST(a_visit_meets_each_item_once),
        TEST(growing_survives_the_failure_of_each_allocation),
        TEST(init_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
