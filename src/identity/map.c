#include "identity/map.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "identity/entry_internal.h"
#include "identity/lookup.h"

/* How much each change frees of what former changes left; more than one change leaves. */
#define RECLAIM_PER_CHANGE 16
/* How much one call frees, so that it does not take long. */
#define RECLAIM_PER_CALL 4096

struct identity_map {
    struct grace grace;
    struct lookup keys;  /* by hash */
    struct lookup users; /* by id; the writer's alone */
    size_t entry_bytes;
    struct identity_key *prepared;     /* neither published nor abandoned yet */
    struct identity_key *_Atomic used; /* a stack: readers push, the writer takes it whole */
    struct identity_key *used_taken;   /* what the writer took and has not passed on yet */
};

/* Padded, so that two workers' readers never share a cache line. */
struct identity_reader {
    struct grace_reader grace_reader;
    struct identity_map *map;
    char padding[64];
};

/* The hash of a key is an HMAC, so any part of it is a good hash. */
static uint64_t key_place(const unsigned char hash[KEY_HASH_SIZE])
{
    uint64_t place;
    memcpy(&place, hash, sizeof(place));
    return place;
}

static bool key_matches(const void *item, const void *wanted)
{
    const struct identity_key *key = item;
    return memcmp(key->hash, wanted, KEY_HASH_SIZE) == 0;
}

/* Of an id only the second half is random, so its bits are spread. */
static uint64_t user_place(const struct id *id)
{
    uint64_t place;
    memcpy(&place, id->bytes + 8, sizeof(place));
    place *= UINT64_C(0x9e3779b97f4a7c15);
    return place ^ place >> 32;
}

static bool user_matches(const void *item, const void *wanted)
{
    const struct identity_user *user = item;
    return memcmp(&user->id, wanted, sizeof(user->id)) == 0;
}

enum status identity_map_create(struct identity_map **map_out)
{
    struct identity_map *map = alloc_zeroed(1, sizeof(*map));
    if (map == NULL)
        return STATUS_NO_MEMORY;
    grace_init(&map->grace);
    enum status status = lookup_init(&map->keys, &map->grace);
    if (status == STATUS_OK)
        status = lookup_init(&map->users, &map->grace);
    if (status != STATUS_OK) {
        identity_map_destroy(&map);
        return status;
    }
    *map_out = map;
    return STATUS_OK;
}

static void let_go_of_key(void *item)
{
    struct identity_key *key = item;
    identity_key_release(&key);
}

static void let_go_of_user(void *item)
{
    identity_user_release(item);
}

static void forget_used(struct identity_map *map)
{
    struct identity_use use;
    while (identity_map_take_used(map, &use, 1) > 0)
        continue;
}

void identity_map_destroy(struct identity_map **map)
{
    if (*map == NULL)
        return;
    ASSERT((*map)->prepared == NULL);
    forget_used(*map);
    if ((*map)->keys.grace != NULL)
        lookup_visit(&(*map)->keys, let_go_of_key);
    if ((*map)->users.grace != NULL)
        lookup_visit(&(*map)->users, let_go_of_user);
    lookup_fini(&(*map)->keys);
    lookup_fini(&(*map)->users);
    grace_fini(&(*map)->grace);
    alloc_free(*map);
    *map = NULL;
}

static struct identity_key *find_key(const struct identity_map *map, const unsigned char *hash)
{
    return lookup_find(&map->keys, key_place(hash), key_matches, hash);
}

static struct identity_user *find_user(const struct identity_map *map, const struct id *user_id)
{
    return lookup_find(&map->users, user_place(user_id), user_matches, user_id);
}

/* The user of the spec, made if it is new; the map's reference stays the map's. */
static struct identity_user *find_or_add_user(struct identity_map *map,
                                              const struct identity_spec *spec)
{
    struct identity_user *user = find_user(map, &spec->user_id);
    if (user != NULL)
        return user;
    const uint64_t place = user_place(&spec->user_id);
    if (lookup_reserve(&map->users, place) != STATUS_OK)
        return NULL;
    user = identity_user_create(&spec->user_id, spec->user_name, spec->user_disabled);
    if (user == NULL)
        return NULL;
    lookup_insert(&map->users, place, user);
    map->entry_bytes += identity_user_bytes(user);
    return user;
}

/* Only entries lead readers to a user, so a user goes at once: entries still held keep it. */
static void drop_user_without_keys(struct identity_map *map, struct identity_user *user)
{
    if (!list_is_empty(&user->keys))
        return;
    lookup_remove(&map->users, user_place(&user->id), user);
    map->entry_bytes -= identity_user_bytes(user);
    identity_user_release(user);
}

enum status identity_map_prepare(struct identity_map *map, const struct identity_spec *spec,
                                 struct identity_key **prepared_out)
{
    ASSERT(map->prepared == NULL);
    if (find_key(map, spec->hash) == NULL) {
        const enum status status = lookup_reserve(&map->keys, key_place(spec->hash));
        if (status != STATUS_OK)
            return status;
    }
    struct identity_user *user = find_or_add_user(map, spec);
    if (user == NULL)
        return STATUS_NO_MEMORY;
    map->prepared = identity_key_create(spec, user);
    if (map->prepared == NULL) {
        drop_user_without_keys(map, user);
        return STATUS_NO_MEMORY;
    }
    *prepared_out = map->prepared;
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
    struct identity_user *user = key->user;
    list_remove(&key->in_user);
    map->entry_bytes -= identity_key_bytes(key);
    grace_retire(&map->grace, &key->retired, end_grace);
    drop_user_without_keys(map, user);
    (void)grace_reclaim(&map->grace, RECLAIM_PER_CHANGE);
}

