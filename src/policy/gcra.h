/* The generic cell rate algorithm (ITU-T I.371, annex A) on one word: the theoretical arrival time,
 * in ns of CLOCK_MONOTONIC, at which the burst is whole again. The burst is the limit.
 *
 * What `count` of a limit cost is count × window / limit in ns, rounded down but at least 1: so a
 * whole burst always fits, and what rounding gives away is less than 1 ns for each request.
 *
 * Thread: any number at once; pure but for the word. */
#ifndef POLICY_GCRA_H
#define POLICY_GCRA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gcra {
    uint64_t limit;     /* > 0 */
    uint64_t window_ns; /* > 0 */
};

/* The burst that is left: what fits now. */
uint64_t gcra_remaining(const struct gcra *gcra, const _Atomic uint64_t *word, uint64_t now_ns);
/* Until the burst is whole; 0: it is. */
uint64_t gcra_reset_ns(const _Atomic uint64_t *word, uint64_t now_ns);

/* How long until `count`, at most the limit, fits if nobody else takes anything; 0: it fits now. */
uint64_t gcra_wait_ns(const struct gcra *gcra, const _Atomic uint64_t *word, uint64_t count,
                      uint64_t now_ns);
/* Takes it and returns 0, or takes nothing and returns what gcra_wait_ns() does. */
uint64_t gcra_take(const struct gcra *gcra, _Atomic uint64_t *word, uint64_t count,
                   uint64_t now_ns);

/* Makes of `taken` what was really used: gives the rest back, or takes more, if need be beyond the
 * burst. */
void gcra_correct(const struct gcra *gcra, _Atomic uint64_t *word, uint64_t taken, uint64_t used,
                  uint64_t now_ns);

/* What was taken of a limit of `from` counts as so much of one of `to`. */
void gcra_rescale(_Atomic uint64_t *word, uint64_t from, uint64_t to, uint64_t now_ns);

#endif
