/* What admission.c sees of a level. */
#ifndef POLICY_LEVEL_INTERNAL_H
#define POLICY_LEVEL_INTERNAL_H

#include <stdatomic.h>

#include "policy/counters.h"
#include "policy/gcra.h"
#include "policy/level.h"

struct level {
    _Atomic uint32_t references;
    uint8_t count;
    bool is_warn_only;
    bool has_budget;
    uint8_t kinds; /* bit `kind` is set where a limit is of that kind */
    struct counters *counters;
    struct limit limits[]; /* behind them one uint32_t for each: the index of its record */
};

static inline uint32_t *level_indexes(const struct level *level)
{
    return (uint32_t *)(uintptr_t)(level->limits + level->count);
}

static inline union counter *level_record(const struct level *level, size_t index)
{
    return counters_record(level->counters, level_indexes(level)[index]);
}

/* Of LIMIT_REQUESTS and LIMIT_TOKENS. */
struct gcra level_gcra(const struct limit *limit);
/* To correct what was taken with: of the amount that the word counts in by now, if another level has
 * taken this one's place. */
struct gcra level_correcting_gcra(const struct level *level, size_t index);

#endif
