#include "admin/expiry.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/date.h"

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

/* A fraction of a second makes no difference to a key. */
static bool read_time(struct slice text, uint64_t *time_us_out)
{
    uint64_t seconds;
    if (date_parse_seconds(text, &seconds) != STATUS_OK)
        return false;
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
