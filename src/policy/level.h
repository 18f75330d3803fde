/* The limits of one level (a key, a user, a team, a model, the gateway) and what is counted by them.
 *
 * What is counted lies in one mapping of fixed records that two processes may share: a record is an
 * index, not a pointer, and every word in it is atomic. A level is immutable; a change of limits makes
 * a new one, which goes on counting in the records of its former one where kind and window are the
 * same. A record is used anew once no level has it.
 *
 *   requests, tokens: GCRA, one word: the theoretical arrival time in ns of CLOCK_MONOTONIC. The
 *                     burst is the limit.
 *   parallel:         one word: requests in flight.
 *   money:            for each of two windows one word *committed* = spent + held, and one *held*,
 *                     which only tells.
 *
 * Thread: any; levels are shared by reference. The words follow policy/admission.h. */
#ifndef POLICY_LEVEL_H
#define POLICY_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "policy/limit.h"
#include "policy/window.h"

/* The mapping, and which of its records are free. One per process. */
struct counters;
/* Reserves addresses for 16,000,000 records; memory is taken as they are used. STATUS_NO_MEMORY,
 * STATUS_IO. */
MUST_CHECK enum status counters_create(struct counters **counters_out, struct reason *reason);
/* No level is left. */
void counters_destroy(struct counters **counters);
/* Records in use, for tests and metrics. */
size_t counters_used(const struct counters *counters);

struct level;

/* `former` (may be NULL) is the level that this one follows. STATUS_NO_MEMORY, STATUS_LIMITED: no
 * record is free. With no limits *level_out is NULL, which every function here takes. */
MUST_CHECK enum status level_create(struct counters *counters, const struct limits *limits,
                                    bool is_warn_only, const struct level *former,
                                    struct level **level_out);
struct level *level_ref(struct level *level);
void level_unref(struct level **level);

/* The level takes its former one's place, which may be NULL; once, and not before it does. What was
 * taken of a rate counts against the new amount as so many requests and tokens, not as the same share;
 * of a budget whose amount is another one, shares are told anew. */
void level_succeed(struct level *level, const struct level *former, uint64_t now_ns);

/* Asks for what is counted, which will soon be looked at; the first step is for the level itself. */
static inline void level_prefetch(const struct level *level)
{
    __builtin_prefetch(level);
}
void level_prefetch_counters(const struct level *level);

size_t level_count(const struct level *level);
const struct limit *level_limit(const struct level *level, size_t index);
bool level_is_warn_only(const struct level *level);
/* Whether one of them is a budget. */
bool level_has_budget(const struct level *level);

/* Forgets what was spent in all windows: those that come are of another calendar. What is held now is
 * not counted any more when it settles. */
void level_forget_spending(struct level *level, size_t index);
/* Adds what was spent in a window before anybody counted: at start, and when a budget is new.
 * `window` is the one of now or the one before it. */
void level_seed(struct level *level, size_t index, const struct window *window,
                uint64_t spent_nanousd);

/* Where a limit stands, for people; the moment need not be exact. */
struct level_state {
    uint64_t used;      /* of the burst, in flight, or spent, in the limit's unit */
    uint64_t held;      /* money of requests in flight; `used` does not hold it */
    uint64_t remaining; /* 0 when it is used up */
    uint64_t reset_us;  /* until it is as if unused: the burst is whole, the window ends;
                         * UINT64_MAX: never */
};
void level_state(const struct level *level, size_t index, const struct zone *zone, uint64_t now_ns,
                 uint64_t now_us, struct level_state *state_out);

#endif
