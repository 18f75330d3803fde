/* A key, its user and the user's team as the map holds them.
 *
 * Lifecycle: a key entry is made by identity_map_prepare(), published, and later unlinked by the
 * writer; a change replaces the entry by a new one, so what a reader sees never changes under it
 * (but for `references`, `used_at_s` and what is reached through its user). It holds one reference
 * of the map's own until every reader has finished the turn in which it may have found it. Whoever
 * drops the last reference frees it, on any thread.
 *
 * Users and teams stay where they are while the map has them: what may change of them is atomic,
 * their names never change. A key keeps its user and a user its team, so both outlive their removal
 * from the map for whoever holds such a key. What the accessors below return is good until the turn
 * ends; a request that waited asks again.
 *
 * A key that was rotated has two entries for a while, of one id and two hashes: of the new secret and
 * of the former one, with an expiry of its own. They share the rules, and so what is counted.
 *
 * Thread: readers may read the fields above the line; those below are the map's. */
#ifndef IDENTITY_ENTRY_H
#define IDENTITY_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/list.h"
#include "base/slice.h"
#include "identity/grace.h"
#include "identity/key_hasher.h"
#include "identity/rules.h"

struct zone; /* of policy/zone.h, which this folder does not know */

struct identity_team {
    struct id id;
    _Atomic(struct identity_rules *) rules; /* NULL: none; owned */
    _Atomic(const struct zone *) zone;      /* of its calendar; NULL: UTC */
    atomic_bool disabled;
    uint16_t name_size;
    /* --- the map's --- */
    _Atomic uint32_t references; /* one per user, in the map or held, and the map's own */
    struct list_node users;      /* those in the map */
    struct retired retired;      /* once removed */
    char name[];
};

struct identity_user {
    struct id id;
    _Atomic(struct identity_team *) team;   /* NULL: none; a reference */
    _Atomic(struct identity_rules *) rules; /* NULL: none; owned */
    atomic_bool disabled;
    uint16_t name_size;
    /* --- the map's --- */
    _Atomic uint32_t references; /* one per key entry, published or held, and the map's own */
    struct list_node keys;       /* published entries */
    struct list_node in_team;
    char name[];
};

struct identity_key {
    unsigned char hash[KEY_HASH_SIZE];
    struct id id;
    struct identity_user *user;
    struct identity_rules *rules; /* NULL: none; a reference */
    uint64_t expires_at_us;       /* 0: never */
    bool disabled;
    bool revoked;
    /* --- the map's --- */
    atomic_bool used_waits; /* it stands in the list of keys whose use is to be saved */
    _Atomic uint32_t references;
    _Atomic uint32_t used_at_s;     /* of the last use, in seconds since 1970 */
    struct identity_key *used_next; /* in that list */
    union {
        struct list_node in_user; /* while published */
        struct retired retired;   /* once unlinked */
    };
};

static inline struct slice identity_user_name(const struct identity_user *user)
{
    return slice_of(user->name, user->name_size);
}

static inline struct slice identity_team_name(const struct identity_team *team)
{
    return slice_of(team->name, team->name_size);
}

static inline struct identity_team *identity_user_team(const struct identity_user *user)
{
    return atomic_load_explicit(&user->team, memory_order_acquire);
}

static inline struct identity_rules *identity_user_rules(const struct identity_user *user)
{
    return atomic_load_explicit(&user->rules, memory_order_acquire);
}

static inline struct identity_rules *identity_key_user_rules(const struct identity_key *key)
{
    return identity_user_rules(key->user);
}

/* NULL: the key's user is in none. */
static inline struct identity_team *identity_key_team(const struct identity_key *key)
{
    return identity_user_team(key->user);
}

/* `team` may be NULL here and below. */
static inline struct identity_rules *identity_team_rules(const struct identity_team *team)
{
    return team != NULL ? atomic_load_explicit(&team->rules, memory_order_acquire) : NULL;
}

static inline const struct zone *identity_team_zone(const struct identity_team *team)
{
    return team != NULL ? atomic_load_explicit(&team->zone, memory_order_acquire) : NULL;
}

/* Of a million keys none is in the processor's caches. What a request looks at is asked for as soon as its
 * place is known, so that it comes while other work is done. */
static inline void identity_key_prefetch(const struct identity_key *key)
{
    __builtin_prefetch(key->user);
    __builtin_prefetch((const char *)key->user + 64);
    __builtin_prefetch(key->rules);
    __builtin_prefetch(&key->references, 1);
}

/* Keeps an entry, found in this turn or held already, over the turns that follow. */
void identity_key_acquire(struct identity_key *key);
/* Gives up *key, if any, and sets it to NULL. */
void identity_key_release(struct identity_key **key);

#endif
