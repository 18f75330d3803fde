#include "admin/map_follow.h"

#include <string.h>

#include "admin/seed.h"
#include "base/clock.h"
#include "policy/level.h"
#include "policy/zone.h"

/* --- Rules ---------------------------------------------------------------------------------------- */

/* `former` are those that they follow, or NULL. Budgets that are new begin with what the ledger says;
 * at the start all of them do, once the journal of a former run is in it (admin/seed.h). */
static enum status make_rules(struct map_change *change, const struct store_rules *stored,
                              const struct identity_rules *former, const struct seed_owner *owner,
                              struct identity_rules **rules_out, struct reason *reason)
{
    struct admin_context *context = change->context;
    struct level *former_level = identity_rules_level(former);
    struct limits limits;
    struct identity_rules_spec spec = {
        .models = stored->models,
        .routes = stored->routes,
        .networks = stored->networks,
        .tags = stored->tags,
        .unref = level_unref,
    };
    *rules_out = NULL;
    enum status status = limits_parse(stored->limits, &limits, reason);
    if (status == STATUS_OK)
        status =
            level_create(context->counters, &limits, stored->warn_only, former_level, &spec.level);
    if (status == STATUS_OK && context->has_filled_map)
        status = seed_level(context, owner, spec.level, former_level, reason);
    if (status == STATUS_OK)
        status = identity_rules_create(&spec, rules_out, reason);
    if (status != STATUS_OK) {
        level_unref(&spec.level);
        return status;
    }
    change->level = level_ref(spec.level);
    change->former_level = level_ref(former_level);
    return STATUS_OK;
}

/* --- Teams ---------------------------------------------------------------------------------------- */

static enum status prepare_team(struct map_change *change, const struct store_team *team,
                                struct reason *reason)
{
    struct admin_context *context = change->context;
    const struct identity_team *former = identity_map_find_team(context->map, &team->id);
    struct identity_team_spec spec = {
        .id = team->id, .name = team->name, .disabled = team->disabled};
    enum status status = zone_find(team->timezone, &spec.zone, reason);
    const struct seed_owner owner = {STORE_GROUP_TEAM, &team->id, spec.zone, former == NULL};
    if (status == STATUS_OK)
        status = make_rules(change, &team->rules, identity_team_rules(former), &owner, &spec.rules,
                            reason);
    if (status == STATUS_OK && former != NULL)
        status = zone_move_prepare_team(context, former, spec.zone, &change->move, reason);
    if (status == STATUS_OK)
        status = identity_map_prepare_team(context->map, &spec, &change->owner);
    if (status != STATUS_OK)
        identity_rules_unref(&spec.rules);
    return status;
}

/* --- Users ---------------------------------------------------------------------------------------- */

static enum status prepare_user(struct map_change *change, const struct store_user *user,
                                struct reason *reason)
{
    struct admin_context *context = change->context;
    static const struct id none;
    const struct identity_user *former = identity_map_find_user(context->map, &user->id);
    const bool has_team = memcmp(&user->team_id, &none, sizeof(none)) != 0;
    struct identity_user_spec spec = {
        .id = user->id,
        .name = user->name,
        .disabled = user->disabled,
        .team_id = has_team ? &user->team_id : NULL,
    };
    const struct identity_team *team =
        has_team ? identity_map_find_team(context->map, &user->team_id) : NULL;
    const struct seed_owner owner = {STORE_GROUP_USER, &user->id, identity_team_zone(team),
                                     former == NULL};
    enum status status =
        make_rules(change, &user->rules, former != NULL ? identity_user_rules(former) : NULL,
                   &owner, &spec.rules, reason);
    if (status == STATUS_OK && former != NULL)
        status = zone_move_prepare_user(context, former, owner.zone, &change->move, reason);
    if (status == STATUS_OK)
        status = identity_map_prepare_user(context->map, &spec, &change->owner);
    if (status != STATUS_OK)
        identity_rules_unref(&spec.rules);
    return status;
}

/* --- Keys ----------------------------------------------------------------------------------------- */

/* What the key's limits are counted by now; a key that is being rotated is there by its former secret
 * alone. */
