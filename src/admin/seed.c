#include "admin/seed.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "ledger/ledger.h"

#define CATCH_UP_MS 1000

/* A level with a budget, by whose it is. */
struct seed_target {
    struct id id;
    struct level *level;
    const struct zone *zone; /* never NULL */
};

/* All of one sort, ordered by id. */
struct seed_targets {
    struct seed_target *items;
    size_t count, capacity;
    enum status status;
};

/* What a list of spending is matched with. */
struct seeding {
    const struct seed_targets *targets;
    const struct snapshot *snapshot;
    const struct snapshot *former;
    const struct zone *zone;
    enum limit_window unit;
    struct window window;
};

static const struct zone *zone_or_utc(const struct zone *zone)
{
    return zone != NULL ? zone : zone_utc();
}

static bool has_limit(const struct level *level, const struct limit *limit)
{
    for (size_t i = 0; i < level_count(level); i++) {
        const struct limit *other = level_limit(level, i);
        if (other->kind == limit->kind && other->window == limit->window)
            return true;
    }
    return false;
}

/* The level's budget of that unit, unless the former level has it. -1: none. */
static int find_budget(const struct level *level, enum limit_window unit,
                       const struct level *former)
{
    for (size_t i = 0; i < level_count(level); i++) {
        const struct limit *limit = level_limit(level, i);
        if (limit->kind == LIMIT_MONEY && limit->window == unit && !has_limit(former, limit))
            return (int)i;
    }
    return -1;
}

static void seed(struct level *level, const struct level *former, const struct seeding *seeding,
                 int64_t cost_nanousd)
{
    const int index = find_budget(level, seeding->unit, former);
    if (index >= 0)
        level_seed(level, (size_t)index, &seeding->window, (uint64_t)cost_nanousd);
}

/* --- Keys, users and teams -------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    const struct seed_target *left = a, *right = b;
    return memcmp(&left->id, &right->id, sizeof(left->id));
}

static void add_target(struct seed_targets *targets, const struct id *id,
                       const struct identity_rules *rules, const struct zone *zone)
{
    struct level *level = identity_rules_level(rules);
    if (!level_has_budget(level) || targets->status != STATUS_OK)
        return;
    if (targets->count == targets->capacity) {
        const size_t capacity = targets->capacity == 0 ? 64 : targets->capacity * 2;
        void *items = alloc_resize(targets->items, capacity * sizeof(targets->items[0]));
        if (items == NULL) {
            targets->status = STATUS_NO_MEMORY;
            return;
        }
        targets->items = items;
        targets->capacity = capacity;
    }
    targets->items[targets->count++] =
        (struct seed_target){.id = *id, .level = level, .zone = zone_or_utc(zone)};
}

static void add_key(void *context, const struct identity_key *key)
{
    add_target(context, &key->id, key->rules, identity_team_zone(identity_key_team(key)));
}

static void add_user(void *context, const struct identity_user *user)
{
    add_target(context, &user->id, identity_user_rules(user),
               identity_team_zone(identity_user_team(user)));
}

static void add_team(void *context, const struct identity_team *team)
{
    add_target(context, &team->id, identity_team_rules(team), identity_team_zone(team));
}

/* Both entries of a rotated key lead to one level, which is seeded once. */
static void drop_repeated(struct seed_targets *targets)
{
    size_t kept = 0;
    for (size_t i = 0; i < targets->count; i++) {
        if (kept == 0 || compare_ids(&targets->items[kept - 1], &targets->items[i]) != 0)
            targets->items[kept++] = targets->items[i];
    }
    targets->count = kept;
}

static void collect(const struct identity_map *map, enum store_group by,
                    struct seed_targets *targets)
{
    *targets = (struct seed_targets){.status = STATUS_OK};
    if (by == STORE_GROUP_KEY)
        identity_map_visit_keys(map, add_key, targets);
    else if (by == STORE_GROUP_USER)
        identity_map_visit_users(map, add_user, targets);
    else
        identity_map_visit_teams(map, add_team, targets);
    if (targets->count > 0)
        qsort(targets->items, targets->count, sizeof(targets->items[0]), compare_ids);
    drop_repeated(targets);
}

static enum status on_owner(void *context, const struct store_spend *spend)
{
    const struct seeding *seeding = context;
    const struct seed_targets *targets = seeding->targets;
    struct seed_target wanted = {.level = NULL};
    if (spend->owner.size != sizeof(wanted.id))
        return STATUS_OK;
    memcpy(&wanted.id, spend->owner.data, sizeof(wanted.id));
    const struct seed_target *target =
        bsearch(&wanted, targets->items, targets->count, sizeof(wanted), compare_ids);
    if (target != NULL && target->zone == seeding->zone)
        seed(target->level, NULL, seeding, spend->cost_nanousd);
    return STATUS_OK;
}

