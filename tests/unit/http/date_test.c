#include "http/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void the_date_of_the_standards_example_is_written(void **state)
{
    (void)state;
    char text[HTTP_DATE_BYTES];
    http_date_format(784111777, text);
    assert_memory_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_BYTES);
    http_date_format(UINT64_MAX, text);
    assert_memory_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT", HTTP_DATE_BYTES);
}

/* A step that is prime to a day and a year visits all months, week days and leap years. */
static void dates_are_those_of_the_c_library(void **state)
{
    (void)state;
    for (uint64_t second = 0; second < UINT64_C(253402300799); second += 1234577) {
        char text[HTTP_DATE_BYTES], expected[64];
        const time_t time = (time_t)second;
        struct tm tm;
        gmtime_r(&time, &tm);
        strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        http_date_format(second, text);
        assert_memory_equal(text, expected, HTTP_DATE_BYTES);
    }
}

static void the_line_changes_with_the_second(void **state)
{
    (void)state;
    struct http_date date;
    http_date_init(&date);
    const struct slice epoch = http_date_line(&date, 999999);
    assert_true(slice_equal(epoch, SLICE("date: Thu, 01 Jan 1970 00:00:00 GMT\r\n")));
    const uint64_t second_us = 1000 * US_PER_S;
    assert_true(slice_equal(http_date_line(&date, second_us + 999999),
                            SLICE("date: Thu, 01 Jan 1970 00:16:40 GMT\r\n")));
    assert_true(slice_equal(http_date_line(&date, second_us + US_PER_S),
                            SLICE("date: Thu, 01 Jan 1970 00:16:41 GMT\r\n")));
    /* The clock may be set back. */
    assert_true(
        slice_equal(http_date_line(&date, 0), SLICE("date: Thu, 01 Jan 1970 00:00:00 GMT\r\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_date_of_the_standards_example_is_written),
        cmocka_unit_test(dates_are_those_of_the_c_library),
        cmocka_unit_test(the_line_changes_with_the_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