static struct identity_rules *rules_of(const struct admin_context *context,
                                       const struct store_key *key)
{
    const struct identity_key *entry = identity_map_find_key(context->map, key->hash);
    if (entry == NULL && key->former_until_us != 0)
        entry = identity_map_find_key(context->map, key->former_hash);
    return entry != NULL ? entry->rules : NULL;
}

static uint64_t earlier(uint64_t expires_at_us, uint64_t until_us)
{
    return expires_at_us != 0 && expires_at_us < until_us ? expires_at_us : until_us;
}

/* An entry of the key; it takes a reference of the rules of its own. */
static enum status prepare_entry(struct admin_context *context, const struct store_key *key,
                                 bool is_former, struct identity_rules *rules,
                                 struct identity_key **prepared_out)
{
    struct identity_spec spec = {
        .key_id = key->id,
        .hash = is_former ? key->former_hash : key->hash,
        .user_id = key->user_id,
        .rules = identity_rules_ref(rules),
        .expires_at_us =
            is_former ? earlier(key->expires_at_us, key->former_until_us) : key->expires_at_us,
        .disabled = key->disabled,
        .revoked = key->revoked_at_us != 0,
    };
    const enum status status = identity_map_prepare(context->map, &spec, prepared_out);
    if (status != STATUS_OK)
        identity_rules_unref(&spec.rules);
    return status;
}

/* Both entries share the rules, and so what is counted. */
static enum status prepare_key(struct map_change *change, const struct store_key *key, bool is_new,
                               struct reason *reason)
{
    struct admin_context *context = change->context;
    struct identity_rules *rules = NULL;
    const struct identity_user *user = identity_map_find_user(context->map, &key->user_id);
    const struct zone *zone = user != NULL ? identity_team_zone(identity_user_team(user)) : NULL;
    const struct seed_owner owner = {STORE_GROUP_KEY, &key->id, zone, is_new};
    enum status status =
        make_rules(change, &key->rules, rules_of(context, key), &owner, &rules, reason);
    if (status == STATUS_OK)
        status = prepare_entry(context, key, false, rules, &change->key);
    if (status == STATUS_OK && key->former_until_us > context->now_us())
        status = prepare_entry(context, key, true, rules, &change->former);
    identity_rules_unref(&rules);
    return status;
}

/* --- Changes -------------------------------------------------------------------------------------- */

static void publish(struct map_change *change)
{
    struct identity_map *map = change->context->map;
    level_succeed(change->level, change->former_level, clock_monotonic_ns());
    zone_move_apply(&change->move);
    if (change->owner != NULL)
        identity_map_publish_change(map, &change->owner);
    if (change->has_removed_team)
        identity_map_remove_team(map, &change->removed_team);
    if (change->key != NULL)
        identity_map_publish(map, &change->key);
    if (change->former != NULL)
        identity_map_publish(map, &change->former);
    for (unsigned i = 0; i < change->ended_count; i++)
        identity_map_remove(map, change->ended[i]);
}

static void abandon(struct map_change *change)
{
    struct identity_map *map = change->context->map;
    identity_map_abandon_change(map, &change->owner);
    identity_map_abandon(map, &change->key);
    identity_map_abandon(map, &change->former);
}

static void release(struct map_change *change)
{
    level_unref(&change->level);
    level_unref(&change->former_level);
    zone_move_free(&change->move);
    change->context = NULL;
}

enum status map_end(struct map_change *change, enum status status)
{
    if (change->context == NULL)
        return status;
    if (status == STATUS_OK)
        publish(change);
    else
        abandon(change);
    release(change);
    return status;
}

/* Drops what a preparation that failed had come to, and says why if nobody did. */
static enum status end_preparing(struct map_change *change, const char *what, enum status status,
                                 struct reason *reason)
{
    if (status == STATUS_OK)
        return STATUS_OK;
    abandon(change);
    release(change);
    if (reason != NULL && reason->text[0] == '\0')
        reason_set(reason, "the %s cannot be held in memory: %s", what, status_name(status));
    return status;
}

static void note_ended(struct map_change *change, const struct store_key *key)
{
    memcpy(change->ended[change->ended_count++], key->former_hash, sizeof(key->former_hash));
}

