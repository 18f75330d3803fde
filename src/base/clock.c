#include "base/clock.h"

#include <time.h>

#include "base/assert.h"

static uint64_t read_ns(clockid_t clock)
{
    struct timespec time;
    const int failed = clock_gettime(clock, &time);
    ASSERT(!failed);
    return (uint64_t)time.tv_sec * 1000 * NS_PER_MS + (uint64_t)time.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_us(void)
{
    return read_ns(CLOCK_REALTIME) / 1000;
}

static char *put_number(char *at, unsigned value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + digits;
}

/* From days since 1970 to year, month, day: Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days, for non-negative days. */
static char *put_date(char *at, uint64_t days)
{
    const uint64_t shifted = days + 719468;
    const unsigned era = (unsigned)(shifted / 146097);
    const unsigned of_era = (unsigned)(shifted % 146097);
    const unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned shifted_month = (5 * of_year + 2) / 153;
    const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    at = put_number(at, year_of_era + era * 400 + (month <= 2), 4);
    *at++ = '-';
    at = put_number(at, month, 2);
    *at++ = '-';
    return put_number(at, of_year - (153 * shifted_month + 2) / 5 + 1, 2);
}

unsigned clock_format(uint64_t realtime_us, unsigned digits, char text_out[CLOCK_TEXT_BYTES])
{
    ASSERT(digits == 0 || digits == 3 || digits == 6);
    const uint64_t seconds = realtime_us / US_PER_S;
    const unsigned of_day = (unsigned)(seconds % 86400);
    const unsigned fraction_us = (unsigned)(realtime_us % US_PER_S);

    char *at = put_date(text_out, seconds / 86400);
    *at++ = 'T';
    at = put_number(at, of_day / 3600, 2);
    *at++ = ':';
    at = put_number(at, of_day / 60 % 60, 2);
    *at++ = ':';
    at = put_number(at, of_day % 60, 2);
    if (digits > 0) {
        *at++ = '.';
        at = put_number(at, digits == 3 ? fraction_us / 1000 : fraction_us, digits);
    }
    *at++ = 'Z';
    *at = '\0';
    return (unsigned)(at - text_out);
}
