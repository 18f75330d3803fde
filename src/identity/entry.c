#include "identity/entry.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/slab.h"
#include "identity/entry_internal.h"

static uint16_t copy_name(struct slice name, char *name_out)
{
    ASSERT(name.size <= IDENTITY_NAME_SIZE_MAX);
    if (name.size > 0)
        memcpy(name_out, name.data, name.size);
    return (uint16_t)name.size;
}

struct identity_team *identity_team_create(const struct id *id, struct slice name, bool disabled)
{
    struct identity_team *team = alloc_zeroed(1, sizeof(*team) + name.size);
    if (team == NULL)
        return NULL;
    team->id = *id;
    team->name_size = copy_name(name, team->name);
    atomic_init(&team->rules, NULL);
    atomic_init(&team->zone, NULL);
    atomic_init(&team->disabled, disabled);
    atomic_init(&team->references, 1);
    list_init(&team->users);
    return team;
}

void identity_team_acquire(struct identity_team *team)
{
    atomic_fetch_add_explicit(&team->references, 1, memory_order_relaxed);
}

void identity_team_release(struct identity_team *team)
{
    if (atomic_fetch_sub_explicit(&team->references, 1, memory_order_acq_rel) != 1)
        return;
    struct identity_rules *rules = identity_team_rules(team);
    identity_rules_unref(&rules);
    alloc_free(team);
}

size_t identity_team_bytes(const struct identity_team *team)
{
    return sizeof(*team) + team->name_size + identity_rules_bytes(identity_team_rules(team));
}

struct identity_user *identity_user_create(const struct id *id, struct slice name, bool disabled)
{
    struct identity_user *user = slab_take(sizeof(*user) + name.size);
    if (user == NULL)
        return NULL;
    user->id = *id;
    user->name_size = copy_name(name, user->name);
    atomic_init(&user->team, NULL);
    atomic_init(&user->rules, NULL);
    atomic_init(&user->disabled, disabled);
    atomic_init(&user->references, 1);
    list_init(&user->keys);
    list_init(&user->in_team);
    return user;
}

void identity_user_acquire(struct identity_user *user)
{
    atomic_fetch_add_explicit(&user->references, 1, memory_order_relaxed);
}

void identity_user_release(struct identity_user *user)
{
    if (atomic_fetch_sub_explicit(&user->references, 1, memory_order_acq_rel) != 1)
        return;
    struct identity_team *team = identity_user_team(user);
    struct identity_rules *rules = identity_user_rules(user);
    if (team != NULL)
        identity_team_release(team);
    identity_rules_unref(&rules);
    slab_give(user, sizeof(*user) + user->name_size);
}

size_t identity_user_bytes(const struct identity_user *user)
{
    return sizeof(*user) + user->name_size + identity_rules_bytes(identity_user_rules(user));
}

struct identity_key *identity_key_create(const struct identity_spec *spec,
                                         struct identity_user *user)
{
    struct identity_key *key = slab_take(sizeof(*key));
    if (key == NULL)
        return NULL;
    memcpy(key->hash, spec->hash, sizeof(key->hash));
    key->id = spec->key_id;
    key->expires_at_us = spec->expires_at_us;
    key->disabled = spec->disabled;
    key->revoked = spec->revoked;
    key->rules = spec->rules;
    atomic_init(&key->references, 1);
    atomic_init(&key->used_at_s, 0);
    atomic_init(&key->used_waits, false);
    list_init(&key->in_user);
    identity_user_acquire(user);
    key->user = user;
    return key;
}

size_t identity_key_bytes(const struct identity_key *key)
{
    return sizeof(*key) + identity_rules_bytes(key->rules);
}

void identity_key_acquire(struct identity_key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
}

void identity_key_release(struct identity_key **key)
{
    if (*key == NULL)
        return;
    if (atomic_fetch_sub_explicit(&(*key)->references, 1, memory_order_acq_rel) == 1) {
        identity_user_release((*key)->user);
        identity_rules_unref(&(*key)->rules);
        slab_give(*key, sizeof(**key));
    }
    *key = NULL;
}
