#include "policy/admission.h"

#include "base/assert.h"
#include "policy/level_internal.h"

#define NS_PER_US 1000
#define TRIES     2 /* to take what the reading said is there */

__extension__ typedef unsigned __int128 wide;

const char *level_kind_name(enum level_kind kind)
{
    static const char *const names[LEVEL_KIND_COUNT] = {
        [LEVEL_KEY] = "key",     [LEVEL_USER] = "user",         [LEVEL_TEAM] = "team",
        [LEVEL_MODEL] = "model", [LEVEL_PROVIDER] = "provider", [LEVEL_GATEWAY] = "gateway",
    };
    ASSERT(kind < LEVEL_KIND_COUNT);
    return names[kind];
}

/* --- every limit of every level ---------------------------------------------------------------- */

/* One limit of a request. */
struct place {
    struct level *level;
    const struct zone *zone;
    size_t index;
    enum level_kind kind;
};

/* The first place is asked for with {.index = SIZE_MAX}. False: there is no further one. */
static bool next_place(const struct admission_levels *levels, struct place *place)
{
    const bool is_first = place->index == SIZE_MAX;
    unsigned kind = is_first ? LEVEL_KEY : (unsigned)place->kind;
    size_t index = is_first ? 0 : place->index + 1;
    for (; kind < LEVEL_KIND_COUNT; kind++, index = 0) {
        if (levels->of[kind] == NULL || index >= levels->of[kind]->count)
            continue;
        *place =
            (struct place){levels->of[kind], levels->zones[kind], index, (enum level_kind)kind};
        return true;
    }
    return false;
}

#define EACH_PLACE(levels, place)                                                                  \
    for (struct place place = {.index = SIZE_MAX}; next_place((levels), &(place));)

static const struct limit *limit_of(const struct place *place)
{
    return &place->level->limits[place->index];
}

static union counter *record_of(const struct place *place)
{
    return level_record(place->level, place->index);
}

static bool is_hard_budget(const struct place *place)
{
    return limit_of(place)->kind == LIMIT_MONEY && !place->level->is_warn_only;
}

/* What a request wants of one limit, in its unit. */
static uint64_t demand_of(const struct limit *limit, const struct admission_demand *demand)
{
    switch (limit->kind) {
    case LIMIT_TOKENS:
        return demand->tokens;
    case LIMIT_MONEY:
        return demand->cost_nanousd;
    default:
        return 1;
    }
}

static uint64_t budget_limit(const struct level *level, size_t index)
{
    return level->is_warn_only ? BUDGET_NO_LIMIT : level->limits[index].amount;
}

static uint64_t minus(uint64_t amount, uint64_t less)
{
    return amount > less ? amount - less : 0;
}

/* --- reading ----------------------------------------------------------------------------------- */

static uint64_t left_of_budget(const struct place *place, const struct window *window)
{
    const struct budget_state state = budget_read(&record_of(place)->budget, window->number);
    return minus(limit_of(place)->amount, state.committed);
}

static uint64_t left_now(const struct place *place, uint64_t now_us)
{
    struct window window;
    window_at(limit_of(place)->window, place->zone, now_us, &window);
    return left_of_budget(place, &window);
}

/* What this limit would say, if it alone counted. *wait_ns_out is set by ADMISSION_RATE. */
static enum admission_verdict check_place(const struct place *place,
                                          const struct admission_demand *demand,
                                          uint64_t *wait_ns_out)
{
    const struct limit *limit = limit_of(place);
    const uint64_t wanted = demand_of(limit, demand);
    if (limit->kind == LIMIT_MONEY) {
        if (!is_hard_budget(place) || wanted == 0)
            return ADMISSION_ADMITTED;
        if (wanted > limit->amount)
            return ADMISSION_TOO_LARGE;
        return wanted <= left_now(place, demand->now_us) ? ADMISSION_ADMITTED : ADMISSION_BUDGET;
    }
    const _Atomic uint64_t *word = &record_of(place)->words[0];
    if (limit->kind == LIMIT_PARALLEL)
        return atomic_load_explicit(word, memory_order_relaxed) < limit->amount
                   ? ADMISSION_ADMITTED
                   : ADMISSION_PARALLEL;
    if (wanted > limit->amount)
        return ADMISSION_TOO_LARGE;
    const struct gcra gcra = level_gcra(limit);
    *wait_ns_out = gcra_wait_ns(&gcra, word, wanted, demand->now_ns);
    return *wait_ns_out == 0 ? ADMISSION_ADMITTED : ADMISSION_RATE;
}

