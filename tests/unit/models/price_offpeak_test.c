#include "models/price_offpeak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Monday, 23 November 2026, 00:00 UTC. */
#define MONDAY_US        UINT64_C(1795392000000000)
#define US_PER_MINUTE    UINT64_C(60000000)
#define MINUTES_PER_WEEK 10080

static struct price_offpeak parsed(const char *text)
{
    struct price_offpeak offpeak = {0};
    assert_int_equal(price_offpeak_parse(slice_from_text(text), &offpeak), STATUS_OK);
    return offpeak;
}

/* Whether exactly the minutes from `begin` to before `end` of the week are inside; both may run
 * over its end. */
static void assert_inside(const char *text, unsigned begin, unsigned end)
{
    const struct price_offpeak offpeak = parsed(text);
    for (unsigned minute = 0; minute < MINUTES_PER_WEEK; minute++) {
        const bool inside = (minute >= begin && minute < end) ||
                            (minute + MINUTES_PER_WEEK >= begin && minute + MINUTES_PER_WEEK < end);
        const uint64_t time_us = MONDAY_US + minute * US_PER_MINUTE;
        if (price_offpeak_contains(&offpeak, time_us) != inside ||
            price_offpeak_contains(&offpeak, time_us + US_PER_MINUTE - 1) != inside)
            fail_msg("%s: minute %u", text, minute);
    }
}

static unsigned minute_of(unsigned day, unsigned hour, unsigned minute)
{
    return (day * 24 + hour) * 60 + minute;
}

static void a_window_has_its_first_minute_and_not_its_end(void **state)
{
    (void)state;
    assert_inside("1 04:00-06:30", minute_of(0, 4, 0), minute_of(0, 6, 30));
    assert_inside("7 23:59-00:00", minute_of(6, 23, 59), minute_of(7, 0, 0));
}

static void midnight_at_the_end_is_that_of_the_same_day(void **state)
{
    (void)state;
    assert_inside("3 10:00-00:00", minute_of(2, 10, 0), minute_of(3, 0, 0));
    assert_inside("3 00:00-00:00", minute_of(2, 0, 0), minute_of(3, 0, 0));
    assert_inside("67 00:00-00:00", minute_of(5, 0, 0), minute_of(7, 0, 0));
}

static void a_window_over_midnight_belongs_to_the_day_of_its_beginning(void **state)
{
    (void)state;
    assert_inside("5 16:30-00:30", minute_of(4, 16, 30), minute_of(5, 0, 30));
    assert_inside("7 22:00-06:00", minute_of(6, 22, 0), minute_of(7, 6, 0));
    assert_inside("1 12:00-12:00", minute_of(0, 12, 0), minute_of(1, 12, 0));
}

static void several_windows_are_joined(void **state)
{
    (void)state;
    assert_inside("1 00:00-01:00;1 01:00-02:00,1 02:00-03:00", 0, minute_of(0, 3, 0));
}

static void the_first_of_january_1970_was_a_thursday(void **state)
{
    (void)state;
    const struct price_offpeak thursday = parsed("4 00:00-00:00");
    assert_true(price_offpeak_contains(&thursday, 0));
    assert_true(price_offpeak_contains(&thursday, 1440 * US_PER_MINUTE - 1));
    assert_false(price_offpeak_contains(&thursday, 1440 * US_PER_MINUTE));
    (void)price_offpeak_contains(&thursday, UINT64_MAX);
}

static void without_windows_there_are_no_such_hours(void **state)
{
    (void)state;
    const struct price_offpeak none = {0};
    assert_false(price_offpeak_contains(&none, MONDAY_US));
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    const char *text = "12345 00:00-01:00,12345 10:30-00:00,67 00:00-00:00";
    const struct price_offpeak offpeak = parsed(text);
    struct buffer buffer;
    buffer_init(&buffer, 1024);
    assert_int_equal(price_offpeak_format(&offpeak, &buffer), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&buffer), slice_from_text(text)));
    buffer_fini(&buffer);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    const char *texts[] = {
        "",
        "1",
        "1 ",
        " 00:00-01:00",
        "0 00:00-01:00",
        "8 00:00-01:00",
        "11 00:00-01:00",
        "1 24:00-01:00",
        "1 00:60-01:00",
        "1 00:00-24:00",
        "1 0:00-01:00",
        "1 00:00 01:00",
        "1 00:00-01:00 ",
        "1 00:00-01:00;",
        ";1 00:00-01:00",
        "1 00:00-01:00;;2 00:00-01:00",
        "1  00:00-01:00",
        "1 00:00-01:000",
        "1 0a:00-01:00",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct price_offpeak offpeak = {.count = 7};
        assert_int_equal(price_offpeak_parse(slice_from_text(texts[i]), &offpeak), STATUS_INVALID);
        assert_int_equal(offpeak.count, 7);
    }
}

static void more_windows_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    char text[PRICE_OFFPEAK_WINDOWS_MAX * 14 + 14];
    struct price_offpeak offpeak;
    for (size_t i = 0; i <= PRICE_OFFPEAK_WINDOWS_MAX; i++)
        memcpy(text + i * 14, ";1 00:00-01:00", 14);
    const size_t most = PRICE_OFFPEAK_WINDOWS_MAX * 14 - 1;
    assert_int_equal(price_offpeak_parse(slice_of(text + 1, most), &offpeak), STATUS_OK);
    assert_int_equal(price_offpeak_parse(slice_of(text + 1, most + 14), &offpeak),
                     STATUS_TOO_LARGE);
}

static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    const struct slice text = SLICE("12345 00:00-01:00;67 00:00-00:00");
    for (size_t size = 0; size <= text.size; size++) {
        struct price_offpeak offpeak;
        const enum status status = price_offpeak_parse(slice_of(text.data, size), &offpeak);
        assert_int_equal(status, size == 17 || size == text.size ? STATUS_OK : STATUS_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_has_its_first_minute_and_not_its_end),
        cmocka_unit_test(midnight_at_the_end_is_that_of_the_same_day),
        cmocka_unit_test(a_window_over_midnight_belongs_to_the_day_of_its_beginning),
        cmocka_unit_test(several_windows_are_joined),
        cmocka_unit_test(the_first_of_january_1970_was_a_thursday),
        cmocka_unit_test(without_windows_there_are_no_such_hours),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(more_windows_than_there_is_room_for_are_refused),
        cmocka_unit_test(every_truncation_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
