#include "models/price_decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t parsed(const char *text, unsigned digits)
{
    uint64_t value = 0;
    assert_int_equal(price_decimal_parse(slice_from_text(text), digits, &value), STATUS_OK);
    return value;
}

static void assert_refused(struct slice text, unsigned digits, enum status status)
{
    uint64_t value = 7;
    assert_int_equal(price_decimal_parse(text, digits, &value), status);
    assert_int_equal(value, 7);
}

static void a_decimal_becomes_the_integer_of_its_smallest_unit(void **state)
{
    (void)state;
    assert_int_equal(parsed("0.0625", 9), 62500000);
    assert_int_equal(parsed("2.5", 9), 2500000000);
    assert_int_equal(parsed("15", 9), 15000000000);
    assert_int_equal(parsed("0", 9), 0);
    assert_int_equal(parsed("0.000000001", 9), 1);
    assert_int_equal(parsed("0.000283333333333", 15), 283333333333);
    assert_int_equal(parsed("1.1", 4), 11000);
    assert_int_equal(parsed("42", 0), 42);
}

static void zeros_that_say_nothing_are_allowed_in_any_number(void **state)
{
    (void)state;
    assert_int_equal(parsed("0.40", 9), 400000000);
    assert_int_equal(parsed("007.5", 1), 75);
    assert_int_equal(parsed("1.00000000000000000000000000000000000000000", 9), 1000000000);
    assert_int_equal(parsed("00000000000000000000000000000000000000000001", 0), 1);
    assert_int_equal(parsed("3.0", 0), 3);
}

static void what_is_finer_than_the_unit_is_refused_not_rounded(void **state)
{
    (void)state;
    assert_refused(SLICE("0.0000000001"), 9, STATUS_UNSUPPORTED);
    assert_refused(SLICE("1.5"), 0, STATUS_UNSUPPORTED);
    assert_refused(SLICE("0.123456789000000001"), 9, STATUS_UNSUPPORTED);
}

static void the_largest_value_is_read_and_the_next_one_is_too_large(void **state)
{
    (void)state;
    assert_true(parsed("18446744073709551615", 0) == UINT64_MAX);
    assert_true(parsed("18446744073.709551615", 9) == UINT64_MAX);
    assert_refused(SLICE("18446744073709551616"), 0, STATUS_TOO_LARGE);
    assert_refused(SLICE("18446744073.709551616"), 9, STATUS_TOO_LARGE);
    assert_refused(SLICE("18446744074"), 9, STATUS_TOO_LARGE);
    assert_refused(SLICE("99999999999999999999999999999999999999"), 0, STATUS_TOO_LARGE);
}

static void anything_else_is_no_decimal(void **state)
{
    (void)state;
    const struct slice texts[] = {
        SLICE(""),    SLICE("."),   SLICE(".5"),   SLICE("5."),       SLICE("1.2.3"),
        SLICE("-1"),  SLICE("+1"),  SLICE("1e5"),  SLICE("1E-5"),     SLICE("0x10"),
        SLICE(" 1"),  SLICE("1 "),  SLICE("1,5"),  SLICE("1_000"),    SLICE("nan"),
        SLICE("inf"), SLICE("1\0"), SLICE("1.\0"), SLICE("\xd9\xa1"), SLICE("$1"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_refused(texts[i], 9, STATUS_INVALID);
    assert_refused((struct slice){0}, 9, STATUS_INVALID);
}

static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    const struct slice text = SLICE("12345.678901234");
    for (size_t size = 0; size <= text.size; size++) {
        uint64_t value;
        const enum status status = price_decimal_parse(slice_of(text.data, size), 9, &value);
        assert_int_equal(status, size == 0 || size == 6 ? STATUS_INVALID : STATUS_OK);
    }
}

static void what_is_written_is_the_shortest_and_read_back_the_same(void **state)
{
    (void)state;
    const uint64_t values[] = {0,
                               1,
                               9,
                               10,
                               62500000,
                               11000,
                               1000000000,
                               2500000000,
                               283333333333,
                               INT64_MAX,
                               UINT64_MAX - 1,
                               UINT64_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (unsigned digits = 0; digits <= PRICE_DECIMAL_DIGITS_MAX; digits++) {
            char text[PRICE_DECIMAL_TEXT_BYTES];
            const unsigned size = price_decimal_format(values[i], digits, text);
            assert_int_equal(size, strlen(text));
            assert_true(parsed(text, digits) == values[i]);
        }
    }
    char text[PRICE_DECIMAL_TEXT_BYTES];
    price_decimal_format(62500000, 9, text);
    assert_string_equal(text, "0.0625");
    price_decimal_format(2000000000, 9, text);
    assert_string_equal(text, "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decimal_becomes_the_integer_of_its_smallest_unit),
        cmocka_unit_test(zeros_that_say_nothing_are_allowed_in_any_number),
        cmocka_unit_test(what_is_finer_than_the_unit_is_refused_not_rounded),
        cmocka_unit_test(the_largest_value_is_read_and_the_next_one_is_too_large),
        cmocka_unit_test(anything_else_is_no_decimal),
        cmocka_unit_test(every_truncation_is_read_or_refused),
        cmocka_unit_test(what_is_written_is_the_shortest_and_read_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
