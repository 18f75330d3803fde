#include "admin/zone_move.h"

#include "admin/seed.h"
#include "base/alloc.h"

/* A budget with what it is to begin with; the map keeps the level. Of a rotated key a budget may stand
 * here twice, which comes to the same. */
struct zone_move_item {
    struct level *level;
    size_t index;
    struct seed_spending spending;
};

/* Whose budgets a walk through the map collects: of a user, or of all users of a team. */
struct walk {
    struct admin_context *context;
    struct zone_move *move;
    const struct identity_team *team;
    const struct identity_user *user;
    const struct zone *zone;
    struct reason *reason;
};

static bool is_same_zone(const struct zone *a, const struct zone *b)
{
    return (a != NULL ? a : zone_utc()) == (b != NULL ? b : zone_utc());
}

static enum status reserve(struct zone_move *move)
{
    if (move->count < move->capacity)
        return STATUS_OK;
    const size_t capacity = move->capacity == 0 ? 16 : move->capacity * 2;
    void *items = alloc_resize(move->items, capacity * sizeof(move->items[0]));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    move->items = items;
    move->capacity = capacity;
    return STATUS_OK;
}

static void add_level(const struct walk *walk, enum store_group by, const struct id *id,
                      const struct identity_rules *rules)
{
    struct zone_move *move = walk->move;
    struct level *level = identity_rules_level(rules);
    const struct seed_owner owner = {by, id, walk->zone, false};
    for (size_t i = 0; i < level_count(level) && move->status == STATUS_OK; i++) {
        const struct limit *limit = level_limit(level, i);
        if (limit->kind != LIMIT_MONEY || limit->window == LIMIT_WINDOW_TOTAL)
            continue;
        move->status = reserve(move);
        if (move->status != STATUS_OK)
            return;
        struct zone_move_item *item = &move->items[move->count++];
        *item = (struct zone_move_item){.level = level, .index = i};
        move->status =
            seed_read(walk->context, &owner, limit->window, &item->spending, walk->reason);
    }
}

static bool is_meant(const struct walk *walk, const struct identity_user *user)
{
    return walk->user != NULL ? user == walk->user : identity_user_team(user) == walk->team;
}

static void visit_user(void *context, const struct identity_user *user)
{
    const struct walk *walk = context;
    if (is_meant(walk, user))
        add_level(walk, STORE_GROUP_USER, &user->id, identity_user_rules(user));
}

static void visit_key(void *context, const struct identity_key *key)
{
    const struct walk *walk = context;
    if (is_meant(walk, key->user))
        add_level(walk, STORE_GROUP_KEY, &key->id, key->rules);
}

static enum status collect(struct walk *walk)
{
    const struct identity_map *map = walk->context->map;
    identity_map_visit_users(map, visit_user, walk);
    identity_map_visit_keys(map, visit_key, walk);
    return walk->move->status;
}

enum status zone_move_prepare_team(struct admin_context *context, const struct identity_team *team,
                                   const struct zone *zone, struct zone_move *move_out,
                                   struct reason *reason)
{
    struct walk walk = {context, move_out, team, NULL, zone, reason};
    *move_out = (struct zone_move){.status = STATUS_OK};
    if (is_same_zone(identity_team_zone(team), zone))
        return STATUS_OK;
    seed_catch_up(context);
    add_level(&walk, STORE_GROUP_TEAM, &team->id, identity_team_rules(team));
    return collect(&walk);
}

enum status zone_move_prepare_release(struct admin_context *context,
                                      const struct identity_team *team, struct zone_move *move_out,
                                      struct reason *reason)
{
    struct walk walk = {context, move_out, team, NULL, NULL, reason};
    *move_out = (struct zone_move){.status = STATUS_OK};
    if (is_same_zone(identity_team_zone(team), NULL))
        return STATUS_OK;
    seed_catch_up(context);
    return collect(&walk);
}

enum status zone_move_prepare_user(struct admin_context *context, const struct identity_user *user,
                                   const struct zone *zone, struct zone_move *move_out,
                                   struct reason *reason)
{
    struct walk walk = {context, move_out, NULL, user, zone, reason};
    *move_out = (struct zone_move){.status = STATUS_OK};
    if (is_same_zone(identity_team_zone(identity_user_team(user)), zone))
        return STATUS_OK;
    seed_catch_up(context);
    return collect(&walk);
}

void zone_move_apply(const struct zone_move *move)
{
    for (size_t i = 0; i < move->count; i++) {
        const struct zone_move_item *item = &move->items[i];
        level_forget_spending(item->level, item->index);
        seed_with(item->level, item->index, &item->spending);
    }
}

void zone_move_free(struct zone_move *move)
{
    alloc_free(move->items);
    *move = (struct zone_move){.status = STATUS_OK};
}
