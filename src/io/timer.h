/* Deadlines of one loop: a hashed wheel of lists, where arming again costs nothing.
 *
 * A timer is due at `due_ms`, and is filed in the wheel at some moment not later than that. Arming
 * a filed timer for a later moment only writes `due_ms`; when the wheel reaches the place where it
 * is filed and it is not due, it is filed again. So a deadline that moves with each request is
 * never relinked. A timer that nobody waits for stays filed until the wheel passes it once.
 *
 * Thread: the loop's. Memory: the timer lies in its owner's struct, who calls timer_remove()
 * before freeing it. The time is a parameter. Resolution: TIMER_TICK_MS, never early. */
#ifndef IO_TIMER_H
#define IO_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/status.h"

#define TIMER_TICK_MS 8
#define TIMER_NEVER   UINT64_MAX

struct timer {
    struct list_node node;
    uint64_t due_ms;   /* TIMER_NEVER: nobody waits */
    uint64_t filed_ms; /* where it is filed; TIMER_NEVER: not filed */
    void (*fire)(struct timer *timer);
};

struct timer_wheel; /* opaque; 64 KiB */

/* STATUS_NO_MEMORY. Free with timer_wheel_destroy(); no timer may then be filed. */
MUST_CHECK enum status timer_wheel_create(uint64_t now_ms, struct timer_wheel **wheel_out);
void timer_wheel_destroy(struct timer_wheel **wheel);

void timer_init(struct timer *timer, void (*fire)(struct timer *timer));

/* Makes the timer fire once, when `due_ms` has passed. */
void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms);

static inline void timer_disarm(struct timer *timer)
{
    timer->due_ms = TIMER_NEVER;
}

/* Takes the timer out of the wheel for good. */
void timer_remove(struct timer *timer);

/* Fires what is due, at most `count_max` timers looked at; the rest at the next call. Returns
 * whether some are left. `now_ms` never goes back. */
bool timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms, unsigned count_max);

/* Milliseconds until the wheel next wants a look; UINT64_MAX if nothing is filed. */
uint64_t timer_wheel_wait_ms(const struct timer_wheel *wheel, uint64_t now_ms);

#endif
