#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t last_ns = 0;
    for (int i = 0; i < 1000; i++) {
        const uint64_t now_ns = clock_monotonic_ns();
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
}

static void the_realtime_clock_is_that_of_the_system_in_microseconds(void **state)
{
    (void)state;
    const uint64_t before_s = (uint64_t)time(NULL);
    const uint64_t now_us = clock_realtime_us();
    const uint64_t after_s = (uint64_t)time(NULL);
    /* time() may lag behind by a tick of the kernel. */
    assert_in_range(now_us / US_PER_S, before_s, after_s + 1);
}

static void a_moment_is_written_with_the_digits_asked_for(void **state)
{
    (void)state;
    static const uint64_t at_us = UINT64_C(1769903999) * US_PER_S + 123456;
    char text[CLOCK_TEXT_BYTES];
    assert_int_equal(clock_format(at_us, 0, text), 20);
    assert_string_equal(text, "2026-01-31T23:59:59Z");
    assert_int_equal(clock_format(at_us, 3, text), 24);
    assert_string_equal(text, "2026-01-31T23:59:59.123Z");
    assert_int_equal(clock_format(at_us, 6, text), 27);
    assert_string_equal(text, "2026-01-31T23:59:59.123456Z");
    clock_format(UINT64_C(1769903999) * US_PER_S + 7, 6, text);
    assert_string_equal(text, "2026-01-31T23:59:59.000007Z");
}

static void the_first_and_the_last_moment_are_written(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_BYTES];
    clock_format(0, 6, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
    clock_format(UINT64_C(253402300799) * US_PER_S + 999999, 6, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
}

/* The C library's calendar is the other opinion: each day of four centuries, leap years and all. */
static void every_day_is_written_as_the_system_does(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 146097 + 400; day++) {
        char text[CLOCK_TEXT_BYTES], expected[CLOCK_TEXT_BYTES];
        const uint64_t seconds = day * 86400 + day % 86400;
        const time_t system = (time_t)seconds;
        struct tm parts;
        assert_non_null(gmtime_r(&system, &parts));
        assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);
        clock_format(seconds * US_PER_S, 0, text);
        if (strcmp(text, expected) != 0)
            assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(the_realtime_clock_is_that_of_the_system_in_microseconds),
        cmocka_unit_test(a_moment_is_written_with_the_digits_asked_for),
        cmocka_unit_test(the_first_and_the_last_moment_are_written),
        cmocka_unit_test(every_day_is_written_as_the_system_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
