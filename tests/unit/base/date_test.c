#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAY_US UINT64_C(86400000000)

static enum status read_text(const char *text, uint64_t *time_us_out)
{
    return date_parse(slice_from_text(text), time_us_out);
}

static void days_and_times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t time_us;
    } cases[] = {{"1970-01-01", 0},
                 {"1970-01-02", DAY_US},
                 {"2000-02-29", UINT64_C(951782400000000)},
                 {"2026-01-01", UINT64_C(1767225600000000)},
                 {"9999-12-31", UINT64_C(253402214400000000)},
                 {"2026-01-01T00:00:00Z", UINT64_C(1767225600000000)},
                 {"2026-01-01t00:00:01z", UINT64_C(1767225601000000)},
                 {"2026-01-01 00:00:00Z", UINT64_C(1767225600000000)},
                 {"2026-01-01T01:00:00+01:00", UINT64_C(1767225600000000)},
                 {"2025-12-31T19:30:00-04:30", UINT64_C(1767225600000000)},
                 {"2026-01-01T00:00:00.5Z", UINT64_C(1767225600500000)},
                 {"2026-01-01T00:00:00.000001Z", UINT64_C(1767225600000001)},
                 {"2026-01-01T00:00:00-00:00", UINT64_C(1767225600000000)},
                 {"2016-12-31T23:59:60Z", UINT64_C(1483228800000000)}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t time_us = 7;
        assert_int_equal(read_text(cases[i].text, &time_us), STATUS_OK);
        assert_true(time_us == cases[i].time_us);
    }
}

static void what_is_no_day_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2026",
        "2026-1-1",
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "1969-12-31",
        "26-01-01",
        "+026-01-01",
        "2026/01/01",
        "2026-01-01T",
        "2026-01-01Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.0000001Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00Zx",
        "2026-01-01 ",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "tomorrow",
    };
    uint64_t time_us = 7;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_text(texts[i], &time_us), STATUS_INVALID);
    assert_int_equal(time_us, 7);
}

static void a_time_that_ends_early_is_none_but_where_its_day_ends(void **state)
{
    (void)state;
    const struct slice whole = SLICE("2026-01-01T10:20:30.123456+01:30");
    for (size_t size = 0; size < whole.size; size++) {
        uint64_t time_us;
        assert_int_equal(date_parse(slice_of(whole.data, size), &time_us),
                         size == 10 ? STATUS_OK : STATUS_INVALID);
    }
}

static void check_text(uint64_t time_us, const char *wanted)
{
    char text[CLOCK_TEXT_BYTES];
    uint64_t again;
    assert_int_equal(date_format(time_us, text), strlen(wanted));
    assert_string_equal(text, wanted);
    assert_int_equal(read_text(text, &again), STATUS_OK);
    assert_true(again == time_us);
}

static void a_time_is_written_as_shortly_as_it_can_be_read_back(void **state)
{
    (void)state;
    check_text(0, "1970-01-01");
    check_text(DAY_US - 1000000, "1970-01-01T23:59:59Z");
    check_text(1, "1970-01-01T00:00:00.000001Z");
    check_text(UINT64_C(951782400000000), "2000-02-29");
    check_text(UINT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z");
}

static void each_day_of_four_centuries_reads_back(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 146097; day++) {
        char text[CLOCK_TEXT_BYTES];
        uint64_t again = 0;
        assert_int_equal(date_format(day * DAY_US, text), 10);
        assert_int_equal(read_text(text, &again), STATUS_OK);
        assert_true(again == day * DAY_US);
    }
}

static void every_day_to_2200_is_read_as_the_clock_writes_it(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 84000; day++) {
        char text[CLOCK_TEXT_BYTES];
        uint64_t time_us = 1;
        clock_format(day * DAY_US, 0, text);
        assert_int_equal(date_parse_day(slice_of(text, DATE_DAY_BYTES), &time_us), STATUS_OK);
        assert_true(time_us == day * DAY_US);
    }
}

static void the_last_day_alone_is_that_of_9999(void **state)
{
    (void)state;
    uint64_t time_us;
    assert_int_equal(date_parse_day(SLICE("9999-12-31"), &time_us), STATUS_OK);
    assert_true(time_us == UINT64_C(253402214400) * US_PER_S);
}

static void anything_else_is_no_day_alone(void **state)
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
        assert_int_equal(date_parse_day(texts[i], &time_us), STATUS_INVALID);
        assert_int_equal(time_us, 7);
    }
}

static void leap_days_are_days(void **state)
{
    (void)state;
    uint64_t time_us;
    assert_int_equal(date_parse_day(SLICE("2028-02-29"), &time_us), STATUS_OK);
    assert_int_equal(date_parse_day(SLICE("2000-02-29"), &time_us), STATUS_OK);
}

static void seconds_drop_a_fraction_of_any_length(void **state)
{
    (void)state;
    uint64_t time_s = 0;
    assert_int_equal(date_parse_seconds(SLICE("1970-01-01T00:00:09.123456789123Z"), &time_s),
                     STATUS_OK);
    assert_int_equal(time_s, 9);
    assert_int_equal(date_parse_seconds(SLICE("1970-01-02"), &time_s), STATUS_OK);
    assert_int_equal(time_s, 86400);
    assert_int_equal(date_parse_seconds(SLICE("1970-01-01T00:00:09.Z"), &time_s), STATUS_INVALID);
    assert_int_equal(date_parse_seconds(SLICE("9999-12-31T23:59:59-01:00"), &time_s), STATUS_OK);
    assert_true(time_s == UINT64_C(253402304399));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_times_are_read),
        cmocka_unit_test(what_is_no_day_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(a_time_that_ends_early_is_none_but_where_its_day_ends),
        cmocka_unit_test(a_time_is_written_as_shortly_as_it_can_be_read_back),
        cmocka_unit_test(each_day_of_four_centuries_reads_back),
        cmocka_unit_test(every_day_to_2200_is_read_as_the_clock_writes_it),
        cmocka_unit_test(the_last_day_alone_is_that_of_9999),
        cmocka_unit_test(anything_else_is_no_day_alone),
        cmocka_unit_test(leap_days_are_days),
        cmocka_unit_test(seconds_drop_a_fraction_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
