#include "admin/expiry.h"

#include <stdbool.h>

#include "base/clock.h"

#define S_PER_DAY  UINT64_C(86400)
#define YEAR_10000 UINT64_C(253402300800) /* in seconds since 1970 */

static uint64_t seconds_of_unit(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return S_PER_DAY;
    default:
        return 0;
    }
}

static bool read_duration(struct slice text, uint64_t now_us, uint64_t *time_us_out)
{
    if (text.size < 2)
        return false;
    const uint64_t unit_s = seconds_of_unit(text.data[text.size - 1]);
    uint64_t count = 0;
    if (unit_s == 0 || slice_to_u64(slice_of(text.data, text.size - 1), &count) != STATUS_OK ||
        count > YEAR_10000 / unit_s)
        return false;
    *time_us_out = now_us + count * unit_s * US_PER_S;
    return true;
}

/* Takes a number of exactly `digits` digits off the front. */
static bool take_number(struct slice *rest, size_t digits, uint64_t *number_out)
{
    if (rest->size < digits || slice_to_u64(slice_of(rest->data, digits), number_out) != STATUS_OK)
        return false;
    *rest = slice_from(*rest, digits);
    return true;
}

static bool take_byte(struct slice *rest, char byte)
{
    if (rest->size == 0 || rest->data[0] != byte)
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

static bool is_leap(uint64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint64_t days_in_month(uint64_t year, uint64_t month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to the date, which is valid and not before it. */
static uint64_t days_since_1970(uint64_t year, uint64_t month, uint64_t day)
{
    const uint64_t before = year - 1;
    uint64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (uint64_t i = 1; i < month; i++)
        days += days_in_month(year, i);
    return days + day - 1;
}

static bool take_date(struct slice *rest, uint64_t *seconds_out)
{
    uint64_t year, month, day;
    if (!take_number(rest, 4, &year) || !take_byte(rest, '-') || !take_number(rest, 2, &month) ||
        !take_byte(rest, '-') || !take_number(rest, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *seconds_out = days_since_1970(year, month, day) * S_PER_DAY;
    return true;
}

static bool take_time(struct slice *rest, uint64_t *seconds)
{
    uint64_t hour, minute, second;
    if (!take_number(rest, 2, &hour) || !take_byte(rest, ':') || !take_number(rest, 2, &minute) ||
        !take_byte(rest, ':') || !take_number(rest, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *seconds += hour * 3600 + minute * 60 + second;
    if (!take_byte(rest, '.'))
        return true;
    /* A fraction of a second makes no difference to a key, but it has to be one. */
    size_t digits = 0;
    while (rest->size > 0 && rest->data[0] >= '0' && rest->data[0] <= '9' && ++digits)
        *rest = slice_from(*rest, 1);
    return digits > 0;
}

static bool take_zone(struct slice *rest, uint64_t *seconds)
{
    if (take_byte(rest, 'Z') || take_byte(rest, 'z'))
        return true;
    const bool is_east = take_byte(rest, '+');
    uint64_t hours, minutes;
    if ((!is_east && !take_byte(rest, '-')) || !take_number(rest, 2, &hours) ||
        !take_byte(rest, ':') || !take_number(rest, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    const uint64_t offset_s = hours * 3600 + minutes * 60;
    if (is_east && *seconds < offset_s)
        return false;
    *seconds = is_east ? *seconds - offset_s : *seconds + offset_s;
    return true;
}

/* RFC 3339 section 5.6, or its full-date alone. */
static bool read_time(struct slice text, uint64_t *time_us_out)
{
    struct slice rest = text;
    uint64_t seconds = 0;
    if (!take_date(&rest, &seconds))
        return false;
    if (rest.size > 0) {
        if (!take_byte(&rest, 'T') && !take_byte(&rest, 't') && !take_byte(&rest, ' '))
            return false;
        if (!take_time(&rest, &seconds) || !take_zone(&rest, &seconds) || rest.size > 0)
            return false;
    }
    *time_us_out = seconds * US_PER_S;
    return true;
}

enum status expiry_parse(struct slice text, uint64_t now_us, uint64_t *expires_at_us_out,
                         struct reason *reason)
{
    uint64_t time_us = 0;
    if (!read_duration(text, now_us, &time_us) && !read_time(text, &time_us)) {
        reason_set(reason,
                   "the expiry is neither a duration such as 90d nor a time such as 2030-01-31 or "
                   "2030-01-31T12:00:00Z");
        return STATUS_INVALID;
    }
    if (time_us <= now_us || time_us >= YEAR_10000 * US_PER_S) {
        reason_set(reason, time_us <= now_us ? "the expiry lies in the past"
                                             : "the expiry lies beyond the year 9999");
        return STATUS_INVALID;
    }
    *expires_at_us_out = time_us;
    return STATUS_OK;
}
