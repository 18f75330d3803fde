#include "cli/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define NOW_US (UINT64_C(1769860800) * US_PER_S) /* 2026-01-31T12:00:00Z */

static void what_the_clock_writes_is_read_back(void **state)
{
    static const uint64_t times_us[] = {0,
                                        1,
                                        NOW_US,
                                        NOW_US + 123456,
                                        UINT64_C(1709251199) * US_PER_S, /* 29 February 2024 */
                                        UINT64_C(253402300799) * US_PER_S + 999999};
    (void)state;
    for (size_t i = 0; i < sizeof(times_us) / sizeof(times_us[0]); i++) {
        char text[CLOCK_TEXT_BYTES];
        uint64_t time_us;
        const unsigned size = clock_format(times_us[i], 6, text);
        assert_int_equal(moment_parse(slice_of(text, size), &time_us), STATUS_OK);
        assert_true(time_us == times_us[i]);
        const unsigned short_size = clock_format(times_us[i], 3, text);
        assert_int_equal(moment_parse(slice_of(text, short_size), &time_us), STATUS_OK);
        assert_true(time_us == times_us[i] / 1000 * 1000);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "Z",
                                        "2026-01-31",
                                        "2026-01-31T12:00:00",
                                        "2026-01-31T12:00:00+01:00",
                                        "2026-01-31 12:00:00Z",
                                        "2026-01-31T12:00:00.Z",
                                        "2026-01-31T12:00:00.1234567Z",
                                        "2026-01-31T12:00:00.-1Z",
                                        "2026-01-31T12:00:00,1Z",
                                        "2026-13-31T12:00:00Z",
                                        "2026-00-31T12:00:00Z",
                                        "2026-01-00T12:00:00Z",
                                        "2026-04-31T12:00:00Z",
                                        "2026-02-29T12:00:00Z",
                                        "2026-01-31T24:00:00Z",
                                        "2026-01-31T12:60:00Z",
                                        "2026-01-31T12:00:61Z",
                                        "1969-12-31T23:59:59Z",
                                        "2026-01-31T1 :00:00Z",
                                        "2026-01-31T12:00:00ZZ"};
    uint64_t time_us;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(moment_parse(slice_from_text(wrong[i]), &time_us), STATUS_INVALID);
}

static void a_time_cut_anywhere_is_no_time(void **state)
{
    const struct slice whole = SLICE("2026-01-31T12:00:00.123456Z");
    uint64_t time_us;
    (void)state;
    assert_int_equal(moment_parse(whole, &time_us), STATUS_OK);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(moment_parse(slice_of(whole.data, size), &time_us), STATUS_INVALID);
}

static void says(int64_t distance_s, const char *expected)
{
    char text[MOMENT_TEXT_BYTES];
    moment_describe(NOW_US + (uint64_t)(distance_s * (int64_t)US_PER_S), NOW_US, text);
    assert_string_equal(text, expected);
}

static void a_distance_is_one_number_and_one_unit(void **state)
{
    (void)state;
    says(0, "now");
    says(-1, "1 s ago");
    says(-59, "59 s ago");
    says(-60, "1 min ago");
    says(-3 * 60 - 59, "3 min ago");
    says(-3600, "1 h ago");
    says(-48 * 3600 + 1, "47 h ago");
    says(-48 * 3600, "2 days ago");
    says(-400 * 86400, "400 days ago");
    says(59, "in 59 s");
    says(90 * 86400, "in 90 days");
}

static void the_farthest_times_fit(void **state)
{
    char text[MOMENT_TEXT_BYTES];
    (void)state;
    moment_describe(UINT64_MAX, 0, text);
    assert_string_equal(text, "in 213503982 days");
    moment_describe(0, UINT64_MAX, text);
    assert_string_equal(text, "213503982 days ago");
    moment_describe(NOW_US + 999999, NOW_US, text);
    assert_string_equal(text, "now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_clock_writes_is_read_back),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_time_cut_anywhere_is_no_time),
        cmocka_unit_test(a_distance_is_one_number_and_one_unit),
        cmocka_unit_test(the_farthest_times_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
