/* Users and teams.
 *
 * Readers reach them through keys alone, so the tables are the writer's. Why a user may drop its
 * reference of a team at once: the team is in the map, whose own reference ends only when no reader
 * can see the team any more. Only users that were removed themselves, and are held by a key that is,
 * keep a team that is not in the map. Rules have no such second owner: they wait for the readers. */
#include "base/alloc.h"
#include "base/assert.h"
#include "identity/map_internal.h"

/* A new user or team, or a change of one: exactly one of them is there. */
struct identity_change {
    struct retired retired;       /* once published, with the former rules */
    struct identity_rules *rules; /* the new ones; once published the former ones */
    struct identity_user *user;
    struct identity_team *team;
    struct identity_team *joins; /* of a user: its team, if any */
    const struct zone *zone;     /* of a team */
    bool is_new;
    bool disabled;
};

static enum status create_team(struct identity_map *map, const struct identity_team_spec *spec,
                               struct identity_team **team_out)
{
    const enum status status = lookup_reserve(&map->teams, map_id_place(&spec->id));
    if (status != STATUS_OK)
        return status;
    *team_out = identity_team_create(&spec->id, spec->name, spec->disabled);
    return *team_out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status create_user(struct identity_map *map, const struct identity_user_spec *spec,
                               struct identity_user **user_out)
{
    const enum status status = lookup_reserve(&map->users, map_id_place(&spec->id));
    if (status != STATUS_OK)
        return status;
    *user_out = identity_user_create(&spec->id, spec->name, spec->disabled);
    return *user_out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Keeps what was filled, or frees it where `status` says that its making failed. */
static enum status keep(struct identity_map *map, const struct identity_change *filled,
                        enum status status, struct identity_change **prepared_out)
{
    if (status != STATUS_OK)
        return status;
    struct identity_change *change = alloc_bytes(sizeof(*change));
    if (change != NULL) {
        *change = *filled;
        *prepared_out = change;
        map->prepared_count++;
        return STATUS_OK;
    }
    if (filled->is_new && filled->user != NULL)
        identity_user_release(filled->user);
    if (filled->is_new && filled->team != NULL)
        identity_team_release(filled->team);
    return STATUS_NO_MEMORY;
}

enum status identity_map_prepare_team(struct identity_map *map,
                                      const struct identity_team_spec *spec,
                                      struct identity_change **prepared_out)
{
    ASSERT(map->prepared_count < IDENTITY_PREPARED_MAX);
    struct identity_change change = {.team = map_find_team(map, &spec->id),
                                     .rules = spec->rules,
                                     .zone = spec->zone,
                                     .disabled = spec->disabled};
    change.is_new = change.team == NULL;
    if (!change.is_new && !slice_equal(identity_team_name(change.team), spec->name))
        return STATUS_UNSUPPORTED;
    const enum status status = change.is_new ? create_team(map, spec, &change.team) : STATUS_OK;
    return keep(map, &change, status, prepared_out);
}

enum status identity_map_prepare_user(struct identity_map *map,
                                      const struct identity_user_spec *spec,
                                      struct identity_change **prepared_out)
{
    ASSERT(map->prepared_count < IDENTITY_PREPARED_MAX);
    struct identity_change change = {
        .user = map_find_user(map, &spec->id), .rules = spec->rules, .disabled = spec->disabled};
    change.is_new = change.user == NULL;
    if (!change.is_new && !slice_equal(identity_user_name(change.user), spec->name))
        return STATUS_UNSUPPORTED;
    if (spec->team_id != NULL) {
        change.joins = map_find_team(map, spec->team_id);
        if (change.joins == NULL)
            return STATUS_NOT_FOUND;
    }
    const enum status status = change.is_new ? create_user(map, spec, &change.user) : STATUS_OK;
    return keep(map, &change, status, prepared_out);
}

/* `joins` may be NULL. */
static void move_to_team(struct identity_user *user, struct identity_team *joins)
{
    struct identity_team *former = identity_user_team(user);
    if (former == joins)
        return;
    list_remove(&user->in_team);
    if (joins != NULL) {
        list_push_back(&joins->users, &user->in_team);
        identity_team_acquire(joins);
    }
    atomic_store_explicit(&user->team, joins, memory_order_release);
    if (former != NULL)
        identity_team_release(former);
}

/* Both return the former rules. */
static struct identity_rules *apply_to_team(struct identity_map *map,
                                            const struct identity_change *change)
{
    struct identity_team *team = change->team;
    if (change->is_new) {
        ASSERT(map_find_team(map, &team->id) == NULL);
        lookup_insert(&map->teams, map_id_place(&team->id), team);
        map->entry_bytes += identity_team_bytes(team);
    }
    atomic_store_explicit(&team->zone, change->zone, memory_order_release);
    atomic_store_explicit(&team->disabled, change->disabled, memory_order_relaxed);
    return atomic_exchange_explicit(&team->rules, change->rules, memory_order_acq_rel);
}

static struct identity_rules *apply_to_user(struct identity_map *map,
                                            const struct identity_change *change)
{
    struct identity_user *user = change->user;
    if (change->is_new) {
        ASSERT(map_find_user(map, &user->id) == NULL);
        lookup_insert(&map->users, map_id_place(&user->id), user);
        map->entry_bytes += identity_user_bytes(user);
    }
    move_to_team(user, change->joins);
    atomic_store_explicit(&user->disabled, change->disabled, memory_order_relaxed);
    return atomic_exchange_explicit(&user->rules, change->rules, memory_order_acq_rel);
}

static void change_free(struct identity_change *change)
{
    identity_rules_unref(&change->rules);
    alloc_free(change);
}

static void end_grace_of_rules(struct retired *retired)
{
    change_free(LIST_ENTRY(retired, struct identity_change, retired));
}

void identity_map_publish_change(struct identity_map *map, struct identity_change **prepared)
{
    struct identity_change *change = *prepared;
    ASSERT(change != NULL && map->prepared_count > 0);
    map->prepared_count--;
    *prepared = NULL;
    struct identity_rules *rules = change->rules;
    change->rules = change->team != NULL ? apply_to_team(map, change) : apply_to_user(map, change);
    map->entry_bytes += identity_rules_bytes(rules);
    map->entry_bytes -= identity_rules_bytes(change->rules);
    if (change->rules != NULL)
        grace_retire(&map->grace, &change->retired, end_grace_of_rules);
    else
        change_free(change);
    map_note_change(map);
    (void)grace_reclaim(&map->grace, RECLAIM_PER_CHANGE);
}

void identity_map_abandon_change(struct identity_map *map, struct identity_change **prepared)
{
    struct identity_change *change = *prepared;
    if (change == NULL)
        return;
    ASSERT(map->prepared_count > 0);
    map->prepared_count--;
    *prepared = NULL;
    if (change->is_new && change->user != NULL)
        identity_user_release(change->user);
    if (change->is_new && change->team != NULL)
        identity_team_release(change->team);
    change_free(change);
}

enum status identity_map_put_team(struct identity_map *map, const struct identity_team_spec *spec)
{
    struct identity_change *prepared = NULL;
    const enum status status = identity_map_prepare_team(map, spec, &prepared);
    if (status == STATUS_OK)
        identity_map_publish_change(map, &prepared);
    return status;
}

enum status identity_map_put_user(struct identity_map *map, const struct identity_user_spec *spec)
{
    struct identity_change *prepared = NULL;
    const enum status status = identity_map_prepare_user(map, spec, &prepared);
    if (status == STATUS_OK)
        identity_map_publish_change(map, &prepared);
    return status;
}

void identity_map_set_team_disabled(struct identity_map *map, const struct id *team_id,
                                    bool disabled)
{
    struct identity_team *team = map_find_team(map, team_id);
    if (team != NULL)
        atomic_store_explicit(&team->disabled, disabled, memory_order_relaxed);
}

void identity_map_set_user_disabled(struct identity_map *map, const struct id *user_id,
                                    bool disabled)
{
    struct identity_user *user = map_find_user(map, user_id);
    if (user != NULL)
        atomic_store_explicit(&user->disabled, disabled, memory_order_relaxed);
}

static void end_grace_of_team(struct retired *retired)
{
    identity_team_release(LIST_ENTRY(retired, struct identity_team, retired));
}

void identity_map_remove_team(struct identity_map *map, const struct id *team_id)
{
    ASSERT(map->prepared_count == 0);
    struct identity_team *team = map_find_team(map, team_id);
    if (team == NULL)
        return;
    while (!list_is_empty(&team->users))
        move_to_team(LIST_ENTRY(team->users.next, struct identity_user, in_team), NULL);
    lookup_remove(&map->teams, map_id_place(team_id), team);
    map->entry_bytes -= identity_team_bytes(team);
    map_note_change(map);
    grace_retire(&map->grace, &team->retired, end_grace_of_team);
    (void)grace_reclaim(&map->grace, RECLAIM_PER_CHANGE);
}

void identity_map_remove_user(struct identity_map *map, const struct id *user_id)
{
    ASSERT(map->prepared_count == 0);
    struct identity_user *user = map_find_user(map, user_id);
    if (user == NULL)
        return;
    while (!list_is_empty(&user->keys)) {
        const struct identity_key *key = LIST_ENTRY(user->keys.next, struct identity_key, in_user);
        identity_map_remove(map, key->hash);
    }
    lookup_remove(&map->users, map_id_place(user_id), user);
    map->entry_bytes -= identity_user_bytes(user);
    list_remove(&user->in_team);
    identity_user_release(user); /* entries that readers may see still keep it */
}
