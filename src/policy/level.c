#include "policy/level.h"

#include "base/slab.h"
#include "base/assert.h"
#include "base/clock.h"
#include "policy/level_internal.h"

#define NS_PER_S  (1000 * NS_PER_MS)
#define NS_PER_US (NS_PER_MS / US_PER_MS)

/* Not in line, so that a record may be found from there without another call. */
_Static_assert(_Alignof(struct limit) >= _Alignof(uint32_t), "indexes stand behind the limits");

struct gcra level_gcra(const struct limit *limit)
{
    static const uint64_t window_ns[LIMIT_WINDOW_COUNT] = {
        [LIMIT_WINDOW_MINUTE] = 60 * NS_PER_S,
        [LIMIT_WINDOW_HOUR] = 3600 * NS_PER_S,
        [LIMIT_WINDOW_DAY] = 86400 * NS_PER_S,
    };
    return (struct gcra){limit->amount, window_ns[limit->window]};
}

/* --- life -------------------------------------------------------------------------------------- */

/* The record of the former level's limit that counts the same; false: it has none. */
static bool find_former(const struct level *former, const struct limit *limit, uint32_t *index_out)
{
    for (size_t i = 0; i < level_count(former); i++) {
        if (former->limits[i].kind != limit->kind || former->limits[i].window != limit->window)
            continue;
        *index_out = level_indexes(former)[i];
        return true;
    }
    return false;
}

