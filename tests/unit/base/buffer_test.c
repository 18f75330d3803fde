#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static void assert_holds(const struct buffer *buffer, struct slice bytes)
{
    assert_true(slice_equal(buffer_slice(buffer), bytes));
}

static void pieces_are_appended_in_order(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    assert_int_equal(buffer_append(&buffer, SLICE("ab")), STATUS_OK);
    assert_int_equal(buffer_append_byte(&buffer, 'c'), STATUS_OK);
    assert_int_equal(buffer_append_u64(&buffer, 0), STATUS_OK);
    assert_int_equal(buffer_append_u64(&buffer, UINT64_MAX), STATUS_OK);
    assert_int_equal(buffer_printf(&buffer, "%s-%d", "x", -7), STATUS_OK);
    assert_holds(&buffer, SLICE("abc018446744073709551615x--7"));
    buffer_fini(&buffer);
}

static void nothing_may_be_appended_to_nothing(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 0);
    assert_int_equal(buffer_append(&buffer, (struct slice){0}), STATUS_OK);
    assert_int_equal(buffer_printf(&buffer, "%s", ""), STATUS_OK);
    assert_int_equal(buffer_append_byte(&buffer, 'a'), STATUS_TOO_LARGE);
    assert_int_equal(buffer.size, 0);
    buffer_fini(&buffer);
}

static void the_maximum_is_reached_to_the_byte(void **state)
{
    (void)state;
    for (size_t size_max = 1; size_max < 700; size_max += 37) {
        struct buffer buffer;
        buffer_init(&buffer, size_max);
        for (size_t i = 0; i < size_max; i++)
            assert_int_equal(buffer_append_byte(&buffer, (char)i), STATUS_OK);
        assert_true(buffer.capacity <= size_max);
        assert_int_equal(buffer_append_byte(&buffer, 'x'), STATUS_TOO_LARGE);
        assert_int_equal(buffer.size, size_max);
        for (size_t i = 0; i < size_max; i++)
            assert_int_equal(buffer.data[i], (char)i);
        buffer_fini(&buffer);
    }
}

static void printf_may_fill_the_buffer_to_its_last_byte(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 5);
    assert_int_equal(buffer_printf(&buffer, "%s", "12345"), STATUS_OK);
    assert_holds(&buffer, SLICE("12345"));
    assert_int_equal(buffer_printf(&buffer, "6"), STATUS_TOO_LARGE);
    assert_holds(&buffer, SLICE("12345"));
    buffer_fini(&buffer);
}

static void what_does_not_fit_adds_nothing_and_is_remembered(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 4);
    assert_int_equal(buffer_append(&buffer, SLICE("abc")), STATUS_OK);
    assert_int_equal(buffer_append(&buffer, SLICE("de")), STATUS_TOO_LARGE);
    assert_holds(&buffer, SLICE("abc"));
    assert_int_equal(buffer_append(&buffer, SLICE("d")), STATUS_TOO_LARGE);
    assert_int_equal(buffer_append(&buffer, SLICE("")), STATUS_TOO_LARGE);
    assert_int_equal(buffer_status(&buffer), STATUS_TOO_LARGE);
    buffer_clear(&buffer);
    assert_int_equal(buffer_status(&buffer), STATUS_OK);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(buffer_append(&buffer, SLICE("abcd")), STATUS_OK);
    buffer_fini(&buffer);
}

static void sizes_near_the_end_of_the_address_space_are_refused(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    assert_int_equal(buffer_append(&buffer, SLICE("abc")), STATUS_OK);
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), STATUS_TOO_LARGE);
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX - 2), STATUS_TOO_LARGE);
    assert_int_equal(buffer_reserve(&buffer, 998), STATUS_TOO_LARGE);
    assert_int_equal(buffer_reserve(&buffer, 997), STATUS_OK);
    assert_true(buffer.capacity >= 1000);
    assert_holds(&buffer, SLICE("abc"));
    buffer_fini(&buffer);
}

static void clearing_keeps_the_memory_and_fini_the_maximum(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    assert_int_equal(buffer_append(&buffer, SLICE("abc")), STATUS_OK);
    const char *data = buffer.data;
    buffer_clear(&buffer);
    assert_int_equal(buffer_append(&buffer, SLICE("de")), STATUS_OK);
    assert_ptr_equal(buffer.data, data);
    buffer_fini(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.size_max, 100);
    buffer_fini(&buffer);
    assert_int_equal(buffer_append(&buffer, SLICE("again")), STATUS_OK);
    buffer_fini(&buffer);
}

static void bytes_are_dropped_from_the_front(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_consume(&buffer, 0);
    assert_int_equal(buffer_append(&buffer, SLICE("abcdef")), STATUS_OK);
    buffer_consume(&buffer, 2);
    assert_holds(&buffer, SLICE("cdef"));
    buffer_consume(&buffer, 0);
    assert_holds(&buffer, SLICE("cdef"));
    buffer_consume(&buffer, 4);
    assert_int_equal(buffer.size, 0);
    buffer_fini(&buffer);
}

static void write_much(struct buffer *buffer)
{
    for (int i = 0; i < 40; i++) {
        buffer_append(buffer, SLICE("some bytes that make it grow. "));
        buffer_printf(buffer, "%d;", i);
    }
}

static void every_failed_allocation_is_noticed_and_leaks_nothing(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct buffer buffer;
        buffer_init(&buffer, 10000);
        alloc_fail_nth(nth);
        write_much(&buffer);
        alloc_fail_nth(-1);
        const enum status status = buffer_status(&buffer);
        buffer_fini(&buffer);
        if (status == STATUS_OK) {
            assert_true(nth > 40);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

static void a_failed_growth_keeps_what_was_there(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100000);
    assert_int_equal(buffer_append(&buffer, SLICE("abc")), STATUS_OK);
    alloc_fail_nth(0);
    assert_int_equal(buffer_reserve(&buffer, 50000), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_holds(&buffer, SLICE("abc"));
    buffer_fini(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_appended_in_order),
        cmocka_unit_test(nothing_may_be_appended_to_nothing),
        cmocka_unit_test(the_maximum_is_reached_to_the_byte),
        cmocka_unit_test(printf_may_fill_the_buffer_to_its_last_byte),
        cmocka_unit_test(what_does_not_fit_adds_nothing_and_is_remembered),
        cmocka_unit_test(sizes_near_the_end_of_the_address_space_are_refused),
        cmocka_unit_test(clearing_keeps_the_memory_and_fini_the_maximum),
        cmocka_unit_test(bytes_are_dropped_from_the_front),
        cmocka_unit_test(every_failed_allocation_is_noticed_and_leaks_nothing),
        cmocka_unit_test(a_failed_growth_keeps_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
