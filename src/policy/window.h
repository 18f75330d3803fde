/* Calendar windows of a budget: which one a moment lies in, when it began and when it ends.
 *
 * Days, weeks (from Monday) and months are those of the zone's calendar, so a day has 23 to 25 hours
 * where the clocks change; it begins when the calendar first shows it, and a minute that is shown a
 * second time stays with the later day. An hour is always 3,600 s and begins at the full hour of the
 * zone's standard time: an hour that the clock shows twice is two windows. Windows of one unit and
 * zone touch each other without gap or overlap, and their numbers rise by one (by two over a day that
 * the calendar left out, as Samoa's did).
 *
 * Thread: any; the same for the same input. The last windows are kept, by each thread. A NULL zone is
 * UTC. */
#ifndef POLICY_WINDOW_H
#define POLICY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/limit.h"
#include "policy/zone.h"

struct window {
    uint64_t number;   /* rises from each window to the next; > 0 and < 2^40 */
    uint64_t start_us; /* since 1970; LIMIT_WINDOW_TOTAL: 0 */
    uint64_t end_us;   /* the first moment of the next one; LIMIT_WINDOW_TOTAL: UINT64_MAX */
};

/* The window of a moment; `unit` is LIMIT_WINDOW_HOUR … LIMIT_WINDOW_TOTAL. */
void window_at(enum limit_window unit, const struct zone *zone, uint64_t time_us,
               struct window *window_out);
/* The one before it. False: there is none (LIMIT_WINDOW_TOTAL). */
bool window_before(enum limit_window unit, const struct zone *zone, const struct window *window,
                   struct window *before_out);

#endif
