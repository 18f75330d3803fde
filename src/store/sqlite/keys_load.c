/* Reading every key at start.
 *
 * SQLite's join with the users took five times as long as reading the keys alone, so the users are
 * read first, ordered by id, and each key's is looked up here. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "store/sqlite/key_row.h"
#include "store/sqlite/operations.h"

#define CAPACITY_FIRST 256

struct owner {
    struct id id;
    size_t name_at; /* in `names` */
    size_t name_size;
    bool disabled;
    struct id team_id;
};

struct owners {
    struct owner *items; /* ordered by id */
    size_t count;
    size_t capacity;
    struct buffer names;
};

static void owners_fini(struct owners *owners)
{
    alloc_free(owners->items);
    buffer_fini(&owners->names);
}

static enum status owners_grow(struct owners *owners)
{
    if (owners->count < owners->capacity)
        return STATUS_OK;
    const size_t capacity = owners->capacity == 0 ? CAPACITY_FIRST : 2 * owners->capacity;
    struct owner *items = alloc_resize(owners->items, capacity * sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    owners->items = items;
    owners->capacity = capacity;
    return STATUS_OK;
}

static enum status owners_add(struct owners *owners, struct query *query)
{
    enum status status = owners_grow(owners);
    if (status != STATUS_OK)
        return status;
    struct owner *owner = &owners->items[owners->count++];
    const struct slice name = query_read_text(query, 1);
    query_read_blob(query, 0, owner->id.bytes, sizeof(owner->id.bytes));
    owner->name_at = owners->names.size;
    owner->name_size = name.size;
    owner->disabled = query_read_u64(query, 2) != 0;
    owner->team_id = query_read_id_or_zero(query, 3);
    return buffer_append(&owners->names, name);
}

static enum status owners_load(struct owners *owners, struct connection *connection,
                               struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_OWNERS_LOAD);
    enum status added = STATUS_OK;
    while (added == STATUS_OK && query_next(&query))
        added = owners_add(owners, &query);
    const enum status status = query_finish(&query, reason);
    if (status == STATUS_OK && added != STATUS_OK)
        reason_set(reason, "out of memory while reading the users");
    return status == STATUS_OK ? added : status;
}

static int compare_ids(const void *wanted, const void *item)
{
    return memcmp(wanted, &((const struct owner *)item)->id, sizeof(struct id));
}

/* Fills in the user's part; false if the user is not there, which the foreign key forbids. */
static bool owners_complete(const struct owners *owners, struct store_key *key)
{
    if (owners->count == 0)
        return false;
    const struct owner *owner =
        bsearch(&key->user_id, owners->items, owners->count, sizeof(*owners->items), compare_ids);
    if (owner == NULL)
        return false;
    key->user_name = slice_of(owners->names.data + owner->name_at, owner->name_size);
    key->user_disabled = owner->disabled;
    key->team_id = owner->team_id;
    return true;
}

static enum status visit_keys(const struct owners *owners, struct connection *connection,
                              store_key_visitor *visit, void *context, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_KEYS_LOAD);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        struct store_key key = key_read(&query);
        if (query.code == SQLITE_OK && !owners_complete(owners, &key))
            query.code = SQLITE_CORRUPT;
        if (query.code == SQLITE_OK)
            visited = visit(context, &key);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}

enum status sqlite_keys_load(struct store *store, store_key_visitor *visit, void *context,
                             struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct owners owners = {.items = NULL};
    buffer_init(&owners.names, SIZE_MAX);
    enum status status = owners_load(&owners, connection, reason);
    if (status == STATUS_OK)
        status = visit_keys(&owners, connection, visit, context, reason);
    owners_fini(&owners);
    return status;
}
