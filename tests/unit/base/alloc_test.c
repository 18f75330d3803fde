#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

static void zeroed_memory_is_zero(void **state)
{
    (void)state;
    static const char zeros[1000];
    char *memory = alloc_zeroed(10, 100);
    assert_non_null(memory);
    assert_memory_equal(memory, zeros, sizeof(zeros));
    alloc_free(memory);
}

static void resizing_keeps_what_is_there(void **state)
{
    (void)state;
    char *memory = alloc_resize(NULL, 4);
    assert_non_null(memory);
    memcpy(memory, "abcd", 4);
    memory = alloc_resize(memory, 100000);
    assert_non_null(memory);
    assert_memory_equal(memory, "abcd", 4);
    memory = alloc_resize(memory, 2);
    assert_non_null(memory);
    assert_memory_equal(memory, "ab", 2);
    alloc_free(memory);
    alloc_free(NULL);
}

static void the_nth_allocation_fails_and_no_other(void **state)
{
    (void)state;
    for (int nth = 0; nth < 5; nth++) {
        alloc_fail_nth(nth);
        for (int i = 0; i < 8; i++) {
            void *memory = i % 3 == 0   ? alloc_bytes(1)
                           : i % 3 == 1 ? alloc_zeroed(1, 1)
                                        : alloc_resize(NULL, 1);
            assert_int_equal(memory == NULL, i == nth);
            alloc_free(memory);
        }
    }
}

static void a_failed_resize_keeps_the_memory(void **state)
{
    (void)state;
    char *memory = alloc_bytes(4);
    assert_non_null(memory);
    memcpy(memory, "abcd", 4);
    alloc_fail_nth(0);
    assert_null(alloc_resize(memory, 100));
    assert_memory_equal(memory, "abcd", 4);
    alloc_free(memory);
}

static void the_failure_can_be_called_off(void **state)
{
    (void)state;
    alloc_fail_nth(0);
    alloc_fail_nth(-1);
    void *memory = alloc_bytes(1);
    assert_non_null(memory);
    alloc_free(memory);
}

static void *allocate(void *argument)
{
    (void)argument;
    return alloc_bytes(1);
}

static void another_thread_is_not_concerned(void **state)
{
    (void)state;
    pthread_t other;
    void *memory;
    alloc_fail_nth(0);
    assert_int_equal(pthread_create(&other, NULL, allocate, NULL), 0);
    assert_int_equal(pthread_join(other, &memory), 0);
    assert_non_null(memory);
    alloc_free(memory);
    assert_null(alloc_bytes(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(resizing_keeps_what_is_there),
        cmocka_unit_test(the_nth_allocation_fails_and_no_other),
        cmocka_unit_test(a_failed_resize_keeps_the_memory),
        cmocka_unit_test(the_failure_can_be_called_off),
        cmocka_unit_test(another_thread_is_not_concerned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
