#include "policy/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/date.h"
#include "unit/policy/numbers.h"
#include "unit/policy/zone_files.h"

#define HOUR_US (3600 * US_PER_S)
#define DAY_US  (24 * HOUR_US)
#define END_US  (UINT64_C(2082758400) * US_PER_S) /* 2036-01-01 */

static const char *const names[] = {
    "UTC",          "Europe/Berlin",     "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "Pacific/Apia", "America/Sao_Paulo", "America/St_Johns", "Europe/Dublin"};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

static uint64_t us(const char *text)
{
    uint64_t time_us = 0;
    assert_int_equal(date_parse(slice_from_text(text), &time_us), STATUS_OK);
    return time_us;
}

static struct window window_of(enum limit_window unit, const char *zone, const char *time)
{
    struct window window;
    window_at(unit, zone_of(zone), us(time), &window);
    return window;
}

static void assert_window(enum limit_window unit, const char *zone, const char *time,
                          const char *start, const char *end)
{
    const struct window window = window_of(unit, zone, time);
    char text[CLOCK_TEXT_BYTES];
    (void)clock_format(window.start_us, 0, text);
    assert_string_equal(text, start);
    (void)clock_format(window.end_us, 0, text);
    assert_string_equal(text, end);
}

static void assert_touch(enum limit_window unit, const struct zone *zone,
                         const struct window *window)
{
    struct window other;
    window_at(unit, zone, window->start_us, &other);
    assert_memory_equal(&other, window, sizeof(other));
    window_at(unit, zone, window->end_us - 1, &other);
    assert_memory_equal(&other, window, sizeof(other));
    window_at(unit, zone, window->end_us, &other);
    assert_int_equal(other.start_us, window->end_us);
    assert_in_range(other.number, window->number + 1, window->number + 2);
    assert_true(window_before(unit, zone, &other, &other));
    assert_memory_equal(&other, window, sizeof(other));
}

static void windows_touch_over_sixty_six_years(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const struct zone *zone = zone_of(names[i]);
        for (unsigned unit = LIMIT_WINDOW_DAY; unit <= LIMIT_WINDOW_MONTH; unit++) {
            struct window window = {.end_us = 0};
            uint64_t before = 0, jumps = 0;
            do {
                window_at((enum limit_window)unit, zone, window.end_us, &window);
                jumps += before > 0 && window.number != before + 1;
                before = window.number;
                assert_touch((enum limit_window)unit, zone, &window);
            } while (window.end_us < END_US);
            /* Samoa left out 30 December 2011. */
            assert_int_equal(jumps, unit == LIMIT_WINDOW_DAY && i == 5);
        }
    }
}

static void hours_touch_wherever_one_looks(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        for (unsigned j = 0; j < 5000; j++) {
            const struct zone *zone = zone_of(names[i]);
            const uint64_t time_us = 2 * DAY_US + number_below(&seed, END_US);
            struct window window, next;
            window_at(LIMIT_WINDOW_HOUR, zone, time_us, &window);
            assert_in_range(time_us, window.start_us, window.end_us - 1);
            assert_int_equal(window.end_us - window.start_us, HOUR_US);
            assert_touch(LIMIT_WINDOW_HOUR, zone, &window);
            window_at(LIMIT_WINDOW_HOUR, zone, window.end_us, &next);
            assert_int_equal(next.number, window.number + 1);
        }
    }
}

static void a_day_has_as_many_hours_as_its_clock_shows(void **state)
{
    (void)state;
    assert_window(LIMIT_WINDOW_DAY, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z",
                  "2026-03-29T22:00:00Z");
    assert_window(LIMIT_WINDOW_DAY, "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z",
                  "2026-10-25T23:00:00Z");
    assert_window(LIMIT_WINDOW_DAY, "America/New_York", "2026-03-08T12:00:00Z",
                  "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z");
    assert_window(LIMIT_WINDOW_DAY, "Australia/Lord_Howe", "2026-04-05T00:00:00Z",
                  "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z");
    assert_window(LIMIT_WINDOW_DAY, "UTC", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00Z",
                  "2026-03-30T00:00:00Z");
}

static void an_hour_that_is_shown_twice_is_two_windows(void **state)
{
    (void)state;
    const struct window first =
        window_of(LIMIT_WINDOW_HOUR, "Europe/Berlin", "2026-10-25T00:30:00Z");
    const struct window second =
        window_of(LIMIT_WINDOW_HOUR, "Europe/Berlin", "2026-10-25T01:30:00Z");
    assert_int_equal(second.number, first.number + 1);
    assert_window(LIMIT_WINDOW_HOUR, "Asia/Kolkata", "2026-10-25T01:45:00Z", "2026-10-25T01:30:00Z",
                  "2026-10-25T02:30:00Z");
}