void identity_map_publish(struct identity_map *map, struct identity_key **prepared)
{
    struct identity_key *key = *prepared;
    ASSERT(key != NULL && key == map->prepared);
    map->prepared = *prepared = NULL;
    list_push_back(&key->user->keys, &key->in_user);
    map->entry_bytes += identity_key_bytes(key);

    struct identity_key *former = find_key(map, key->hash);
    if (former == NULL) {
        lookup_insert(&map->keys, key_place(key->hash), key);
        (void)grace_reclaim(&map->grace, RECLAIM_PER_CHANGE);
        return;
    }
    const uint32_t used_at_s = atomic_load_explicit(&former->used_at_s, memory_order_relaxed);
    atomic_store_explicit(&key->used_at_s, used_at_s, memory_order_relaxed);
    lookup_replace(&map->keys, key_place(key->hash), former, key);
    retire_key(map, former);
}

void identity_map_abandon(struct identity_map *map, struct identity_key **prepared)
{
    if (*prepared == NULL)
        return;
    ASSERT(*prepared == map->prepared);
    map->prepared = NULL;
    struct identity_user *user = (*prepared)->user;
    identity_key_release(prepared);
    drop_user_without_keys(map, user);
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
    ASSERT(map->prepared == NULL);
    struct identity_key *key = find_key(map, hash);
    if (key == NULL)
        return;
    lookup_remove(&map->keys, key_place(hash), key);
    retire_key(map, key);
}

void identity_map_set_user_disabled(struct identity_map *map, const struct id *user_id,
                                    bool disabled)
{
    struct identity_user *user = find_user(map, user_id);
    if (user != NULL)
        atomic_store_explicit(&user->disabled, disabled, memory_order_relaxed);
}

void identity_map_remove_user(struct identity_map *map, const struct id *user_id)
{
    struct identity_user *user = find_user(map, user_id);
    if (user == NULL)
        return;
    identity_user_acquire(user); /* with its last key the map lets go of it */
    while (!list_is_empty(&user->keys)) {
        struct identity_key *key = LIST_ENTRY(user->keys.next, struct identity_key, in_user);
        identity_map_remove(map, key->hash);
    }
    identity_user_release(user);
}

void identity_map_reclaim(struct identity_map *map)
{
    (void)grace_reclaim(&map->grace, RECLAIM_PER_CALL);
}

size_t identity_map_key_count(const struct identity_map *map)
{
    return map->keys.count;
}

size_t identity_map_bytes(const struct identity_map *map)
{
    return sizeof(*map) + map->entry_bytes + map->keys.bytes + map->users.bytes;
}

/* A reader that finds `used_waits` set leaves it to the writer to see its time. It stored the time
 * before it looked, and the writer clears the mark before it reads the time; both change the mark
 * by read-modify-write, so one of them sees the other. */
size_t identity_map_take_used(struct identity_map *map, struct identity_use *uses_out,
                              size_t count_max)
{
    size_t count = 0;
    while (count < count_max) {
        if (map->used_taken == NULL)
            map->used_taken = atomic_exchange_explicit(&map->used, NULL, memory_order_acquire);
        struct identity_key *key = map->used_taken;
        if (key == NULL)
            break;
        map->used_taken = key->used_next;
        atomic_exchange_explicit(&key->used_waits, false, memory_order_acq_rel);
        uses_out[count].key_id = key->id;
        uses_out[count].used_at_s = atomic_load_explicit(&key->used_at_s, memory_order_relaxed);
        count++;
        identity_key_release(&key);
    }
    return count;
}

enum status identity_reader_create(struct identity_map *map, struct identity_reader **reader_out)
{
    struct identity_reader *reader = alloc_zeroed(1, sizeof(*reader));
    if (reader == NULL)
        return STATUS_NO_MEMORY;
    reader->map = map;
    grace_join(&map->grace, &reader->grace_reader);
    *reader_out = reader;
    return STATUS_OK;
}

void identity_reader_destroy(struct identity_reader **reader)
{
    if (*reader == NULL)
        return;
    grace_leave(&(*reader)->grace_reader);
    alloc_free(*reader);
    *reader = NULL;
}

void identity_reader_turn(struct identity_reader *reader)
{
    grace_turn(&reader->grace_reader);
}

void identity_reader_idle(struct identity_reader *reader)
{
    grace_idle(&reader->grace_reader);
}

struct identity_key *identity_find(struct identity_reader *reader,
                                   const unsigned char hash[KEY_HASH_SIZE])
{
    ASSERT(!grace_is_idle(&reader->grace_reader));
    return find_key(reader->map, hash);
}

static void push_used(struct identity_map *map, struct identity_key *key)
{
    struct identity_key *top = atomic_load_explicit(&map->used, memory_order_relaxed);
    do
        key->used_next = top;
    while (!atomic_compare_exchange_weak_explicit(&map->used, &top, key, memory_order_release,
                                                  memory_order_relaxed));
}

void identity_note_use(struct identity_reader *reader, struct identity_key *key, uint32_t now_s)
{
    if (atomic_load_explicit(&key->used_at_s, memory_order_relaxed) >= now_s)
        return;
    atomic_store_explicit(&key->used_at_s, now_s, memory_order_relaxed);
    if (atomic_exchange_explicit(&key->used_waits, true, memory_order_acq_rel))
        return;
    identity_key_acquire(key);
    push_used(reader->map, key);
}
