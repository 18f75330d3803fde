#include "base/date.h"

#include <stdbool.h>

#define S_PER_DAY       UINT64_C(86400)
#define YEAR_10000_S    UINT64_C(253402300800) /* since 1970 */
#define FRACTION_DIGITS 6

/* Takes a number of exactly `digits` digits off the front. */
static bool take_number(struct slice *rest, size_t digits, uint64_t *number_out)
{
    if (rest->size < digits || slice_to_u64(slice_of(rest->data, digits), number_out) != STATUS_OK)
        return false;
    *rest = slice_from(*rest, digits);
    return true;
}

/* `byte` is in lower case, and is taken in upper case too. */
static bool take_byte(struct slice *rest, char byte)
{
    if (rest->size == 0 || !slice_equal_nocase(slice_of(rest->data, 1), slice_of(&byte, 1)))
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

static bool take_day(struct slice *rest, uint64_t *seconds_out)
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

/* What a time has below its second. */
struct fraction {
    uint64_t us;
    bool is_finer; /* than a microsecond */
};

static bool take_fraction(struct slice *rest, struct fraction *fraction)
{
    uint64_t digit;
    uint64_t unit_us = US_PER_S; /* of the digit before */
    if (!take_byte(rest, '.'))
        return true;
    while (take_number(rest, 1, &digit)) {
        fraction->is_finer |= unit_us <= 1;
        unit_us /= 10;
        fraction->us += digit * unit_us;
    }
    return unit_us < US_PER_S;
}

static bool take_time_of_day(struct slice *rest, uint64_t *seconds, struct fraction *fraction)
{
    uint64_t hour, minute, second;
    if (!take_number(rest, 2, &hour) || !take_byte(rest, ':') || !take_number(rest, 2, &minute) ||
        !take_byte(rest, ':') || !take_number(rest, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60) /* 60 is a leap second: the next one's start */
        return false;
    *seconds += hour * 3600 + minute * 60 + second;
    return take_fraction(rest, fraction);
}

static bool take_zone(struct slice *rest, uint64_t *seconds)
{
    if (take_byte(rest, 'z'))
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

static bool take_date(struct slice text, uint64_t *seconds_out, struct fraction *fraction_out)
{
    struct slice rest = text;
    *fraction_out = (struct fraction){0};
    if (!take_day(&rest, seconds_out))
        return false;
    return rest.size == 0 || ((take_byte(&rest, 't') || take_byte(&rest, ' ')) &&
                              take_time_of_day(&rest, seconds_out, fraction_out) &&
                              take_zone(&rest, seconds_out) && rest.size == 0);
}

enum status date_parse(struct slice text, uint64_t *time_us_out)
{
    uint64_t seconds;
    struct fraction fraction;
    if (!take_date(text, &seconds, &fraction) || fraction.is_finer || seconds >= YEAR_10000_S)
        return STATUS_INVALID;
    *time_us_out = seconds * US_PER_S + fraction.us;
    return STATUS_OK;
}

enum status date_parse_seconds(struct slice text, uint64_t *time_s_out)
{
    uint64_t seconds;
    struct fraction fraction;
    if (!take_date(text, &seconds, &fraction))
        return STATUS_INVALID;
    *time_s_out = seconds;
    return STATUS_OK;
}

enum status date_parse_day(struct slice text, uint64_t *time_us_out)
{
    struct slice rest = text;
    uint64_t seconds;
    if (!take_day(&rest, &seconds) || rest.size > 0)
        return STATUS_INVALID;
    *time_us_out = seconds * US_PER_S;
    return STATUS_OK;
}

unsigned date_format(uint64_t time_us, char text_out[CLOCK_TEXT_BYTES])
{
    const unsigned size = clock_format(time_us, time_us % US_PER_S > 0 ? 6 : 0, text_out);
    if (time_us % (S_PER_DAY * US_PER_S) != 0)
        return size;
    text_out[DATE_DAY_BYTES] = '\0';
    return DATE_DAY_BYTES;
}
