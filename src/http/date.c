#include "http/date.h"

#include "base/clock.h"

#define S_PER_DAY   UINT64_C(86400)
#define PREFIX      "date: "
#define PREFIX_SIZE (sizeof(PREFIX) - 1)

/* The last second of the year 9999. */
#define SECOND_MAX UINT64_C(253402300799)

_Static_assert(sizeof(((struct http_date *)0)->line) == PREFIX_SIZE + HTTP_DATE_BYTES + 2,
               "the line holds the whole field");

struct day {
    unsigned year, month, day; /* month and day from 1 */
};

/* Counts from March, so that the leap day is a year's last, in eras of 400 years, which all have
 * the same number of days. */
static struct day day_of(uint64_t days_since_1970)
{
    const uint64_t days = days_since_1970 + 719468; /* since 0000-03-01 */
    const unsigned era = (unsigned)(days / 146097);
    const unsigned day_of_era = (unsigned)(days % 146097);
    const unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month_from_march = (5 * day_of_year + 2) / 153;
    const unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct day){
        .year = era * 400 + year_of_era + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
}

static void write_two(char *at, unsigned value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

void http_date_format(uint64_t second, char text_out[HTTP_DATE_BYTES])
{
    static const char week_days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (second > SECOND_MAX)
        second = SECOND_MAX;
    const uint64_t days = second / S_PER_DAY;
    const unsigned in_day = (unsigned)(second % S_PER_DAY);
    const struct day day = day_of(days);
    memcpy(text_out, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_BYTES);
    memcpy(text_out, week_days + days % 7 * 3, 3);
    write_two(text_out + 5, day.day);
    memcpy(text_out + 8, months + (day.month - 1) * 3, 3);
    write_two(text_out + 12, day.year / 100);
    write_two(text_out + 14, day.year % 100);
    write_two(text_out + 17, in_day / 3600);
    write_two(text_out + 20, in_day / 60 % 60);
    write_two(text_out + 23, in_day % 60);
}

void http_date_init(struct http_date *date)
{
    date->second = 0;
    memcpy(date->line, PREFIX, PREFIX_SIZE);
    http_date_format(0, date->line + PREFIX_SIZE);
    memcpy(date->line + PREFIX_SIZE + HTTP_DATE_BYTES, "\r\n", 2);
}

struct slice http_date_line(struct http_date *date, uint64_t realtime_us)
{
    const uint64_t second = realtime_us / US_PER_S;
    if (second != date->second) {
        http_date_format(second, date->line + PREFIX_SIZE);
        date->second = second;
    }
    return slice_of(date->line, sizeof(date->line));
}
