#include "store/store.h"

#include "base/assert.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store_driver.h"

enum status store_open(const struct store_config *config, struct store **store_out,
                       struct reason *reason)
{
    return sqlite_store_open(config, store_out, reason);
}

void store_close(struct store **store)
{
    if (*store == NULL)
        return;
    (*store)->driver->close(*store);
    *store = NULL;
}

enum status store_team_create(struct store *store, const struct store_team *team,
                              struct reason *reason)
{
    ASSERT(team->name.size > 0);
    return store->driver->team_create(store, team, reason);
}

enum status store_team_find(struct store *store, struct slice id_or_name, struct arena *arena,
                            struct store_team *team_out, struct reason *reason)
{
    return store->driver->team_find(store, id_or_name, arena, team_out, reason);
}

enum status store_team_update(struct store *store, const struct store_team *team, uint64_t seen_us,
                              struct reason *reason)
{
    ASSERT(team->name.size > 0);
    return store->driver->team_update(store, team, seen_us, reason);
}

enum status store_team_delete(struct store *store, const struct id *team_id, uint64_t now_us,
                              uint64_t *users_out, struct reason *reason)
{
    return store->driver->team_delete(store, team_id, now_us, users_out, reason);
}

enum status store_teams_list(struct store *store, const struct store_page *page,
                             store_team_visitor *visit, void *context, struct reason *reason)
{
    ASSERT(page->limit > 0);
    return store->driver->teams_list(store, page, visit, context, reason);
}

enum status store_user_create(struct store *store, const struct store_user *user,
                              struct reason *reason)
{
    ASSERT(user->name.size > 0);
    return store->driver->user_create(store, user, reason);
}

enum status store_user_find(struct store *store, struct slice id_or_name, struct arena *arena,
                            struct store_user *user_out, struct reason *reason)
{
    return store->driver->user_find(store, id_or_name, arena, user_out, reason);
}

enum status store_user_update(struct store *store, const struct store_user *user, uint64_t seen_us,
                              struct reason *reason)
{
    ASSERT(user->name.size > 0);
    return store->driver->user_update(store, user, seen_us, reason);
}

enum status store_user_delete(struct store *store, const struct id *user_id, uint64_t *keys_out,
                              struct reason *reason)
{
    return store->driver->user_delete(store, user_id, keys_out, reason);
}

enum status store_users_list(struct store *store, const struct id *team_id,
                             const struct store_page *page, store_user_visitor *visit,
                             void *context, struct reason *reason)
{
    ASSERT(page->limit > 0);
    return store->driver->users_list(store, team_id, page, visit, context, reason);
}

enum status store_key_create(struct store *store, const struct store_key *key,
                             struct reason *reason)
{
    return store->driver->key_create(store, key, reason);
}

enum status store_key_find(struct store *store, struct slice id_or_name, struct arena *arena,
                           struct store_key *key_out, struct reason *reason)
{
    return store->driver->key_find(store, id_or_name, arena, key_out, reason);
}

enum status store_key_find_of_team(struct store *store, const struct id *team_id, struct slice name,
                                   struct arena *arena, struct store_key *key_out,
                                   struct reason *reason)
{
    return store->driver->key_find_of_team(store, team_id, name, arena, key_out, reason);
}

enum status store_key_find_hash(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
                                struct arena *arena, struct store_key *key_out,
                                struct reason *reason)
{
    return store->driver->key_find_hash(store, hash, arena, key_out, reason);
}

enum status store_key_update(struct store *store, const struct store_key *key, uint64_t seen_us,
                             struct reason *reason)
{
    return store->driver->key_update(store, key, seen_us, reason);
}

enum status store_keys_list(struct store *store, const struct id *user_id,
                            const struct store_page *page, store_key_visitor *visit, void *context,
                            struct reason *reason)
{
    ASSERT(page->limit > 0);
    return store->driver->keys_list(store, user_id, page, visit, context, reason);
}

enum status store_keys_list_of_team(struct store *store, const struct id *team_id,
                                    const struct store_page *page, store_key_visitor *visit,
                                    void *context, struct reason *reason)
{
    ASSERT(page->limit > 0);
    return store->driver->keys_list_of_team(store, team_id, page, visit, context, reason);
}

enum status store_keys_load(struct store *store, store_key_visitor *visit, void *context,
                            struct reason *reason)
{
    return store->driver->keys_load(store, visit, context, reason);
}

enum status store_keys_used(struct store *store, const struct store_use *uses, size_t count,
                            struct reason *reason)
{
    return store->driver->keys_used(store, uses, count, reason);
}
