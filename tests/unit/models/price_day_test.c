#include "models/price_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define US_PER_DAY (86400 * US_PER_S)

static void every_day_to_2200_is_read_as_the_clock_writes_it(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 84000; day++) {
        char text[CLOCK_TEXT_BYTES];
        uint64_t time_us = 1;
        clock_format(day * US_PER_DAY, 0, text);
        assert_int_equal(price_day_parse(slice_of(text, PRICE_DAY_BYTES), &time_us), STATUS_OK);
        assert_true(time_us == day * US_PER_DAY);
    }
}

static void the_last_day_is_that_of_9999(void **state)
{
    (void)state;
    uint64_t time_us;
    assert_int_equal(price_day_parse(SLICE("9999-12-31"), &time_us), STATUS_OK);
    assert_true(time_us == UINT64_C(253402214400) * US_PER_S);
}

static void anything_else_is_no_day(void **state)
{
    (void)state;
    const struct slice texts[] = {
        SLICE(""),
        SLICE("2026"),
        SLICE("2026-1-01"),
        SLICE("2026-01-1"),
        SLICE("2026-01-011"),
        SLICE("2026/01/01"),
        SLICE("2026-00-01"),
        SLICE("2026-13-01"),
        SLICE("2026-01-00"),
        SLICE("2026-01-32"),
        SLICE("2026-04-31"),
        SLICE("2026-02-29"),
        SLICE("2100-02-29"),
        SLICE("1969-12-31"),
        SLICE("-026-01-01"),
        SLICE("+026-01-01"),
        SLICE("2026-01- 1"),
        SLICE("20 6-01-01"),
        SLICE("2026-01-0\0"),
        {0},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t time_us = 7;
        assert_int_equal(price_day_parse(texts[i], &time_us), STATUS_INVALID);
        assert_int_equal(time_us, 7);
    }
}

static void leap_days_are_days(void **state)
{
    (void)state;
    uint64_t time_us;
    assert_int_equal(price_day_parse(SLICE("2028-02-29"), &time_us), STATUS_OK);
    assert_int_equal(price_day_parse(SLICE("2000-02-29"), &time_us), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_to_2200_is_read_as_the_clock_writes_it),
        cmocka_unit_test(the_last_day_is_that_of_9999),
        cmocka_unit_test(anything_else_is_no_day),
        cmocka_unit_test(leap_days_are_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
