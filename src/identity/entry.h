/* A key and its user as the map holds them.
 *
 * Lifecycle: a key entry is made by identity_map_prepare(), published, and later unlinked by the
 * writer; a change replaces the entry by a new one, so what a reader sees never changes under it
 * (but for `references`, `used_at_s` and the user's `disabled`). It holds one reference of the
 * map's own until every reader has finished the turn in which it may have found it. Whoever drops
 * the last reference frees it, on any thread.
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

struct identity_user {
    struct id id;
    char id_text[ID_TEXT_SIZE];
    uint16_t name_size;
    atomic_bool disabled;
    /* --- the map's --- */
    _Atomic uint32_t references; /* one per key entry, published or held, and the map's own */
    struct list_node keys;       /* published entries */
    char name[];
};

struct identity_key {
    struct id id;
    struct identity_user *user;
    uint64_t expires_at_us; /* 0: never */
    bool disabled;
    bool revoked;
    bool all_models;
    uint16_t models_size;
    unsigned char hash[KEY_HASH_SIZE];
    char id_text[ID_TEXT_SIZE];
    /* --- the map's --- */
    _Atomic uint32_t references;
    _Atomic uint32_t used_at_s;     /* of the last use, in seconds since 1970 */
    atomic_bool used_waits;         /* it stands in the list of keys whose use is to be saved */
    struct identity_key *used_next; /* in that list */
    union {
        struct list_node in_user; /* while published */
        struct retired retired;   /* once unlinked */
    };
    char models[]; /* patterns joined by commas */
};

static inline struct slice identity_user_name(const struct identity_user *user)
{
    return slice_of(user->name, user->name_size);
}

static inline struct slice identity_user_id_text(const struct identity_user *user)
{
    return slice_of(user->id_text, ID_TEXT_SIZE);
}

static inline struct slice identity_key_id_text(const struct identity_key *key)
{
    return slice_of(key->id_text, ID_TEXT_SIZE);
}

/* Keeps an entry, found in this turn or held already, over the turns that follow. */
void identity_key_acquire(struct identity_key *key);
/* Gives up *key, if any, and sets it to NULL. */
void identity_key_release(struct identity_key **key);

#endif
