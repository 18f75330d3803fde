#include "identity/map.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "identity/map_internal.h"

/* How much one call frees, so that it does not take long. */
#define RECLAIM_PER_CALL 4096

/* Padded, so that two workers' readers never share a cache line. */
struct identity_reader {
    struct grace_reader grace_reader;
    struct identity_map *map;
    char padding[64];
};

uint64_t map_key_place(const unsigned char hash[KEY_HASH_SIZE])
{
    uint64_t place;
    memcpy(&place, hash, sizeof(place));
    return place;
}

/* Of an id only the second half is random, so its bits are spread. */
uint64_t map_id_place(const struct id *id)
{
    uint64_t place;
    memcpy(&place, id->bytes + 8, sizeof(place));
    place *= UINT64_C(0x9e3779b97f4a7c15);
    return place ^ place >> 32;
}

static bool key_matches(const void *item, const void *wanted)
{
    const struct identity_key *key = item;
    return memcmp(key->hash, wanted, KEY_HASH_SIZE) == 0;
}

static bool user_matches(const void *item, const void *wanted)
{
    const struct identity_user *user = item;
    return memcmp(&user->id, wanted, sizeof(user->id)) == 0;
}

static bool team_matches(const void *item, const void *wanted)
{
    const struct identity_team *team = item;
    return memcmp(&team->id, wanted, sizeof(team->id)) == 0;
}

struct identity_key *map_find_key(const struct identity_map *map, const unsigned char *hash)
{
    return lookup_find(&map->keys, map_key_place(hash), key_matches, hash);
}

struct identity_user *map_find_user(const struct identity_map *map, const struct id *user_id)
{
    return lookup_find(&map->users, map_id_place(user_id), user_matches, user_id);
}

struct identity_team *map_find_team(const struct identity_map *map, const struct id *team_id)
{
    return lookup_find(&map->teams, map_id_place(team_id), team_matches, team_id);
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
    if (status == STATUS_OK)
        status = lookup_init(&map->teams, &map->grace);
    if (status != STATUS_OK) {
        identity_map_destroy(&map);
        return status;
    }
    *map_out = map;
    return STATUS_OK;
}

static void let_go_of_key(void *context, void *item)
{
    (void)context;
    struct identity_key *key = item;
    identity_key_release(&key);
}

static void let_go_of_user(void *context, void *item)
{
    (void)context;
    identity_user_release(item);
}

static void let_go_of_team(void *context, void *item)
{
    (void)context;
    identity_team_release(item);
}

/* A lookup that was not initialised has nothing. */
static void empty(struct lookup *lookup, lookup_visitor *let_go)
{
    if (lookup->grace != NULL)
        lookup_visit(lookup, let_go, NULL);
    lookup_fini(lookup);
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
    ASSERT((*map)->prepared_count == 0);
    forget_used(*map);
    empty(&(*map)->keys, let_go_of_key);
    empty(&(*map)->users, let_go_of_user);
    empty(&(*map)->teams, let_go_of_team);
    grace_fini(&(*map)->grace);
    alloc_free(*map);
    *map = NULL;
}

const struct identity_team *identity_map_find_team(const struct identity_map *map,
                                                   const struct id *team_id)
{
    return map_find_team(map, team_id);
}

const struct identity_user *identity_map_find_user(const struct identity_map *map,
                                                   const struct id *user_id)
{
    return map_find_user(map, user_id);
}

const struct identity_key *identity_map_find_key(const struct identity_map *map,
                                                 const unsigned char hash[KEY_HASH_SIZE])
{
    return map_find_key(map, hash);
}

/* A visitor of one sort, behind the lookup's of any. */
struct visiting {
    identity_team_visitor *team;
    identity_user_visitor *user;
    identity_key_visitor *key;
    void *context;
};

static void visit_team(void *context, void *item)
{
    const struct visiting *visiting = context;
    visiting->team(visiting->context, item);
}

static void visit_user(void *context, void *item)
{
    const struct visiting *visiting = context;
    visiting->user(visiting->context, item);
}

static void visit_key(void *context, void *item)
{
    const struct visiting *visiting = context;
    visiting->key(visiting->context, item);
}

void identity_map_visit_teams(const struct identity_map *map, identity_team_visitor *visit,
                              void *context)
{
    struct visiting visiting = {.team = visit, .context = context};
    lookup_visit(&map->teams, visit_team, &visiting);
}

void identity_map_visit_users(const struct identity_map *map, identity_user_visitor *visit,
                              void *context)
{
    struct visiting visiting = {.user = visit, .context = context};
    lookup_visit(&map->users, visit_user, &visiting);
}

void identity_map_visit_keys(const struct identity_map *map, identity_key_visitor *visit,
                             void *context)
{
    struct visiting visiting = {.key = visit, .context = context};
    lookup_visit(&map->keys, visit_key, &visiting);
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
    return sizeof(*map) + map->entry_bytes + map->keys.bytes + map->users.bytes + map->teams.bytes;
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
    return map_find_key(reader->map, hash);
}

void map_note_change(struct identity_map *map)
{
    atomic_fetch_add_explicit(&map->changes, 1, memory_order_release);
}

uint64_t identity_reader_changes(const struct identity_reader *reader)
{
    return atomic_load_explicit(&reader->map->changes, memory_order_acquire);
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
