/* Who a key belongs to and what it may do, in memory, for every worker at once.
 *
 * Thread: one writer (the thread of the store) changes it; workers read through a reader of their
 * own, without locks. Functions say which.
 * Memory: the map owns its entries; see entry.h. About 200 bytes a key and 150 a user.
 * Errors: only prepare, put and the two creates can fail, with STATUS_NO_MEMORY.
 *
 * A worker calls identity_reader_turn() at the start of each turn of its loop and
 * identity_reader_idle() before it sleeps. An entry found is good until the next of these calls;
 * a request that goes on longer acquires it. */
#ifndef IDENTITY_MAP_H
#define IDENTITY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/slice.h"
#include "base/status.h"
#include "identity/entry.h"

#define IDENTITY_NAME_SIZE_MAX   256  /* of a user */
#define IDENTITY_MODELS_SIZE_MAX 4096 /* of a key's patterns, joined by commas */

struct identity_map;
struct identity_reader;

/* What the map is to hold of a key; everything is copied. */
struct identity_spec {
    struct id key_id;
    const unsigned char *hash; /* KEY_HASH_SIZE bytes */
    struct id user_id;
    struct slice user_name; /* looked at only where the map does not know the user yet, */
    bool user_disabled;     /* as is this */
    struct slice models;    /* data is NULL: all models */
    uint64_t expires_at_us; /* 0: never */
    bool disabled;
    bool revoked;
};

MUST_CHECK enum status identity_map_create(struct identity_map **map_out);
/* Frees *map, if any, and sets it to NULL. All readers are destroyed and all entries released. */
void identity_map_destroy(struct identity_map **map);

/* --- the writer --- */

/* Makes an entry and room for it, so that publishing cannot fail after the store has changed.
 * One at a time: publish or abandon it before the next change. STATUS_NO_MEMORY. */
MUST_CHECK enum status identity_map_prepare(struct identity_map *map,
                                            const struct identity_spec *spec,
                                            struct identity_key **prepared_out);
/* Takes *prepared, and replaces the entry of the same hash, if any; both hold for every find that
 * starts after this. */
void identity_map_publish(struct identity_map *map, struct identity_key **prepared);
/* Frees *prepared, if any. */
void identity_map_abandon(struct identity_map *map, struct identity_key **prepared);
/* Prepare and publish. STATUS_NO_MEMORY. */
MUST_CHECK enum status identity_map_put(struct identity_map *map, const struct identity_spec *spec);

/* Does nothing if there is no such key. */
void identity_map_remove(struct identity_map *map, const unsigned char hash[KEY_HASH_SIZE]);
/* For all keys of the user at once; a user without keys is not known here, and need not be. */
void identity_map_set_user_disabled(struct identity_map *map, const struct id *user_id,
                                    bool disabled);
/* Removes the user's keys. */
void identity_map_remove_user(struct identity_map *map, const struct id *user_id);

/* Frees what no reader can see any more. Changes do a little of it themselves; call this every
 * second or so, too. */
void identity_map_reclaim(struct identity_map *map);

size_t identity_map_key_count(const struct identity_map *map);
/* Bytes of all entries and tables, without what the allocator adds. */
size_t identity_map_bytes(const struct identity_map *map);

struct identity_use {
    struct id key_id;
    uint32_t used_at_s;
};

/* Takes up to `count_max` keys that were used since they were last taken, each once; returns how
 * many. Call until it returns less than `count_max`. */
size_t identity_map_take_used(struct identity_map *map, struct identity_use *uses_out,
                              size_t count_max);

/* --- readers --- */

/* A reader for the calling thread or another, idle at first. Any thread. STATUS_NO_MEMORY. */
MUST_CHECK enum status identity_reader_create(struct identity_map *map,
                                              struct identity_reader **reader_out);
/* Frees *reader, if any, and sets it to NULL. */
void identity_reader_destroy(struct identity_reader **reader);
void identity_reader_turn(struct identity_reader *reader);
void identity_reader_idle(struct identity_reader *reader);

/* The entry of that hash, or NULL. The reader is in a turn. Check the entry: it may be expired. */
struct identity_key *identity_find(struct identity_reader *reader,
                                   const unsigned char hash[KEY_HASH_SIZE]);

/* Notes a use; `now_s` is the worker's cached clock in seconds since 1970. The entry is held, or
 * was found in this turn. */
void identity_note_use(struct identity_reader *reader, struct identity_key *key, uint32_t now_s);

#endif