/* The former secret of before, if another takes its place, and one that is over. */
static void note_all_ended(struct map_change *change, const struct store_key *before,
                           const struct store_key *key)
{
    if (before != NULL && before->former_until_us != 0 &&
        memcmp(before->former_hash, key->former_hash, sizeof(key->former_hash)) != 0)
        note_ended(change, before);
    if (key->former_until_us != 0 && key->former_until_us <= change->context->now_us())
        note_ended(change, key);
}

enum status map_prepare_key(struct admin_context *context, const struct store_key *before,
                            const struct store_key *key, struct map_change *change_out,
                            struct reason *reason)
{
    *change_out = (struct map_change){0};
    if (context->map == NULL)
        return STATUS_OK;
    change_out->context = context;
    note_all_ended(change_out, before, key);
    return end_preparing(change_out, "key", prepare_key(change_out, key, before == NULL, reason),
                         reason);
}

enum status map_prepare_user(struct admin_context *context, const struct store_user *user,
                             struct map_change *change_out, struct reason *reason)
{
    *change_out = (struct map_change){0};
    if (context->map == NULL)
        return STATUS_OK;
    change_out->context = context;
    const enum status status = prepare_user(change_out, user, reason);
    return end_preparing(change_out, "user", status, reason);
}

enum status map_prepare_team(struct admin_context *context, const struct store_team *team,
                             struct map_change *change_out, struct reason *reason)
{
    *change_out = (struct map_change){0};
    if (context->map == NULL)
        return STATUS_OK;
    change_out->context = context;
    const enum status status = prepare_team(change_out, team, reason);
    return end_preparing(change_out, "team", status, reason);
}

enum status map_prepare_team_removal(struct admin_context *context, const struct id *team_id,
                                     struct map_change *change_out, struct reason *reason)
{
    *change_out = (struct map_change){0};
    const struct identity_team *team =
        context->map != NULL ? identity_map_find_team(context->map, team_id) : NULL;
    if (team == NULL)
        return STATUS_OK;
    change_out->context = context;
    change_out->has_removed_team = true;
    change_out->removed_team = *team_id;
    const enum status status = zone_move_prepare_release(context, team, &change_out->move, reason);
    return end_preparing(change_out, "team", status, reason);
}

void map_remove_user(struct admin_context *context, const struct id *user_id)
{
    if (context->map != NULL)
        identity_map_remove_user(context->map, user_id);
}

/* --- Filling -------------------------------------------------------------------------------------- */

struct filling {
    struct admin_context *context;
    struct reason *reason;
};

static enum status load_team(void *context, const struct store_team *team)
{
    const struct filling *filling = context;
    struct map_change change;
    const enum status status = map_prepare_team(filling->context, team, &change, filling->reason);
    return status == STATUS_OK ? map_end(&change, STATUS_OK) : status;
}

static enum status load_user(void *context, const struct store_user *user)
{
    const struct filling *filling = context;
    struct map_change change;
    const enum status status = map_prepare_user(filling->context, user, &change, filling->reason);
    return status == STATUS_OK ? map_end(&change, STATUS_OK) : status;
}

static enum status load_key(void *context, const struct store_key *key)
{
    const struct filling *filling = context;
    struct map_change change;
    const enum status status =
        map_prepare_key(filling->context, NULL, key, &change, filling->reason);
    return status == STATUS_OK ? map_end(&change, STATUS_OK) : status;
}

enum status map_fill(struct admin_context *context, struct reason *reason)
{
    const struct store_page all = {.limit = UINT32_MAX};
    struct filling filling = {context, reason};
    enum status status = identity_map_create(&context->map);
    if (status == STATUS_OK)
        status = store_teams_list(context->store, &all, load_team, &filling, reason);
    if (status == STATUS_OK)
        status = store_users_list(context->store, NULL, &all, load_user, &filling, reason);
    if (status == STATUS_OK)
        status = store_keys_load(context->store, load_key, &filling, reason);
    context->has_filled_map = status == STATUS_OK;
    if (status == STATUS_NO_MEMORY)
        reason_set(reason, "out of memory while loading teams, users and keys");
    if (status == STATUS_TOO_LARGE || status == STATUS_INVALID)
        reason_set(reason, "the database is damaged: a name, a list or a limit in it is none that "
                           "weir makes");
    return status;
}