/* The current window of a unit and the one before it. */
static enum status read_windows(struct admin_context *context, enum store_group by,
                                struct seeding *seeding, store_spend_visitor *visit,
                                struct reason *reason)
{
    struct window before;
    window_at(seeding->unit, seeding->zone, context->now_us(), &seeding->window);
    const bool has_before = window_before(seeding->unit, seeding->zone, &seeding->window, &before);
    for (int i = 0; i < (has_before ? 2 : 1); i++) {
        if (i == 1)
            seeding->window = before;
        const struct store_spend_query query = {
            .by = by,
            .since_us = seeding->window.start_us,
            .until_us = seeding->window.end_us,
        };
        const enum status status = store_spend_list(context->store, &query, visit, seeding, reason);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static bool uses(const struct seed_targets *targets, const struct zone *zone,
                 enum limit_window unit)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->items[i].zone == zone && find_budget(targets->items[i].level, unit, NULL) >= 0)
            return true;
    }
    return false;
}

static enum status seed_zone(struct admin_context *context, enum store_group by,
                             const struct seed_targets *targets, const struct zone *zone,
                             struct reason *reason)
{
    enum status status = STATUS_OK;
    for (int unit = LIMIT_WINDOW_HOUR; unit <= LIMIT_WINDOW_TOTAL && status == STATUS_OK; unit++) {
        struct seeding seeding = {
            .targets = targets, .zone = zone, .unit = (enum limit_window)unit};
        if (uses(targets, zone, seeding.unit))
            status = read_windows(context, by, &seeding, on_owner, reason);
    }
    return status;
}

static bool stands_before(const struct seed_targets *targets, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (targets->items[i].zone == targets->items[index].zone)
            return true;
    }
    return false;
}

static enum status seed_owners(struct admin_context *context, enum store_group by,
                               struct reason *reason)
{
    struct seed_targets targets;
    collect(context->map, by, &targets);
    enum status status = targets.status;
    const struct zone *last = NULL;
    for (size_t i = 0; i < targets.count && status == STATUS_OK; i++) {
        if (targets.items[i].zone == last || stands_before(&targets, i))
            continue;
        last = targets.items[i].zone;
        status = seed_zone(context, by, &targets, last, reason);
    }
    alloc_free(targets.items);
    return status;
}

/* --- The ledger -------------------------------------------------------------------------------------------- */

void seed_catch_up(struct admin_context *context)
{
    if (context->ledger != NULL)
        (void)ledger_catch_up(context->ledger, CATCH_UP_MS);
}

/* --- The configuration ------------------------------------------------------------------------------------ */

static const struct level *former_level(struct level *const *levels, size_t index)
{
    return levels != NULL ? levels[index] : NULL;
}

static enum status on_model(void *context, const struct store_spend *spend)
{
    const struct seeding *seeding = context;
    const struct rules *rules = &seeding->snapshot->config->rules;
    const struct rule *rule = rules_match(rules, spend->owner);
    if (rule == NULL)
        return STATUS_OK;
    const struct level *former = NULL;
    const struct snapshot *before = seeding->former;
    for (size_t i = 0; before != NULL && i < before->config->rules.count; i++) {
        if (slice_equal(before->config->rules.items[i].name, rule->name))
            former = former_level(before->levels.rules, i);
    }
    seed(seeding->snapshot->levels.rules[rule - rules->items], former, seeding,
         spend->cost_nanousd);
    return STATUS_OK;
}

static enum status on_provider(void *context, const struct store_spend *spend)
{
    const struct seeding *seeding = context;
    const struct config *config = seeding->snapshot->config;
    const struct snapshot *before = seeding->former;
    const struct config_provider *provider = config_provider_find(config, spend->owner);
    if (provider == NULL)
        return STATUS_OK;
    const struct config_provider *was =
        before != NULL ? config_provider_find(before->config, spend->owner) : NULL;
    const struct level *former =
        was != NULL
            ? former_level(before->levels.providers, (size_t)(was - before->config->providers))
            : NULL;
    seed(seeding->snapshot->levels.providers[provider - config->providers], former, seeding,
         spend->cost_nanousd);
    return STATUS_OK;
}

static enum status on_total(void *context, const struct store_spend *spend)
{
    const struct seeding *seeding = context;
    const struct level *former = seeding->former != NULL ? seeding->former->levels.gateway : NULL;
    seed(seeding->snapshot->levels.gateway, former, seeding, spend->cost_nanousd);
    return STATUS_OK;
}

static bool any_budget(struct level *const *levels, size_t count, enum limit_window unit)
{
    for (size_t i = 0; levels != NULL && i < count; i++) {
        if (find_budget(levels[i], unit, NULL) >= 0)
            return true;
    }
    return false;
}

static bool has_budget(const struct snapshot *snapshot)
{
    for (int unit = LIMIT_WINDOW_HOUR; unit <= LIMIT_WINDOW_TOTAL; unit++) {
        if (any_budget(snapshot->levels.rules, snapshot->config->rules.count,
                       (enum limit_window)unit) ||
            any_budget(snapshot->levels.providers, snapshot->config->provider_count,
                       (enum limit_window)unit) ||
            find_budget(snapshot->levels.gateway, (enum limit_window)unit, NULL) >= 0)
            return true;
    }
    return false;
}

