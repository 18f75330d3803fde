#include "ledger/stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

static void a_wait_ends_by_itself(void **state)
{
    (void)state;
    struct stop stop;
    stop_init(&stop);
    assert_true(stop_wait(&stop, 0));
    assert_true(stop_wait(&stop, 1));
    assert_false(stop_is_requested(&stop));
    stop_fini(&stop);
}

static void *wait_long(void *argument)
{
    static const char stopped = 's';
    return stop_wait(argument, 600000) ? NULL : (void *)(uintptr_t)&stopped;
}

static void a_stop_ends_the_wait_and_each_one_to_come(void **state)
{
    (void)state;
    struct stop stop;
    pthread_t thread;
    void *result = NULL;
    stop_init(&stop);
    assert_int_equal(pthread_create(&thread, NULL, wait_long, &stop), 0);
    stop_request(&stop);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_non_null(result);
    assert_false(stop_wait(&stop, 600000));
    assert_true(stop_is_requested(&stop));
    stop_fini(&stop);
}

static void a_nudge_ends_one_wait_even_one_to_come(void **state)
{
    (void)state;
    struct stop stop;
    stop_init(&stop);
    stop_nudge(&stop);
    assert_true(stop_wait(&stop, 600000));
    assert_true(stop_wait(&stop, 1));
    assert_false(stop_is_requested(&stop));
    stop_fini(&stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_by_itself),
        cmocka_unit_test(a_stop_ends_the_wait_and_each_one_to_come),
        cmocka_unit_test(a_nudge_ends_one_wait_even_one_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