/* Adds the limit; level->count says where. */
static enum status add_limit(struct level *level, const struct limit *limit, uint32_t *index,
                             const struct level *former)
{
    ASSERT(limit->amount > 0);
    if (find_former(former, limit, index)) {
        counters_share(level->counters, *index);
    } else {
        const enum status status = counters_take(level->counters, index);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static size_t level_bytes(size_t count)
{
    return sizeof(struct level) + count * (sizeof(struct limit) + sizeof(uint32_t));
}

enum status level_create(struct counters *counters, const struct limits *limits, bool is_warn_only,
                         const struct level *former, struct level **level_out)
{
    uint32_t indexes[LIMITS_MAX];
    ASSERT(limits->count <= LIMITS_MAX && (former == NULL || former->counters == counters));
    *level_out = NULL;
    if (limits->count == 0)
        return STATUS_OK;
    struct level *level = slab_take(level_bytes(limits->count));
    if (level == NULL)
        return STATUS_NO_MEMORY;
    *level = (struct level){
        .count = (uint8_t)limits->count, .is_warn_only = is_warn_only, .counters = counters};
    atomic_init(&level->references, 1);
    for (size_t i = 0; i < limits->count; i++) {
        const enum status status = add_limit(level, &limits->items[i], &indexes[i], former);
        if (status != STATUS_OK) {
            while (i-- > 0)
                counters_drop(counters, indexes[i]);
            slab_give(level, level_bytes(limits->count));
            return status;
        }
        level->limits[i] = limits->items[i];
        level->has_budget |= limits->items[i].kind == LIMIT_MONEY;
        level->kinds |= (uint8_t)(1U << limits->items[i].kind);
    }
    memcpy(level_indexes(level), indexes, limits->count * sizeof(indexes[0]));
    *level_out = level;
    return STATUS_OK;
}

void level_prefetch_counters(const struct level *level)
{
    if (level == NULL)
        return;
    for (size_t i = 0; i < level->count; i++)
        __builtin_prefetch(level_record(level, i), 1);
}

struct level *level_ref(struct level *level)
{
    if (level != NULL)
        (void)atomic_fetch_add_explicit(&level->references, 1, memory_order_relaxed);
    return level;
}

void level_unref(struct level **level)
{
    struct level *it = *level;
    *level = NULL;
    if (it == NULL || atomic_fetch_sub_explicit(&it->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < it->count; i++)
        counters_drop(it->counters, level_indexes(it)[i]);
    slab_give(it, level_bytes(it->count));
}

static bool is_rate(const struct limit *limit)
{
    return limit->kind == LIMIT_REQUESTS || limit->kind == LIMIT_TOKENS;
}

static const struct limit *find_alike(const struct level *level, const struct limit *limit)
{
    for (size_t i = 0; i < level_count(level); i++) {
        if (level->limits[i].kind == limit->kind && level->limits[i].window == limit->window)
            return &level->limits[i];
    }
    return NULL;
}

void level_succeed(struct level *level, const struct level *former, uint64_t now_ns)
{
    for (size_t i = 0; i < level_count(level); i++) {
        const struct limit *limit = &level->limits[i], *was = find_alike(former, limit);
        union counter *record = level_record(level, i);
        if (was == NULL || was->amount == limit->amount)
            continue;
        if (limit->kind == LIMIT_MONEY)
            budget_forget_told(&record->budget);
        if (!is_rate(limit))
            continue;
        gcra_rescale(&record->rate.arrival_ns, was->amount, limit->amount, now_ns);
        atomic_store_explicit(&record->rate.scale, limit->amount, memory_order_relaxed);
    }
}

struct gcra level_correcting_gcra(const struct level *level, size_t index)
{
    struct gcra gcra = level_gcra(&level->limits[index]);
    const uint64_t scale =
        atomic_load_explicit(&level_record(level, index)->rate.scale, memory_order_relaxed);
    if (scale > 0)
        gcra.limit = scale;
    return gcra;
}

/* --- what it has ------------------------------------------------------------------------------- */

size_t level_count(const struct level *level)
{
    return level == NULL ? 0 : level->count;
}

const struct limit *level_limit(const struct level *level, size_t index)
{
    ASSERT(index < level_count(level));
    return &level->limits[index];
}

bool level_is_warn_only(const struct level *level)
{
    return level != NULL && level->is_warn_only;
}

bool level_has_budget(const struct level *level)
{
    return level != NULL && level->has_budget;
}

void level_forget_spending(struct level *level, size_t index)
{
    ASSERT(level_limit(level, index)->kind == LIMIT_MONEY);
    budget_forget(&level_record(level, index)->budget);
}

void level_seed(struct level *level, size_t index, const struct window *window,
                uint64_t spent_nanousd)
{
    ASSERT(level_limit(level, index)->kind == LIMIT_MONEY);
    budget_add(&level_record(level, index)->budget, window->number, spent_nanousd);
}

/* --- where it stands --------------------------------------------------------------------------- */

static void read_rate(const struct limit *limit, const union counter *record, uint64_t now_ns,
                      struct level_state *state)
{
    const struct gcra gcra = level_gcra(limit);
    state->remaining = gcra_remaining(&gcra, &record->words[0], now_ns);
    state->used = limit->amount - state->remaining;
    state->reset_us = (gcra_reset_ns(&record->words[0], now_ns) + NS_PER_US - 1) / NS_PER_US;
}

static void read_parallel(const struct limit *limit, const union counter *record,
                          struct level_state *state)
{
    state->used = atomic_load_explicit(&record->words[0], memory_order_relaxed);
    state->remaining = limit->amount > state->used ? limit->amount - state->used : 0;
    state->reset_us = state->used == 0 ? 0 : UINT64_MAX;
}

static void read_budget(const struct limit *limit, union counter *record, const struct zone *zone,
                        uint64_t now_us, struct level_state *state)
{
    struct window window;
    window_at(limit->window, zone, now_us, &window);
    const struct budget_state read = budget_read(&record->budget, window.number);
    state->used = read.committed > read.held ? read.committed - read.held : 0;
    state->held = read.held;
    state->remaining = limit->amount > read.committed ? limit->amount - read.committed : 0;
    state->reset_us = window.end_us == UINT64_MAX ? UINT64_MAX : window.end_us - now_us;
}

void level_state(const struct level *level, size_t index, const struct zone *zone, uint64_t now_ns,
                 uint64_t now_us, struct level_state *state_out)
{
    const struct limit *limit = level_limit(level, index);
    union counter *record = level_record(level, index);
    *state_out = (struct level_state){0};
    if (limit->kind == LIMIT_MONEY)
        read_budget(limit, record, zone, now_us, state_out);
    else if (limit->kind == LIMIT_PARALLEL)
        read_parallel(limit, record, state_out);
    else
        read_rate(limit, record, now_ns, state_out);
}