static void weeks_begin_on_monday_and_months_on_the_first(void **state)
{
    (void)state;
    assert_window(LIMIT_WINDOW_WEEK, "UTC", "2026-11-24T12:00:00Z", "2026-11-23T00:00:00Z",
                  "2026-11-30T00:00:00Z");
    assert_window(LIMIT_WINDOW_WEEK, "America/New_York", "2026-11-23T04:59:59Z",
                  "2026-11-16T05:00:00Z", "2026-11-23T05:00:00Z");
    assert_window(LIMIT_WINDOW_MONTH, "Europe/Berlin", "2026-10-31T23:00:00Z",
                  "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z");
    assert_window(LIMIT_WINDOW_MONTH, "Asia/Kolkata", "2028-02-29T18:29:59Z",
                  "2028-01-31T18:30:00Z", "2028-02-29T18:30:00Z");
    assert_window(LIMIT_WINDOW_MONTH, "Pacific/Apia", "2011-12-31T00:00:00Z",
                  "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z");
    assert_window(LIMIT_WINDOW_MONTH, "UTC", "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z",
                  "2027-01-01T00:00:00Z");
}

static void a_day_that_the_calendar_left_out_is_no_window(void **state)
{
    (void)state;
    assert_window(LIMIT_WINDOW_DAY, "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z",
                  "2011-12-30T10:00:00Z");
    assert_window(LIMIT_WINDOW_DAY, "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
                  "2011-12-31T10:00:00Z");
}

/* Until 2011 the clocks of St. John's went back at one minute past midnight. */
static void a_clock_set_back_over_midnight_does_not_bring_yesterday_again(void **state)
{
    (void)state;
    assert_window(LIMIT_WINDOW_DAY, "America/St_Johns", "2010-11-07T02:31:30Z",
                  "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z");
    assert_window(LIMIT_WINDOW_DAY, "America/St_Johns", "2010-11-07T03:00:00Z",
                  "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z");
}

/* Where summer begins at midnight, the day begins at one. */
static void a_day_without_a_midnight_begins_when_it_is_first_shown(void **state)
{
    (void)state;
    assert_window(LIMIT_WINDOW_DAY, "America/Sao_Paulo", "2018-11-04T12:00:00Z",
                  "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z");
}

static void a_total_is_one_window_for_ever(void **state)
{
    (void)state;
    struct window window;
    window_at(LIMIT_WINDOW_TOTAL, NULL, 0, &window);
    assert_true(window.number == 1 && window.start_us == 0 && window.end_us == UINT64_MAX);
    window_at(LIMIT_WINDOW_TOTAL, zone_of("Europe/Berlin"), UINT64_MAX, &window);
    assert_true(window.number == 1 && window.start_us == 0 && window.end_us == UINT64_MAX);
    assert_false(window_before(LIMIT_WINDOW_TOTAL, NULL, &window, &window));
}

static void the_ends_of_time_have_windows_too(void **state)
{
    (void)state;
    for (unsigned unit = LIMIT_WINDOW_HOUR; unit <= LIMIT_WINDOW_MONTH; unit++) {
        for (size_t i = 0; i < NAME_COUNT; i++) {
            struct window window;
            window_at((enum limit_window)unit, zone_of(names[i]), 0, &window);
            assert_int_equal(window.start_us, 0);
            assert_true(window.number > 0 && window.end_us > 0);
            assert_false(
                window_before((enum limit_window)unit, zone_of(names[i]), &window, &window));
            window_at((enum limit_window)unit, zone_of(names[i]), UINT64_MAX, &window);
            assert_true(window.number < UINT64_C(1) << 40);
            assert_true(window.end_us == UINT64_MAX);
        }
    }
}

static void no_zone_is_utc(void **state)
{
    (void)state;
    struct window one, other;
    window_at(LIMIT_WINDOW_DAY, NULL, us("2026-11-24T12:00:00Z"), &one);
    window_at(LIMIT_WINDOW_DAY, zone_utc(), us("2026-11-24T13:00:00Z"), &other);
    assert_memory_equal(&one, &other, sizeof(one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_touch_over_sixty_six_years),
        cmocka_unit_test(hours_touch_wherever_one_looks),
        cmocka_unit_test(a_day_has_as_many_hours_as_its_clock_shows),
        cmocka_unit_test(an_hour_that_is_shown_twice_is_two_windows),
        cmocka_unit_test(weeks_begin_on_monday_and_months_on_the_first),
        cmocka_unit_test(a_day_that_the_calendar_left_out_is_no_window),
        cmocka_unit_test(a_clock_set_back_over_midnight_does_not_bring_yesterday_again),
        cmocka_unit_test(a_day_without_a_midnight_begins_when_it_is_first_shown),
        cmocka_unit_test(a_total_is_one_window_for_ever),
        cmocka_unit_test(the_ends_of_time_have_windows_too),
        cmocka_unit_test(no_zone_is_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
