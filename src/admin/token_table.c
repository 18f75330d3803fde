#include "admin/token_table.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

struct entry {
    struct id id;
    struct id team_id;
    unsigned char hash[STORE_HASH_SIZE];
    enum role role;
    uint64_t expires_at_us;
    uint64_t used_at_us;
    bool has_new_use;
    size_t name_size;
    char name[TOKEN_NAME_BYTES_MAX];
};

struct token_table {
    pthread_mutex_t lock;
    struct entry *entries;
    size_t count, capacity;
};

enum status token_table_create(struct token_table **table_out)
{
    struct token_table *table = alloc_zeroed(1, sizeof(*table));
    if (table == NULL)
        return STATUS_NO_MEMORY;
    const int error = pthread_mutex_init(&table->lock, NULL);
    ASSERT(error == 0);
    *table_out = table;
    return STATUS_OK;
}

void token_table_destroy(struct token_table **table)
{
    if (*table == NULL)
        return;
    pthread_mutex_destroy(&(*table)->lock);
    alloc_free((*table)->entries);
    alloc_free(*table);
    *table = NULL;
}

static enum status grow(struct token_table *table)
{
    const size_t capacity = table->capacity == 0 ? 8 : 2 * table->capacity;
    struct entry *entries = alloc_resize(table->entries, capacity * sizeof(*entries));
    if (entries == NULL)
        return STATUS_NO_MEMORY;
    table->entries = entries;
    table->capacity = capacity;
    return STATUS_OK;
}

enum status token_table_reserve(struct token_table *table, struct reason *reason)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&table->lock);
    if (table->count >= TOKEN_TABLE_MAX)
        status = STATUS_LIMITED;
    else if (table->count == table->capacity)
        status = grow(table);
    pthread_mutex_unlock(&table->lock);
    if (status == STATUS_LIMITED)
        reason_set(reason, "there are %d tokens already; revoke some", TOKEN_TABLE_MAX);
    else if (status != STATUS_OK)
        reason_set(reason, "out of memory for a token");
    return status;
}

void token_table_put(struct token_table *table, const struct store_token *token)
{
    struct entry entry = {.id = token->id,
                          .team_id = token->team_id,
                          .expires_at_us = token->expires_at_us,
                          .used_at_us = token->last_used_at_us};
    if (role_find(token->role, &entry.role) != STATUS_OK)
        entry.role = ROLE_NONE;
    memcpy(entry.hash, token->hash, sizeof(entry.hash));
    entry.name_size =
        token->name.size < TOKEN_NAME_BYTES_MAX ? token->name.size : TOKEN_NAME_BYTES_MAX;
    memcpy(entry.name, token->name.data, entry.name_size);
    pthread_mutex_lock(&table->lock);
    ASSERT(table->count < table->capacity);
    table->entries[table->count++] = entry;
    pthread_mutex_unlock(&table->lock);
}

static bool has_id(const struct entry *entry, const struct id *id)
{
    return memcmp(&entry->id, id, sizeof(*id)) == 0;
}

static bool has_team(const struct entry *entry, const struct id *team_id)
{
    return memcmp(&entry->team_id, team_id, sizeof(*team_id)) == 0;
}

static void remove_where(struct token_table *table,
                         bool (*matches)(const struct entry *entry, const struct id *id),
                         const struct id *id)
{
    size_t kept = 0;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count; i++) {
        if (!matches(&table->entries[i], id))
            table->entries[kept++] = table->entries[i];
    }
    table->count = kept;
    pthread_mutex_unlock(&table->lock);
}

void token_table_remove(struct token_table *table, const struct id *id)
{
    remove_where(table, has_id, id);
}

void token_table_remove_team(struct token_table *table, const struct id *team_id)
{
    remove_where(table, has_team, team_id);
}

static struct slice write_actor(const struct entry *entry, char name_out[TOKEN_ACTOR_BYTES_MAX])
{
    const struct slice prefix = SLICE("token:");
    memcpy(name_out, prefix.data, prefix.size);
    memcpy(name_out + prefix.size, entry->name, entry->name_size);
    return slice_of(name_out, prefix.size + entry->name_size);
}

/* What is compared is a MAC under a secret key: its bytes tell a guesser nothing, however long the
 * comparison takes. */
enum status token_table_find(struct token_table *table, const unsigned char hash[STORE_HASH_SIZE],
                             uint64_t now_us, char name_out[TOKEN_ACTOR_BYTES_MAX],
                             struct operation_actor *actor_out)
{
    enum status status = STATUS_NOT_FOUND;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count; i++) {
        struct entry *entry = &table->entries[i];
        if (memcmp(entry->hash, hash, STORE_HASH_SIZE) != 0)
            continue;
        if (entry->role == ROLE_NONE ||
            (entry->expires_at_us != 0 && entry->expires_at_us <= now_us))
            break;
        entry->used_at_us = now_us;
        entry->has_new_use = true;
        *actor_out =
            (struct operation_actor){entry->role, entry->team_id, write_actor(entry, name_out)};
        status = STATUS_OK;
        break;
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

bool token_table_take_used(struct token_table *table, struct store_use *use_out)
{
    bool found = false;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count && !found; i++) {
        struct entry *entry = &table->entries[i];
        found = entry->has_new_use;
        if (!found)
            continue;
        entry->has_new_use = false;
        *use_out = (struct store_use){entry->id, entry->used_at_us};
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}
