#include "admin/expiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

/* 2026-01-31T12:00:00Z */
#define NOW_US (UINT64_C(1769860800) * US_PER_S)

static uint64_t parsed(const char *text)
{
    uint64_t time_us = 0;
    assert_int_equal(expiry_parse(slice_from_text(text), NOW_US, &time_us, NULL), STATUS_OK);
    return time_us;
}

static enum status status_of(struct slice text)
{
    uint64_t time_us = 0;
    return expiry_parse(text, NOW_US, &time_us, NULL);
}

static void a_duration_counts_from_now(void **state)
{
    (void)state;
    assert_int_equal(parsed("1s"), NOW_US + US_PER_S);
    assert_int_equal(parsed("10m"), NOW_US + 600 * US_PER_S);
    assert_int_equal(parsed("1h"), NOW_US + 3600 * US_PER_S);
    assert_int_equal(parsed("90d"), NOW_US + 90 * 86400 * US_PER_S);
}

/* Whatever the parser makes of a time, the clock writes back as that time. */
static void a_time_is_read_as_the_clock_writes_it(void **state)
{
    (void)state;
    static const char *const times[] = {"2026-02-01T00:00:00Z", "2028-02-29T23:59:59Z",
                                        "2100-03-01T01:02:03Z", "9999-12-31T23:59:59Z",
                                        "2026-12-31T00:00:00Z"};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char text[CLOCK_TEXT_BYTES];
        clock_format(parsed(times[i]), 0, text);
        assert_string_equal(text, times[i]);
    }
}

static void zones_and_fractions_and_small_letters_are_understood(void **state)
{
    (void)state;
    const uint64_t noon_us = parsed("2026-06-01T12:00:00Z");
    assert_int_equal(parsed("2026-06-01T14:30:00+02:30"), noon_us);
    assert_int_equal(parsed("2026-06-01T04:00:00-08:00"), noon_us);
    assert_int_equal(parsed("2026-06-01T12:00:00.123456789Z"), noon_us);
    assert_int_equal(parsed("2026-06-01t12:00:00z"), noon_us);
    assert_int_equal(parsed("2026-06-01 12:00:00Z"), noon_us);
}

static void a_day_alone_is_its_start_in_utc(void **state)
{
    (void)state;
    assert_int_equal(parsed("2026-06-01"), parsed("2026-06-01T00:00:00Z"));
}

static void what_is_neither_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "d",
                                        "90",
                                        "-1d",
                                        "1.5h",
                                        "90 d",
                                        "90w",
                                        "1d2h",
                                        "99999999999999999999d",
                                        "18446744073709551615s",
                                        "tomorrow",
                                        "2026-13-01",
                                        "2026-00-01",
                                        "2026-02-30",
                                        "2027-02-29",
                                        "2026-04-31",
                                        "2100-02-29",
                                        "2026-06-01T24:00:00Z",
                                        "2026-06-01T12:60:00Z",
                                        "2026-06-01T12:00:61Z",
                                        "2026-06-01T12:00:00",
                                        "2026-06-01T12:00:00.Z",
                                        "2026-06-01T12:00:00Zx",
                                        "2026-06-01T12:00:00+24:00",
                                        "2026-06-01T12:00:00+01",
                                        "2026-6-1",
                                        "2026-06-01T",
                                        "0000-01-01"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(status_of(slice_from_text(wrong[i])), STATUS_INVALID);
    assert_int_equal(status_of(slice_of(NULL, 0)), STATUS_INVALID);
}

static void a_time_cut_anywhere_but_after_the_day_is_refused(void **state)
{
    (void)state;
    const struct slice whole = SLICE("2026-06-01T14:30:00.5+02:30");
    for (size_t size = 0; size < whole.size; size++) {
        const enum status wanted = size == 10 ? STATUS_OK : STATUS_INVALID;
        assert_int_equal(status_of(slice_of(whole.data, size)), wanted);
    }
}

static void the_past_and_the_year_10000_are_refused(void **state)
{
    (void)state;
    struct reason reason = {""};
    uint64_t time_us = 0;
    assert_int_equal(status_of(SLICE("0s")), STATUS_INVALID);
    assert_int_equal(status_of(SLICE("2026-01-31T12:00:00Z")), STATUS_INVALID);
    assert_int_equal(status_of(SLICE("2026-01-31T12:00:01Z")), STATUS_OK);
    assert_int_equal(status_of(SLICE("1970-01-01T00:00:00+01:00")), STATUS_INVALID);
    assert_int_equal(status_of(SLICE("9999-12-31T23:59:59-01:00")), STATUS_INVALID);
    assert_int_equal(status_of(SLICE("2900000d")), STATUS_OK);
    assert_int_equal(status_of(SLICE("2930000d")), STATUS_INVALID);
    assert_int_equal(expiry_parse(SLICE("2020-01-01"), NOW_US, &time_us, &reason), STATUS_INVALID);
    assert_string_equal(reason.text, "the expiry lies in the past");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_counts_from_now),
        cmocka_unit_test(a_time_is_read_as_the_clock_writes_it),
        cmocka_unit_test(zones_and_fractions_and_small_letters_are_understood),
        cmocka_unit_test(a_day_alone_is_its_start_in_utc),
        cmocka_unit_test(what_is_neither_is_refused),
        cmocka_unit_test(a_time_cut_anywhere_but_after_the_day_is_refused),
        cmocka_unit_test(the_past_and_the_year_10000_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
