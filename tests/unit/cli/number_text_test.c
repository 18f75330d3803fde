#include "cli/number_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is_text(struct slice text, const char *expected)
{
    if (!slice_equal(text, slice_from_text(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(text), expected);
}

static void numbers_have_commas(void **state)
{
    char text[NUMBER_TEXT_BYTES];
    (void)state;
    is_text(number_text(0, text), "0");
    is_text(number_text(999, text), "999");
    is_text(number_text(1000, text), "1,000");
    is_text(number_text(1234567, text), "1,234,567");
    is_text(number_text(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

static void money_is_rounded_to_its_digits(void **state)
{
    char text[NUMBER_TEXT_BYTES];
    (void)state;
    is_text(money_text(0, 2, text), "$0.00");
    is_text(money_text(1234567890123, 2, text), "$1,234.57");
    is_text(money_text(1234567890123, 4, text), "$1,234.5679");
    is_text(money_text(1234567890123, 9, text), "$1,234.567890123");
    is_text(money_text(5000000, 2, text), "$0.01");
    is_text(money_text(999999999, 2, text), "$1.00");
    is_text(money_text(INT64_MAX, 2, text), "$9,223,372,036.85");
    is_text(money_text(-1, 2, text), "$0.00");
}

static void a_little_money_is_not_shown_as_none(void **state)
{
    char text[NUMBER_TEXT_BYTES];
    (void)state;
    is_text(money_text(1, 2, text), "<$0.01");
    is_text(money_text(4999999, 2, text), "<$0.01");
    is_text(money_text(1, 6, text), "<$0.000001");
    is_text(money_text(1, 9, text), "$0.000000001");
}

static void the_digits_suit_the_largest_amount(void **state)
{
    (void)state;
    assert_int_equal(money_digits(100000000000), 2);
    assert_int_equal(money_digits(99999999999), 4);
    assert_int_equal(money_digits(1000000000), 4);
    assert_int_equal(money_digits(999999999), 6);
    assert_int_equal(money_digits(0), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_commas),
        cmocka_unit_test(money_is_rounded_to_its_digits),
        cmocka_unit_test(a_little_money_is_not_shown_as_none),
        cmocka_unit_test(the_digits_suit_the_largest_amount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
