#include "policy/calendar.h"

#include <stdbool.h>

#define DAYS_TO_1970      719162 /* from the first day of the year 1 */
#define DAYS_IN_400_YEARS 146097
#define WEEKDAY_OF_DAY_0  4

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned calendar_month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t year_start(int64_t year)
{
    const int64_t before = year - 1;
    return before * 365 + calendar_floor(before, 4) - calendar_floor(before, 100) +
           calendar_floor(before, 400) - DAYS_TO_1970;
}

int64_t calendar_day(int64_t year, unsigned month, unsigned day)
{
    int64_t days = year_start(year);
    for (unsigned i = 1; i < month; i++)
        days += calendar_month_days(year, i);
    return days + day - 1;
}

struct calendar_date calendar_date(int64_t day)
{
    /* The mean length of a year gives the year, or the one next to it. */
    struct calendar_date date = {1970 + calendar_floor(day * 400, DAYS_IN_400_YEARS), 1, 1};
    while (year_start(date.year) > day)
        date.year--;
    while (year_start(date.year + 1) <= day)
        date.year++;
    unsigned rest = (unsigned)(day - year_start(date.year));
    for (; rest >= calendar_month_days(date.year, date.month); date.month++)
        rest -= calendar_month_days(date.year, date.month);
    date.day = rest + 1;
    return date;
}

unsigned calendar_weekday(int64_t day)
{
    const int64_t weekday = (day + WEEKDAY_OF_DAY_0) % 7;
    return (unsigned)(weekday < 0 ? weekday + 7 : weekday);
}
