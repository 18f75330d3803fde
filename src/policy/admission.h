/* Whether a request may be made, by all limits of all its levels at once, and what it takes of them.
 *
 *   admission_check()  reads only
 *   admission_take() → a grant → admission_settle()
 *                          └──► admission_extend(), any number of times
 *
 * Taking is all or nothing: all limits are first read; then taken in the order of the levels, and on
 * a failure given back in reverse, after which it is tried once more. So another request may be
 * refused meanwhile, but none is wrongly admitted, and a refusal takes nothing.
 *
 * Thread: any number at once. Memory: the caller's; nothing is allocated. Time is a parameter. */
#ifndef POLICY_ADMISSION_H
#define POLICY_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/level.h"
#include "policy/zone.h"

/* In the order in which they are taken. */
enum level_kind {
    LEVEL_KEY,
    LEVEL_USER,
    LEVEL_TEAM,
    LEVEL_MODEL,
    LEVEL_PROVIDER,
    LEVEL_GATEWAY,
    LEVEL_KIND_COUNT,
};
/* "key" … "gateway". Static storage. */
const char *level_kind_name(enum level_kind kind);

/* The levels of a request; NULL where one has no limits. */
struct admission_levels {
    struct level *of[LEVEL_KIND_COUNT];
    const struct zone *zones[LEVEL_KIND_COUNT]; /* of their calendars; NULL: UTC */
};

struct admission_demand {
    uint64_t now_ns;       /* CLOCK_MONOTONIC */
    uint64_t now_us;       /* since 1970 */
    uint64_t tokens;       /* input and output */
    uint64_t cost_nanousd; /* the hold */
};

enum admission_verdict {
    ADMISSION_ADMITTED,
    ADMISSION_RATE,      /* requests or tokens: later it works, after `retry_after_ns` */
    ADMISSION_PARALLEL,  /* as many are in flight as may be; nobody knows for how long */
    ADMISSION_BUDGET,    /* what is left of a budget does not suffice */
    ADMISSION_TOO_LARGE, /* more than the whole limit or budget: it can never work */
};

struct admission_refusal {
    enum admission_verdict verdict;
    enum level_kind level;
    struct limit limit;
    uint64_t retry_after_ns; /* of ADMISSION_RATE: the longest of all limits that refuse now;
                              * of ADMISSION_BUDGET: until its window ends, UINT64_MAX: never;
                              * of ADMISSION_PARALLEL: UINT64_MAX, nobody knows */
    uint64_t available;      /* of ADMISSION_BUDGET: nano-dollars that are left */
};

/* What was taken of one limit. */
struct admission_take {
    struct level *level; /* a reference */
    uint32_t index;      /* of the limit */
    uint8_t level_kind;
    uint64_t window_word; /* of a budget: which window it belongs to, for ever */
    uint64_t amount;      /* taken so far */
};

/* What a request has taken; ADMISSION_TAKES_MAX is enough for all limits of all levels. */
#define ADMISSION_TAKES_MAX (LIMITS_MAX * LEVEL_KIND_COUNT)
struct admission_grant {
    struct admission_take *takes; /* the caller's memory, room for as many as there are limits */
    size_t count;
    uint64_t now_us; /* when it was taken */
};

/* How many limits there are: so many takes a grant needs. */
size_t admission_limit_count(const struct admission_levels *levels);

/* Reads only. Of several limits that refuse one is named: what says ADMISSION_TOO_LARGE before what
 * says ADMISSION_BUDGET, and that before rates and parallel requests; then the budget whose window ends
 * last, else the first in the order of the levels. Warn-only budgets never refuse. */
enum admission_verdict admission_check(const struct admission_levels *levels,
                                       const struct admission_demand *demand,
                                       struct admission_refusal *refusal_out);

/* For what was checked in the same turn: nothing is looked at again before it is taken but budgets, of which
 * the cost was not known then. `grant->takes` has the room. On ADMISSION_ADMITTED the grant holds a reference of each level and
 * is to be settled; else it has nothing. */
enum admission_verdict admission_take(const struct admission_levels *levels,
                                      const struct admission_demand *demand,
                                      struct admission_grant *grant,
                                      struct admission_refusal *refusal_out);

/* Holds more money at every budget, or at none; of the windows that the request belongs to. False: a
 * hard budget has no room. */
bool admission_extend(struct admission_grant *grant, uint64_t cost_nanousd);

/* A share of a budget that was reached: told once for each window and share. */
struct admission_alert {
    enum level_kind level_kind;
    struct level *level; /* of the grant */
    struct limit limit;
    unsigned percent;       /* the share */
    uint64_t spent_nanousd; /* in the window, without holds */
};
typedef void admission_on_alert(void *context, const struct admission_alert *alert);

/* What is told when a request settles. */
struct admission_alerts {
    const uint8_t *percents; /* rising, each 1 to 200, at most 8 */
    size_t count;
    admission_on_alert *on_alert;
    void *context;
};

struct admission_actual {
    uint64_t now_ns;
    uint64_t tokens;       /* that were used, to correct what was taken */
    uint64_t cost_nanousd; /* what it cost: takes the place of the hold */
    bool is_void;          /* nothing was called: requests and tokens are given back too */
};
/* Gives back or adds what differs, requests in flight always; ends the grant. `alerts` may be NULL. */
void admission_settle(struct admission_grant *grant, const struct admission_actual *actual,
                      const struct admission_alerts *alerts);

/* What a request cost at budgets that it has nothing taken of: those of `levels`, as they are by now,
 * that were set, or begun anew, while it ran. Before admission_settle(). */
void admission_settle_late(const struct admission_levels *levels,
                           const struct admission_grant *grant, uint64_t cost_nanousd);

/* The least that is left of any hard budget; UINT64_MAX: there is none. */
uint64_t admission_affordable(const struct admission_levels *levels, uint64_t now_us);
/* Whether any budget, hard or not, is to be held. */
bool admission_has_budget(const struct admission_levels *levels);
bool admission_has_hard_budget(const struct admission_levels *levels);

/* For the headers x-ratelimit-*: of all limits of this kind the one with the least left, by share. */
struct admission_nearest {
    uint64_t limit, remaining;
    uint64_t reset_ns; /* until the burst is whole */
};
/* False: no level has such a limit. */
bool admission_nearest(const struct admission_levels *levels, enum limit_kind kind, uint64_t now_ns,
                       struct admission_nearest *nearest_out);

#endif