static enum status seed_unit(struct admin_context *context, struct seeding *seeding,
                             struct reason *reason)
{
    const struct snapshot *snapshot = seeding->snapshot;
    enum status status = STATUS_OK;
    if (any_budget(snapshot->levels.rules, snapshot->config->rules.count, seeding->unit))
        status = read_windows(context, STORE_GROUP_MODEL, seeding, on_model, reason);
    if (status == STATUS_OK &&
        any_budget(snapshot->levels.providers, snapshot->config->provider_count, seeding->unit))
        status = read_windows(context, STORE_GROUP_PROVIDER, seeding, on_provider, reason);
    if (status == STATUS_OK && find_budget(snapshot->levels.gateway, seeding->unit, NULL) >= 0)
        status = read_windows(context, STORE_GROUP_NONE, seeding, on_total, reason);
    return status;
}

enum status seed_snapshot_levels(struct admin_context *context, const struct snapshot *snapshot,
                                 const struct snapshot *former, struct reason *reason)
{
    enum status status = STATUS_OK;
    if (former != NULL && has_budget(snapshot))
        seed_catch_up(context);
    for (int unit = LIMIT_WINDOW_HOUR; unit <= LIMIT_WINDOW_TOTAL && status == STATUS_OK; unit++) {
        struct seeding seeding = {.snapshot = snapshot,
                                  .former = former,
                                  .zone = zone_utc(),
                                  .unit = (enum limit_window)unit};
        status = seed_unit(context, &seeding, reason);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------------------ */

bool seed_is_needed(struct admin_context *context, const struct snapshot *snapshot)
{
    static const enum store_group groups[] = {STORE_GROUP_KEY, STORE_GROUP_USER, STORE_GROUP_TEAM};
    if (has_budget(snapshot))
        return true;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        struct seed_targets targets;
        collect(context->map, groups[i], &targets);
        const bool is_needed = targets.count > 0 || targets.status != STATUS_OK;
        alloc_free(targets.items);
        if (is_needed)
            return true;
    }
    return false;
}

enum status seed_all_levels(struct admin_context *context, const struct snapshot *snapshot,
                            struct reason *reason)
{
    enum status status = seed_owners(context, STORE_GROUP_KEY, reason);
    if (status == STATUS_OK)
        status = seed_owners(context, STORE_GROUP_USER, reason);
    if (status == STATUS_OK)
        status = seed_owners(context, STORE_GROUP_TEAM, reason);
    if (status == STATUS_OK)
        status = seed_snapshot_levels(context, snapshot, NULL, reason);
    return status;
}

enum status seed_read(struct admin_context *context, const struct seed_owner *owner,
                      enum limit_window unit, struct seed_spending *spending_out,
                      struct reason *reason)
{
    const struct zone *zone = zone_or_utc(owner->zone);
    struct window *windows = spending_out->windows;
    window_at(unit, zone, context->now_us(), &windows[0]);
    spending_out->count = window_before(unit, zone, &windows[0], &windows[1]) ? 2 : 1;
    for (size_t i = 0; i < spending_out->count; i++) {
        const struct store_spend_query query = {
            .by = owner->by, .since_us = windows[i].start_us, .until_us = windows[i].end_us};
        int64_t spent_nanousd = 0;
        const enum status status =
            store_spend(context->store, &query, slice_of(owner->id, sizeof(*owner->id)),
                        &spent_nanousd, reason);
        if (status != STATUS_OK)
            return status;
        spending_out->spent_nanousd[i] = (uint64_t)spent_nanousd;
    }
    return STATUS_OK;
}

void seed_with(struct level *level, size_t index, const struct seed_spending *spending)
{
    for (size_t i = 0; i < spending->count; i++)
        level_seed(level, index, &spending->windows[i], spending->spent_nanousd[i]);
}

static bool has_new_budget(const struct level *level, const struct level *former)
{
    for (int unit = LIMIT_WINDOW_HOUR; unit <= LIMIT_WINDOW_TOTAL; unit++) {
        if (find_budget(level, (enum limit_window)unit, former) >= 0)
            return true;
    }
    return false;
}

enum status seed_level(struct admin_context *context, const struct seed_owner *owner,
                       struct level *level, const struct level *former, struct reason *reason)
{
    enum status status = STATUS_OK;
    if (owner->is_new || !has_new_budget(level, former))
        return STATUS_OK;
    seed_catch_up(context);
    for (int unit = LIMIT_WINDOW_HOUR; unit <= LIMIT_WINDOW_TOTAL && status == STATUS_OK; unit++) {
        const int index = find_budget(level, (enum limit_window)unit, former);
        struct seed_spending spending;
        if (index < 0)
            continue;
        status = seed_read(context, owner, (enum limit_window)unit, &spending, reason);
        if (status == STATUS_OK)
            seed_with(level, (size_t)index, &spending);
    }
    return status;
}
