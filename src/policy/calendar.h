/* Days of the Gregorian calendar, counted from 1970-01-01 (day 0, a Thursday), before it too.
 *
 * Thread: any; pure. Years are within ±1,000,000,000. */
#ifndef POLICY_CALENDAR_H
#define POLICY_CALENDAR_H

#include <stdint.h>

struct calendar_date {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
};

/* The quotient rounded down, where C rounds to 0. `by` > 0. */
static inline int64_t calendar_floor(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

int64_t calendar_day(int64_t year, unsigned month, unsigned day);
struct calendar_date calendar_date(int64_t day);
unsigned calendar_month_days(int64_t year, unsigned month);
/* 0 is Sunday. */
unsigned calendar_weekday(int64_t day);

#endif
