#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* More than the pool holds, so that every size meets its end somewhere. */
#define SIZE_MAX_TESTED 600

/* A byte that stays as it was sixteen times over was not written; by chance 2^-128. */
static void every_byte_asked_for_is_written_and_none_beyond(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_TESTED; size += 1 + size / 40) {
        unsigned char changed[SIZE_MAX_TESTED + 1] = {0};
        for (int i = 0; i < 16; i++) {
            unsigned char bytes[SIZE_MAX_TESTED + 1];
            memset(bytes, 0xa5, sizeof(bytes));
            random_bytes(bytes, size);
            for (size_t j = 0; j < sizeof(bytes); j++)
                changed[j] |= bytes[j] ^ 0xa5;
        }
        for (size_t j = 0; j < size; j++)
            assert_int_not_equal(changed[j], 0);
        for (size_t j = size; j < sizeof(changed); j++)
            assert_int_equal(changed[j], 0);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static void assert_no_repetition(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare);
    for (size_t i = 1; i < count; i++)
        assert_true(values[i - 1] != values[i]);
}

static void no_number_comes_twice(void **state)
{
    (void)state;
    uint64_t values[256];
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        values[i] = random_u64();
    assert_no_repetition(values, sizeof(values) / sizeof(values[0]));
}

static void *draw(void *argument)
{
    uint64_t *values = argument;
    for (int i = 0; i < 64; i++)
        values[i] = random_u64();
    return NULL;
}

static void threads_do_not_share_their_numbers(void **state)
{
    (void)state;
    uint64_t values[128];
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, draw, values), 0);
    draw(values + 64);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_no_repetition(values, 128);
}

/* Of 32,768 fair bits the count of ones is within 6 deviations of 90 but for once in 5 * 10^8. */
static void ones_and_zeros_are_about_as_many(void **state)
{
    (void)state;
    unsigned ones = 0;
    for (int i = 0; i < 512; i++)
        ones += (unsigned)__builtin_popcountll(random_u64());
    assert_in_range(ones, 16384 - 6 * 91, 16384 + 6 * 91);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_asked_for_is_written_and_none_beyond),
        cmocka_unit_test(no_number_comes_twice),
        cmocka_unit_test(threads_do_not_share_their_numbers),
        cmocka_unit_test(ones_and_zeros_are_about_as_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
