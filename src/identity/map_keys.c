#include "base/assert.h"
#include "identity/map_internal.h"

enum status identity_map_prepare(struct identity_map *map, const struct identity_spec *spec,
                                 struct identity_key **prepared_out)
{
    ASSERT(map->prepared_count < IDENTITY_PREPARED_MAX);
    struct identity_user *user = map_find_user(map, &spec->user_id);
    if (user == NULL)
        return STATUS_NOT_FOUND;
    const enum status status = lookup_reserve(&map->keys, map_key_place(spec->hash));
    if (status != STATUS_OK)
        return status;
    *prepared_out = identity_key_create(spec, user);
    if (*prepared_out == NULL)
        return STATUS_NO_MEMORY;
    map->prepared_count++;
    return STATUS_OK;
}

static void end_grace(struct retired *retired)
{
    struct identity_key *key = LIST_ENTRY(retired, struct identity_key, retired);
    identity_key_release(&key);
}

/* The entry is not in the table any more; readers may still see it. */
static void retire_key(struct identity_map *map, struct identity_key *key)
{
    list_remove(&key->in_user);
    map->entry_bytes -= identity_key_bytes(key);
    grace_retire(&map->grace, &key->retired, end_grace);
    (void)grace_reclaim(&map->grace, RECLAIM_PER_CHANGE);
}

void identity_map_publish(struct identity_map *map, struct identity_key **prepared)
{
    struct identity_key *key = *prepared;
    ASSERT(key != NULL && map->prepared_count > 0);
    map->prepared_count--;
    *prepared = NULL;
    list_push_back(&key->user->keys, &key->in_user);
    map->entry_bytes += identity_key_bytes(key);

    struct identity_key *former = map_find_key(map, key->hash);
    if (former == NULL) {
        lookup_insert(&map->keys, map_key_place(key->hash), key);
        map_note_change(map);
        (void)grace_reclaim(&map->grace, RECLAIM_PER_CHANGE);
        return;
    }
    const uint32_t used_at_s = atomic_load_explicit(&former->used_at_s, memory_order_relaxed);
    atomic_store_explicit(&key->used_at_s, used_at_s, memory_order_relaxed);
    lookup_replace(&map->keys, map_key_place(key->hash), former, key);
    map_note_change(map);
    retire_key(map, former);
}

void identity_map_abandon(struct identity_map *map, struct identity_key **prepared)
{
    if (*prepared == NULL)
        return;
    ASSERT(map->prepared_count > 0);
    map->prepared_count--;
    identity_key_release(prepared);
}

enum status identity_map_put(struct identity_map *map, const struct identity_spec *spec)
{
    struct identity_key *prepared = NULL;
    const enum status status = identity_map_prepare(map, spec, &prepared);
    if (status == STATUS_OK)
        identity_map_publish(map, &prepared);
    return status;
}

void identity_map_remove(struct identity_map *map, const unsigned char hash[KEY_HASH_SIZE])
{
    ASSERT(map->prepared_count == 0);
    struct identity_key *key = map_find_key(map, hash);
    if (key == NULL)
        return;
    lookup_remove(&map->keys, map_key_place(hash), key);
    retire_key(map, key);
}
