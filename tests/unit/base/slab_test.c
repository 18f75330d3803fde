#include "base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define OBJECTS 20000

static size_t size_of_object(size_t i)
{
    return 1 + i * 37 % 700;
}

static void objects_are_zeroed_and_do_not_overlap(void **state)
{
    (void)state;
    static unsigned char *objects[OBJECTS];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < OBJECTS; i++) {
            const size_t size = size_of_object(i);
            objects[i] = slab_take(size);
            assert_non_null(objects[i]);
            assert_int_equal((uintptr_t)objects[i] % 8, 0);
            for (size_t at = 0; at < size; at++)
                assert_int_equal(objects[i][at], 0);
            memset(objects[i], (int)(i % 255 + 1), size);
        }
        for (size_t i = 0; i < OBJECTS; i++) {
            for (size_t at = 0; at < size_of_object(i); at++)
                assert_int_equal(objects[i][at], i % 255 + 1);
        }
        for (size_t i = 0; i < OBJECTS; i++)
            slab_give(objects[i], size_of_object(i));
    }
}

static void the_largest_is_taken_like_the_smallest(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        char *large = slab_take(SLAB_BYTES_MAX);
        char *small = slab_take(1);
        assert_non_null(large);
        assert_non_null(small);
        large[SLAB_BYTES_MAX - 1] = small[0] = 1;
        slab_give(small, 1);
        slab_give(large, SLAB_BYTES_MAX);
    }
    slab_give(NULL, 8);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    alloc_fail_nth(0);
    assert_null(slab_take(8));
    alloc_fail_nth(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_zeroed_and_do_not_overlap),
        cmocka_unit_test(the_largest_is_taken_like_the_smallest),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
