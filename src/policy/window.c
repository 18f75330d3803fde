#include "policy/window.h"

#include "base/assert.h"
#include "base/clock.h"
#include "policy/calendar.h"

#define S_PER_HOUR     3600
#define S_PER_DAY      86400
#define OFFSET_S_MAX   (26 * S_PER_HOUR)
#define TIME_S_MAX     ((int64_t)(UINT64_MAX / US_PER_S))
#define KEPT           16 /* windows that a thread remembers */
#define FIRST_NUMBER   2 /* of the window with 1970-01-01: one before it may still have begun then */
#define MONDAY_TO_DAY0 3

/* --- days, weeks, months: counted in the zone's calendar --------------------------------------- */

/* Which week or month (or day itself) a day is in; those with 1970-01-01 are 0. */
static int64_t index_of(enum limit_window unit, int64_t day)
{
    if (unit == LIMIT_WINDOW_DAY)
        return day;
    if (unit == LIMIT_WINDOW_WEEK)
        return calendar_floor(day + MONDAY_TO_DAY0, 7);
    const struct calendar_date date = calendar_date(day);
    return (date.year - 1970) * 12 + date.month - 1;
}

static int64_t first_day(enum limit_window unit, int64_t index)
{
    if (unit == LIMIT_WINDOW_DAY)
        return index;
    if (unit == LIMIT_WINDOW_WEEK)
        return index * 7 - MONDAY_TO_DAY0;
    const int64_t year = 1970 + calendar_floor(index, 12);
    return calendar_day(year, (unsigned)(index - (year - 1970) * 12) + 1, 1);
}

/* The first moment at which the zone's clock shows the day, or a later one. */
static int64_t day_start(const struct zone *zone, int64_t day)
{
    const int64_t shown_s = day * S_PER_DAY;
    int64_t time_s = shown_s - OFFSET_S_MAX; /* not yet, whatever the offset is */
    for (;;) {
        const int64_t start_s = shown_s - zone_offset(zone, time_s);
        const int64_t change_s = zone_next_change(zone, time_s);
        if (start_s < change_s)
            return start_s > time_s ? start_s : time_s;
        time_s = change_s;
    }
}

static int64_t unit_start(enum limit_window unit, const struct zone *zone, int64_t index)
{
    return day_start(zone, first_day(unit, index));
}

static uint64_t us_of(int64_t time_s)
{
    if (time_s < 0)
        return 0;
    return time_s > TIME_S_MAX ? UINT64_MAX : (uint64_t)time_s * US_PER_S;
}

static void calendar_window(enum limit_window unit, const struct zone *zone, int64_t time_s,
                            struct window *window)
{
    const int64_t shown_s = time_s + zone_offset(zone, time_s);
    int64_t index = index_of(unit, calendar_floor(shown_s, S_PER_DAY));
    int64_t end_s = unit_start(unit, zone, index + 1);
    /* A clock that was set back over midnight shows a day that is over. */
    while (end_s <= time_s)
        end_s = unit_start(unit, zone, ++index + 1);
    window->number = (uint64_t)(index + FIRST_NUMBER);
    window->start_us = us_of(unit_start(unit, zone, index));
    window->end_us = us_of(end_s);
}

/* --- hours ------------------------------------------------------------------------------------- */

static void hour_window(const struct zone *zone, int64_t time_s, struct window *window)
{
    const int64_t offset_s = zone_standard_offset(zone);
    const int64_t shift_s = offset_s - calendar_floor(offset_s, S_PER_HOUR) * S_PER_HOUR;
    const int64_t index = calendar_floor(time_s + shift_s, S_PER_HOUR);
    window->number = (uint64_t)(index + FIRST_NUMBER);
    window->start_us = us_of(index * S_PER_HOUR - shift_s);
    window->end_us = us_of((index + 1) * S_PER_HOUR - shift_s);
}

/* --- what was asked last ------------------------------------------------------------------------ */

struct kept_window {
    const struct zone *zone;
    enum limit_window unit;
    struct window window;
};
static _Thread_local struct kept_window kept[KEPT];

static struct kept_window *place_of(enum limit_window unit, const struct zone *zone)
{
    const uintptr_t address = (uintptr_t)zone;
    return &kept[((address >> 4 ^ address >> 9) * 5 + unit) % KEPT];
}

static void find_window(enum limit_window unit, const struct zone *zone, uint64_t time_us,
                        struct window *window)
{
    const int64_t time_s = (int64_t)(time_us / US_PER_S);
    if (unit == LIMIT_WINDOW_HOUR)
        hour_window(zone, time_s, window);
    else
        calendar_window(unit, zone, time_s, window);
}

void window_at(enum limit_window unit, const struct zone *zone, uint64_t time_us,
               struct window *window_out)
{
    ASSERT(unit >= LIMIT_WINDOW_HOUR && unit <= LIMIT_WINDOW_TOTAL);
    if (unit == LIMIT_WINDOW_TOTAL) {
        *window_out = (struct window){1, 0, UINT64_MAX};
        return;
    }
    if (zone == NULL)
        zone = zone_utc();
    struct kept_window *place = place_of(unit, zone);
    if (place->zone != zone || place->unit != unit || time_us < place->window.start_us ||
        time_us >= place->window.end_us) {
        *place = (struct kept_window){.zone = zone, .unit = unit};
        find_window(unit, zone, time_us, &place->window);
    }
    *window_out = place->window;
}

bool window_before(enum limit_window unit, const struct zone *zone, const struct window *window,
                   struct window *before_out)
{
    if (unit == LIMIT_WINDOW_TOTAL || window->start_us == 0)
        return false;
    if (zone == NULL)
        zone = zone_utc();
    find_window(unit, zone, window->start_us - 1, before_out);
    return true;
}
