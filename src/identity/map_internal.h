/* The map's own state, shared by the files map*.c. */
#ifndef IDENTITY_MAP_INTERNAL_H
#define IDENTITY_MAP_INTERNAL_H

#include "identity/entry_internal.h"
#include "identity/lookup.h"
#include "identity/map.h"

/* How much each change frees of what former changes left; more than one change leaves. */
#define RECLAIM_PER_CHANGE 16

_Static_assert(IDENTITY_PREPARED_MAX <= LOOKUP_RESERVED_MAX, "each table has room for all");

struct identity_map {
    struct grace grace;
    struct lookup keys;  /* by hash */
    struct lookup users; /* by id; the writer's alone, as the next one */
    struct lookup teams; /* by id */
    size_t entry_bytes;
    _Atomic uint64_t changes;          /* read by workers */
    unsigned prepared_count;           /* neither published nor abandoned yet */
    struct identity_key *_Atomic used; /* a stack: readers push, the writer takes it whole */
    struct identity_key *used_taken;   /* what the writer took and has not passed on yet */
};

/* Where each is looked up. The hash of a key is an HMAC, so any part of it is a good hash. */
uint64_t map_key_place(const unsigned char hash[KEY_HASH_SIZE]);
uint64_t map_id_place(const struct id *id);

/* After something was published: see identity_reader_changes(). */
void map_note_change(struct identity_map *map);

struct identity_key *map_find_key(const struct identity_map *map, const unsigned char *hash);
struct identity_user *map_find_user(const struct identity_map *map, const struct id *user_id);
struct identity_team *map_find_team(const struct identity_map *map, const struct id *team_id);

#endif