/* `wait_ns` is of ADMISSION_RATE. */
static struct admission_refusal refusal_of(const struct place *place,
                                           enum admission_verdict verdict, uint64_t wait_ns,
                                           uint64_t now_us)
{
    struct admission_refusal refusal = {
        .verdict = verdict, .level = place->kind, .limit = *limit_of(place)};
    if (verdict == ADMISSION_RATE) {
        refusal.retry_after_ns = wait_ns;
    } else if (verdict == ADMISSION_PARALLEL) {
        refusal.retry_after_ns = UINT64_MAX;
    } else if (verdict == ADMISSION_BUDGET) {
        struct window window;
        window_at(limit_of(place)->window, place->zone, now_us, &window);
        const uint64_t left_us = window.end_us - now_us;
        refusal.available = left_of_budget(place, &window);
        refusal.retry_after_ns = window.end_us == UINT64_MAX || left_us > UINT64_MAX / NS_PER_US
                                     ? UINT64_MAX
                                     : left_us * NS_PER_US;
    }
    return refusal;
}

/* Of two refusals the one is told that says longer what is the case: the greater goes before. */
static unsigned rank_of(enum admission_verdict verdict)
{
    static const unsigned char ranks[] = {
        [ADMISSION_ADMITTED] = 0, [ADMISSION_RATE] = 1,      [ADMISSION_PARALLEL] = 1,
        [ADMISSION_BUDGET] = 2,   [ADMISSION_TOO_LARGE] = 3,
    };
    return ranks[verdict];
}

/* Of two budgets the one whose window ends later. */
static bool lasts_longer(const struct place *place, const struct place *than, uint64_t now_us)
{
    struct window window, other;
    window_at(limit_of(place)->window, place->zone, now_us, &window);
    window_at(limit_of(than)->window, than->zone, now_us, &other);
    return window.end_us > other.end_us;
}

enum admission_verdict admission_check(const struct admission_levels *levels,
                                       const struct admission_demand *demand,
                                       struct admission_refusal *refusal_out)
{
    struct place first = {.index = SIZE_MAX};
    enum admission_verdict verdict = ADMISSION_ADMITTED;
    uint64_t longest_ns = 0; /* of the rates that refuse */
    EACH_PLACE(levels, place)
    {
        uint64_t wait_ns = 0;
        const enum admission_verdict found = check_place(&place, demand, &wait_ns);
        if (found == ADMISSION_ADMITTED)
            continue;
        longest_ns = wait_ns > longest_ns ? wait_ns : longest_ns;
        if (rank_of(found) > rank_of(verdict) ||
            (found == ADMISSION_BUDGET && verdict == ADMISSION_BUDGET &&
             lasts_longer(&place, &first, demand->now_us))) {
            verdict = found;
            first = place;
        }
    }
    if (verdict != ADMISSION_ADMITTED)
        *refusal_out = refusal_of(&first, verdict, longest_ns, demand->now_us);
    return verdict;
}

/* --- taking and giving back -------------------------------------------------------------------- */

