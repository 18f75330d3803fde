/* Who a key belongs to and what it may do, in memory, for every worker at once.
 *
 * Thread: one writer (the thread of the store) changes it; workers read through a reader of their
 * own, without locks. Functions say which.
 * Memory: the map owns its entries; see entry.h. A key and its user, without rules and with the
 * tables, take about 300 bytes; rules with nothing but limits 32.
 * Errors: only prepare, put and the two creates can fail, with STATUS_NO_MEMORY and what they list.
 *
 * A team is put before its users, a user before its keys; both are there with or without them.
 * What is prepared can be published without fail after the store has changed. Several things may be
 * prepared at once, up to IDENTITY_PREPARED_MAX; they are published or abandoned before anything is
 * removed.
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
#include "identity/rules.h"

#define IDENTITY_NAME_SIZE_MAX 256 /* of a user or a team */
#define IDENTITY_PREPARED_MAX  8

struct identity_map;
struct identity_reader;
struct identity_change;

/* What the map is to hold of a team, a user and a key. Everything is copied, but for `rules`: their
 * reference is taken over on STATUS_OK. */
struct identity_team_spec {
    struct id id;
    struct slice name; /* fixed once the team is there */
    bool disabled;
    const struct zone *zone;      /* NULL: UTC; lives for ever */
    struct identity_rules *rules; /* NULL: none */
};

struct identity_user_spec {
    struct id id;
    struct slice name; /* fixed once the user is there */
    bool disabled;
    const struct id *team_id;     /* NULL: none */
    struct identity_rules *rules; /* NULL: none */
};

struct identity_spec {
    struct id key_id;          /* two entries may have it: see entry.h */
    const unsigned char *hash; /* KEY_HASH_SIZE bytes */
    struct id user_id;
    struct identity_rules *rules; /* NULL: none */
    uint64_t expires_at_us;       /* 0: never */
    bool disabled;
    bool revoked;
};

MUST_CHECK enum status identity_map_create(struct identity_map **map_out);
/* Frees *map, if any, and sets it to NULL. All readers are destroyed and all entries released. */
void identity_map_destroy(struct identity_map **map);

/* --- the writer: users and teams (map_owners.c) --- */

/* A new team or a change of it, its rules included. STATUS_UNSUPPORTED: it is there under another
 * name. STATUS_NO_MEMORY. */
MUST_CHECK enum status identity_map_prepare_team(struct identity_map *map,
                                                 const struct identity_team_spec *spec,
                                                 struct identity_change **prepared_out);
/* The same of a user. STATUS_NOT_FOUND: there is no such team. */
MUST_CHECK enum status identity_map_prepare_user(struct identity_map *map,
                                                 const struct identity_user_spec *spec,
                                                 struct identity_change **prepared_out);
/* Takes *prepared; it holds for all keys at once. Former rules go when no reader can see them. */
void identity_map_publish_change(struct identity_map *map, struct identity_change **prepared);
/* Frees *prepared, if any, and ends the reference of its rules. */
void identity_map_abandon_change(struct identity_map *map, struct identity_change **prepared);
/* Prepare and publish. */
MUST_CHECK enum status identity_map_put_team(struct identity_map *map,
                                             const struct identity_team_spec *spec);
MUST_CHECK enum status identity_map_put_user(struct identity_map *map,
                                             const struct identity_user_spec *spec);

/* These do nothing if there is no such user or team. */
void identity_map_set_team_disabled(struct identity_map *map, const struct id *team_id,
                                    bool disabled);
void identity_map_set_user_disabled(struct identity_map *map, const struct id *user_id,
                                    bool disabled);
/* Its users stay and have no team. */
void identity_map_remove_team(struct identity_map *map, const struct id *team_id);
/* With its keys. */
void identity_map_remove_user(struct identity_map *map, const struct id *user_id);

/* --- the writer: keys (map_keys.c) --- */

/* Makes an entry and room for it. STATUS_NOT_FOUND: there is no such user. STATUS_NO_MEMORY. */
MUST_CHECK enum status identity_map_prepare(struct identity_map *map,
                                            const struct identity_spec *spec,
                                            struct identity_key **prepared_out);
/* Takes *prepared, and replaces the entry of the same hash, if any; both hold for every find that
 * starts after this. */
void identity_map_publish(struct identity_map *map, struct identity_key **prepared);
/* Frees *prepared, if any, and ends the reference of its rules. */
void identity_map_abandon(struct identity_map *map, struct identity_key **prepared);
/* Prepare and publish. */
MUST_CHECK enum status identity_map_put(struct identity_map *map, const struct identity_spec *spec);
/* Does nothing if there is no such key. Another entry of the same key stays. */
void identity_map_remove(struct identity_map *map, const unsigned char hash[KEY_HASH_SIZE]);

/* --- the writer: looking --- */

/* NULL: there is none. Good until the next change. */
const struct identity_team *identity_map_find_team(const struct identity_map *map,
                                                   const struct id *team_id);
const struct identity_user *identity_map_find_user(const struct identity_map *map,
                                                   const struct id *user_id);
const struct identity_key *identity_map_find_key(const struct identity_map *map,
                                                 const unsigned char hash[KEY_HASH_SIZE]);

typedef void identity_team_visitor(void *context, const struct identity_team *team);
typedef void identity_user_visitor(void *context, const struct identity_user *user);
typedef void identity_key_visitor(void *context, const struct identity_key *key);
/* Each once, in no order; of a rotated key both entries. The visitor changes nothing in the map. */
void identity_map_visit_teams(const struct identity_map *map, identity_team_visitor *visit,
                              void *context);
void identity_map_visit_users(const struct identity_map *map, identity_user_visitor *visit,
                              void *context);
void identity_map_visit_keys(const struct identity_map *map, identity_key_visitor *visit,
                             void *context);

/* --- the writer: the rest --- */

/* Frees what no reader can see any more. Changes do a little of it themselves; call this every
 * second or so, too. */
void identity_map_reclaim(struct identity_map *map);

/* Of a rotated key both entries count. */
size_t identity_map_key_count(const struct identity_map *map);
/* Bytes of all entries, their rules and tables, without what the allocator adds; rules that several
 * share count with each. */
size_t identity_map_bytes(const struct identity_map *map);

struct identity_use {
    struct id key_id;
    uint32_t used_at_s;
};

/* Takes up to `count_max` keys that were used since they were last taken, each once, but a rotated
 * one perhaps twice; returns how many. Call until it returns less than `count_max`. */
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

/* How often something was published so far: while it stays the same, what was found is what would be
 * found now. */
uint64_t identity_reader_changes(const struct identity_reader *reader);

/* Notes a use; `now_s` is the worker's cached clock in seconds since 1970. The entry is held, or
 * was found in this turn. */
void identity_note_use(struct identity_reader *reader, struct identity_key *key, uint32_t now_s);

#endif
