#include "http/body_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

#define MAX 100000

static int set_max(void **state)
{
    (void)state;
    body_memory_set_max(MAX);
    return 0;
}

static void what_is_reserved_counts_until_it_is_freed(void **state)
{
    (void)state;
    struct body_memory a = {0}, b = {0};
    assert_int_equal(body_memory_reserve(&a, 1000), STATUS_OK);
    assert_int_equal(body_memory_used(), 1000);
    assert_int_equal(body_memory_reserve(&b, 500), STATUS_OK);
    assert_int_equal(body_memory_reserve(&a, 1500), STATUS_OK);
    assert_int_equal(body_memory_used(), 2000);
    assert_int_equal(body_memory_reserve(&a, 10), STATUS_OK);
    assert_int_equal(body_memory_used(), 2000);
    body_memory_free(&a);
    assert_int_equal(body_memory_used(), 500);
    body_memory_free(&b);
    assert_int_equal(body_memory_used(), 0);
    body_memory_free(&b);
}

static void the_bound_is_reached_to_the_byte(void **state)
{
    (void)state;
    struct body_memory a = {0}, b = {0};
    assert_int_equal(body_memory_reserve(&a, MAX - 10), STATUS_OK);
    assert_int_equal(body_memory_reserve(&b, 11), STATUS_NO_MEMORY);
    assert_int_equal(body_memory_used(), MAX - 10);
    assert_int_equal(body_memory_reserve(&b, 10), STATUS_OK);
    assert_int_equal(body_memory_reserve(&a, MAX - 9), STATUS_NO_MEMORY);
    assert_int_equal(a.capacity, MAX - 10);
    body_memory_free(&a);
    body_memory_free(&b);
}

static void a_lower_bound_holds_for_what_comes_after(void **state)
{
    (void)state;
    struct body_memory a = {0}, b = {0};
    assert_int_equal(body_memory_reserve(&a, 1000), STATUS_OK);
    body_memory_set_max(500);
    assert_int_equal(body_memory_reserve(&b, 1), STATUS_NO_MEMORY);
    assert_int_equal(body_memory_append(&a, "x", 1), STATUS_OK); /* it has its room already */
    body_memory_free(&a);
    assert_int_equal(body_memory_reserve(&b, 500), STATUS_OK);
    body_memory_free(&b);
}

static void appended_bytes_stay_in_order_over_growth(void **state)
{
    (void)state;
    struct body_memory memory = {0};
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(body_memory_append(&memory, &(char){(char)i}, 1), STATUS_OK);
    assert_int_equal(memory.size, 20000);
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(memory.data[i], (char)i);
    assert_in_range(memory.capacity, 20000, 40000);
    assert_int_equal(body_memory_used(), memory.capacity);
    body_memory_free(&memory);
}

static void nothing_may_be_appended(void **state)
{
    (void)state;
    struct body_memory memory = {0};
    assert_int_equal(body_memory_append(&memory, NULL, 0), STATUS_OK);
    assert_int_equal(memory.capacity, 0);
    body_memory_free(&memory);
}

static void what_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    static const char much[MAX];
    struct body_memory memory = {0};
    assert_int_equal(body_memory_append(&memory, "abc", 3), STATUS_OK);
    assert_int_equal(body_memory_append(&memory, much, MAX), STATUS_NO_MEMORY);
    assert_int_equal(memory.size, 3);
    assert_memory_equal(memory.data, "abc", 3);
    body_memory_free(&memory);
    assert_int_equal(body_memory_used(), 0);
}

static void a_failed_allocation_counts_nothing(void **state)
{
    (void)state;
    struct body_memory memory = {0};
    assert_int_equal(body_memory_append(&memory, "abc", 3), STATUS_OK);
    const uint64_t before = body_memory_used();
    alloc_fail_nth(0);
    assert_int_equal(body_memory_reserve(&memory, 50000), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_int_equal(body_memory_used(), before);
    assert_memory_equal(memory.data, "abc", 3);
    body_memory_free(&memory);
    assert_int_equal(body_memory_used(), 0);
}

static void the_rest_moves_to_the_front(void **state)
{
    (void)state;
    struct body_memory memory = {0};
    struct slice rest;
    assert_int_equal(body_memory_append(&memory, "abcdef", 6), STATUS_OK);
    body_memory_keep(&memory, slice_of(memory.data + 1, 5), &rest); /* they overlap */
    assert_true(slice_equal(rest, SLICE("bcdef")));
    assert_ptr_equal(rest.data, memory.data);
    assert_int_equal(memory.size, 5);
    body_memory_keep(&memory, (struct slice){0}, &rest);
    assert_int_equal(rest.size, 0);
    assert_int_equal(memory.size, 0);
    body_memory_free(&memory);
}

#define THREADS 4

#define ROUNDS  2000

struct contender {
    pthread_t thread;
    unsigned granted, refused, over;
};

/* Each thread wants more than its share, so that they meet at the bound. */
static void *want_much(void *argument)
{
    struct contender *contender = argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct body_memory memory = {0};
        if (body_memory_reserve(&memory, MAX / 3) == STATUS_OK)
            contender->granted++;
        else
            contender->refused++;
        contender->over += body_memory_used() > MAX;
        body_memory_free(&memory);
    }
    return NULL;
}

static void threads_share_the_bound(void **state)
{
    (void)state;
    struct contender contenders[THREADS] = {0};
    unsigned granted = 0;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&contenders[i].thread, NULL, want_much, &contenders[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(contenders[i].thread, NULL), 0);
        assert_int_equal(contenders[i].over, 0);
        assert_int_equal(contenders[i].granted + contenders[i].refused, ROUNDS);
        granted += contenders[i].granted;
    }
    assert_int_not_equal(granted, 0);
    assert_int_equal(body_memory_used(), 0);
}

#define BOUNDED(test) cmocka_unit_test_setup(test, set_max)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDED(what_is_reserved_counts_until_it_is_freed),
        BOUNDED(the_bound_is_reached_to_the_byte),
        BOUNDED(a_lower_bound_holds_for_what_comes_after),
        BOUNDED(appended_bytes_stay_in_order_over_growth),
        BOUNDED(nothing_may_be_appended),
        BOUNDED(what_does_not_fit_changes_nothing),
        BOUNDED(a_failed_allocation_counts_nothing),
        BOUNDED(the_rest_moves_to_the_front),
        BOUNDED(threads_share_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
