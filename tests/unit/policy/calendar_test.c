#include "policy/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_day_of_a_thousand_years_follows_the_one_before(void **state)
{
    (void)state;
    const int64_t first = calendar_day(1600, 1, 1);
    struct calendar_date before = {1599, 12, 31};
    for (int64_t day = first; day < calendar_day(2600, 1, 1); day++) {
        const struct calendar_date date = calendar_date(day);
        assert_int_equal(calendar_day(date.year, date.month, date.day), day);
        if (date.day > 1) {
            assert_true(date.year == before.year && date.month == before.month);
            assert_int_equal(date.day, before.day + 1);
        } else {
            assert_int_equal(before.day, calendar_month_days(before.year, before.month));
            assert_int_equal(date.year * 12 + date.month, before.year * 12 + before.month + 1);
        }
        before = date;
    }
}

static void known_days_have_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(calendar_day(1970, 1, 1), 0);
    assert_int_equal(calendar_day(1969, 12, 31), -1);
    assert_int_equal(calendar_day(2000, 3, 1), 11017);
    assert_int_equal(calendar_day(2038, 1, 19), 24855);
    assert_int_equal(calendar_weekday(0), 4);
    assert_int_equal(calendar_weekday(-1), 3);
    assert_int_equal(calendar_weekday(calendar_day(2026, 11, 24)), 2);
    assert_int_equal(calendar_month_days(1900, 2), 28);
    assert_int_equal(calendar_month_days(2000, 2), 29);
}

static void years_far_away_are_found(void **state)
{
    (void)state;
    static const int64_t years[] = {-1000000000, -1, 0, 1, 584554, 1000000000};
    for (size_t i = 0; i < sizeof(years) / sizeof(years[0]); i++) {
        const struct calendar_date date = calendar_date(calendar_day(years[i], 7, 14));
        assert_int_equal(date.year, years[i]);
        assert_true(date.month == 7 && date.day == 14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_day_of_a_thousand_years_follows_the_one_before),
        cmocka_unit_test(known_days_have_their_numbers),
        cmocka_unit_test(years_far_away_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