static bool take_parallel(_Atomic uint64_t *word, uint64_t limit)
{
    uint64_t count = atomic_load_explicit(word, memory_order_relaxed);
    do {
        if (count >= limit)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(word, &count, count + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

/* False: the limit refuses. */
static bool take_place(const struct place *place, const struct admission_demand *demand,
                       struct admission_take *take)
{
    const struct limit *limit = limit_of(place);
    union counter *record = record_of(place);
    *take = (struct admission_take){
        .level = place->level,
        .index = (uint32_t)place->index,
        .level_kind = (uint8_t)place->kind,
        .amount = demand_of(limit, demand),
    };
    if (limit->kind == LIMIT_MONEY) {
        struct window window;
        if (place->level->is_warn_only)
            take->amount = 0; /* it refuses nobody, so nothing is to be kept for anybody */
        window_at(limit->window, place->zone, demand->now_us, &window);
        return budget_hold(&record->budget, window.number, take->amount,
                           budget_limit(place->level, place->index), &take->window_word);
    }
    if (limit->kind == LIMIT_PARALLEL)
        return take_parallel(&record->words[0], limit->amount);
    const struct gcra gcra = level_gcra(limit);
    return gcra_take(&gcra, &record->words[0], take->amount, demand->now_ns) == 0;
}

/* What a take is to become. */
static void settle_take(const struct admission_take *take, const struct admission_actual *actual)
{
    const struct limit *limit = &take->level->limits[take->index];
    union counter *record = level_record(take->level, take->index);
    if (limit->kind == LIMIT_MONEY) {
        budget_settle(&record->budget, take->window_word, take->amount, actual->cost_nanousd);
    } else if (limit->kind == LIMIT_PARALLEL) {
        const uint64_t before =
            atomic_fetch_sub_explicit(&record->words[0], 1, memory_order_relaxed);
        ASSERT(before > 0);
    } else if (limit->kind == LIMIT_TOKENS || actual->is_void) {
        const struct gcra gcra = level_correcting_gcra(take->level, take->index);
        const uint64_t used = actual->is_void ? 0 : actual->tokens;
        gcra_correct(&gcra, &record->words[0], take->amount, used, actual->now_ns);
    }
}

/* Whether taking is worth a try: what was read a moment ago, when the request was checked, is not read again.
 * Budgets were not asked then, and what can never fit is not to be taken of. */
static bool may_fit(const struct admission_levels *levels, const struct admission_demand *demand)
{
    EACH_PLACE(levels, place)
    {
        uint64_t wait_ns;
        const struct limit *limit = limit_of(&place);
        if (limit->kind == LIMIT_MONEY
                ? check_place(&place, demand, &wait_ns) != ADMISSION_ADMITTED
                : limit->kind != LIMIT_PARALLEL && demand_of(limit, demand) > limit->amount)
            return false;
    }
    return true;
}

/* Takes everything, or names in *place_out what refused and gives all back. */
static bool take_all(const struct admission_levels *levels, const struct admission_demand *demand,
                     struct admission_grant *grant, struct place *place_out)
{
    const struct admission_actual nothing = {.now_ns = demand->now_ns, .is_void = true};
    grant->count = 0;
    EACH_PLACE(levels, place)
    {
        if (take_place(&place, demand, &grant->takes[grant->count])) {
            grant->count++;
            continue;
        }
        while (grant->count > 0)
            settle_take(&grant->takes[--grant->count], &nothing);
        *place_out = place;
        return false;
    }
    return true;
}

/* One reference for all takes of a level: the first of them has it. */
static bool has_reference(const struct admission_grant *grant, size_t index)
{
    return index == 0 || grant->takes[index].level_kind != grant->takes[index - 1].level_kind;
}

static void keep_levels(struct admission_grant *grant)
{
    for (size_t i = 0; i < grant->count; i++) {
        if (has_reference(grant, i))
            (void)level_ref(grant->takes[i].level);
    }
}

/* What the limit says that refused a moment ago; by now there may be room again. */
static struct admission_refusal refusal_now(const struct place *place,
                                            const struct admission_demand *demand)
{
    static const enum admission_verdict verdicts[LIMIT_KIND_COUNT] = {
        [LIMIT_REQUESTS] = ADMISSION_RATE,
        [LIMIT_TOKENS] = ADMISSION_RATE,
        [LIMIT_PARALLEL] = ADMISSION_PARALLEL,
        [LIMIT_MONEY] = ADMISSION_BUDGET,
    };
    uint64_t wait_ns = 0;
    enum admission_verdict verdict = check_place(place, demand, &wait_ns);
    if (verdict == ADMISSION_ADMITTED)
        verdict = verdicts[limit_of(place)->kind];
    return refusal_of(place, verdict, wait_ns > 0 ? wait_ns : 1, demand->now_us);
}

enum admission_verdict admission_take(const struct admission_levels *levels,
                                      const struct admission_demand *demand,
                                      struct admission_grant *grant,
                                      struct admission_refusal *refusal_out)
{
    struct place refused = {.index = SIZE_MAX};
    grant->count = 0;
    grant->now_us = demand->now_us;
    if (!may_fit(levels, demand)) {
        const enum admission_verdict verdict = admission_check(levels, demand, refusal_out);
        if (verdict != ADMISSION_ADMITTED)
            return verdict;
    }
    for (unsigned i = 0; i < TRIES; i++) {
        if (take_all(levels, demand, grant, &refused)) {
            keep_levels(grant);
            return ADMISSION_ADMITTED;
        }
    }
    const enum admission_verdict verdict = admission_check(levels, demand, refusal_out);
    if (verdict != ADMISSION_ADMITTED)
        return verdict;
    *refusal_out = refusal_now(&refused, demand);
    return refusal_out->verdict;
}

/* --- while the request runs -------------------------------------------------------------------- */

static bool is_budget_take(const struct admission_take *take)
{
    return take->level->limits[take->index].kind == LIMIT_MONEY;
}

static bool extend_take(struct admission_take *take, uint64_t cost_nanousd)
{
    const uint64_t limit = take->level->limits[take->index].amount;
    if (take->level->is_warn_only)
        return true;
    struct budget *budget = &level_record(take->level, take->index)->budget;
    if (!budget_extend(budget, take->window_word, cost_nanousd, limit))
        return false;
    take->amount += cost_nanousd;
    return true;
}

bool admission_extend(struct admission_grant *grant, uint64_t cost_nanousd)
{
    size_t i = 0;
    while (i < grant->count &&
           (!is_budget_take(&grant->takes[i]) || extend_take(&grant->takes[i], cost_nanousd)))
        i++;
    if (i == grant->count)
        return true;
    while (i-- > 0) {
        struct admission_take *take = &grant->takes[i];
        if (!is_budget_take(take) || take->level->is_warn_only)
            continue;
        budget_settle(&level_record(take->level, take->index)->budget, take->window_word,
                      cost_nanousd, 0);
        take->amount -= cost_nanousd;
    }
    return false;
}

/* --- its end ----------------------------------------------------------------------------------- */

static bool is_reached(uint64_t spent, uint64_t limit, unsigned percent)
{
    return (wide)spent * 100 >= (wide)limit * percent;
}

/* Tells the shares that were reached and not told before. */
static void tell(const struct admission_take *take, const struct admission_alerts *alerts)
{
    const struct limit *limit = &take->level->limits[take->index];
    struct budget *budget = &level_record(take->level, take->index)->budget;
    size_t reached = 0;
    uint64_t spent;
    if (!budget_spent(budget, take->window_word, &spent))
        return;
    while (reached < alerts->count && is_reached(spent, limit->amount, alerts->percents[reached]))
        reached++;
    if (reached == 0)
        return;
    const unsigned told =
        budget_mark_told(budget, take->window_word, alerts->percents[reached - 1]);
    for (size_t i = 0; i < reached; i++) {
        const struct admission_alert alert = {
            .level_kind = (enum level_kind)take->level_kind,
            .level = take->level,
            .limit = *limit,
            .percent = alerts->percents[i],
            .spent_nanousd = spent,
        };
        if (alert.percent > told)
            alerts->on_alert(alerts->context, &alert);
    }
}

void admission_settle(struct admission_grant *grant, const struct admission_actual *actual,
                      const struct admission_alerts *alerts)
{
    for (size_t i = 0; i < grant->count; i++) {
        settle_take(&grant->takes[i], actual);
        if (alerts != NULL && is_budget_take(&grant->takes[i]))
            tell(&grant->takes[i], alerts);
    }
    for (size_t i = grant->count; i-- > 0;) {
        if (has_reference(grant, i))
            level_unref(&grant->takes[i].level);
    }
    grant->count = 0;
}

static bool counts_in(const struct admission_grant *grant, const struct place *place)
{
    union counter *record = record_of(place);
    for (size_t i = 0; i < grant->count; i++) {
        const struct admission_take *take = &grant->takes[i];
        if (is_budget_take(take) && level_record(take->level, take->index) == record)
            return budget_has(&record->budget, take->window_word);
    }
    return false;
}

void admission_settle_late(const struct admission_levels *levels,
                           const struct admission_grant *grant, uint64_t cost_nanousd)
{
    EACH_PLACE(levels, place)
    {
        struct window window;
        if (limit_of(&place)->kind != LIMIT_MONEY || counts_in(grant, &place))
            continue;
        window_at(limit_of(&place)->window, place.zone, grant->now_us, &window);
        budget_add_late(&record_of(&place)->budget, window.number, cost_nanousd);
    }
}

/* --- what is left ------------------------------------------------------------------------------ */

size_t admission_limit_count(const struct admission_levels *levels)
{
    size_t count = 0;
    for (unsigned i = 0; i < LEVEL_KIND_COUNT; i++)
        count += level_count(levels->of[i]);
    return count;
}

uint64_t admission_affordable(const struct admission_levels *levels, uint64_t now_us)
{
    uint64_t least = UINT64_MAX;
    EACH_PLACE(levels, place)
    {
        if (!is_hard_budget(&place))
            continue;
        const uint64_t left = left_now(&place, now_us);
        least = left < least ? left : least;
    }
    return least;
}

bool admission_has_budget(const struct admission_levels *levels)
{
    for (unsigned i = 0; i < LEVEL_KIND_COUNT; i++) {
        if (level_has_budget(levels->of[i]))
            return true;
    }
    return false;
}

bool admission_has_hard_budget(const struct admission_levels *levels)
{
    for (unsigned i = 0; i < LEVEL_KIND_COUNT; i++) {
        if (level_has_budget(levels->of[i]) && !levels->of[i]->is_warn_only)
            return true;
    }
    return false;
}

static struct admission_nearest nearest_of(const struct place *place, uint64_t now_ns)
{
    struct level_state state;
    const struct limit *limit = limit_of(place);
    const _Atomic uint64_t *word = &record_of(place)->words[0];
    if (limit->kind == LIMIT_PARALLEL) {
        level_state(place->level, place->index, place->zone, now_ns, 0, &state);
        return (struct admission_nearest){limit->amount, state.remaining, 0};
    }
    const struct gcra gcra = level_gcra(limit);
    return (struct admission_nearest){limit->amount, gcra_remaining(&gcra, word, now_ns),
                                      gcra_reset_ns(word, now_ns)};
}

/* Makes *least the nearest limit of the kind that the level has, if it is nearer. */
static void look_for_nearest(struct level *level, enum limit_kind kind, uint64_t now_ns,
                             struct admission_nearest *least)
{
    for (size_t i = 0; i < level->count; i++) {
        if (level->limits[i].kind != kind)
            continue;
        const struct place place = {.level = level, .index = i};
        const struct admission_nearest found = nearest_of(&place, now_ns);
        if (least->limit == 0 ||
            (wide)found.remaining * least->limit < (wide)least->remaining * found.limit)
            *least = found;
    }
}

bool admission_nearest(const struct admission_levels *levels, enum limit_kind kind, uint64_t now_ns,
                       struct admission_nearest *nearest_out)
{
    struct admission_nearest least = {0};
    ASSERT(kind != LIMIT_MONEY);
    for (unsigned i = 0; i < LEVEL_KIND_COUNT; i++) {
        struct level *level = levels->of[i];
        if (level != NULL && (level->kinds >> kind & 1) != 0)
            look_for_nearest(level, kind, now_ns, &least);
    }
    if (least.limit > 0)
        *nearest_out = least;
    return least.limit > 0;
}
