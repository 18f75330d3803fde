#include "models/price_day.h"

#include "base/clock.h"

#define US_PER_DAY (86400 * US_PER_S)

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

static bool read_number(struct slice text, size_t from, size_t size, unsigned *value_out)
{
    uint64_t value;
    if (slice_to_u64(slice_of(text.data + from, size), &value) != STATUS_OK)
        return false;
    *value_out = (unsigned)value;
    return true;
}

/* The leap days of all years before this one, less those before 1970. */
static unsigned leap_days_before(unsigned year)
{
    const unsigned last = year - 1;
    return last / 4 - last / 100 + last / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

enum status price_day_parse(struct slice text, uint64_t *time_us_out)
{
    unsigned year, month, day;
    if (text.size != PRICE_DAY_BYTES || text.data[4] != '-' || text.data[7] != '-' ||
        !read_number(text, 0, 4, &year) || !read_number(text, 5, 2, &month) ||
        !read_number(text, 8, 2, &day))
        return STATUS_INVALID;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return STATUS_INVALID;
    uint64_t days = (uint64_t)(year - 1970) * 365 + leap_days_before(year) + day - 1;
    for (unsigned before = 1; before < month; before++)
        days += days_of_month(year, before);
    *time_us_out = days * US_PER_DAY;
    return STATUS_OK;
}
