#include <string.h>

#include "store/sqlite/key_row.h"
#include "store/sqlite/operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/transactions.h"

struct store_key key_read(struct query *query)
{
    struct store_key key = {
        .user_name = query_read_text(query, 2),
        .user_disabled = query_read_u64(query, 3) != 0,
        .name = query_read_text(query, 4),
        .hint = query_read_text(query, 6),
        .models = query_read_text(query, 7),
        .disabled = query_read_u64(query, 8) != 0,
        .expires_at_us = query_read_u64(query, 9),
        .revoked_at_us = query_read_u64(query, 10),
        .created_at_us = query_read_u64(query, 11),
        .last_used_at_us = query_read_u64(query, 12),
    };
    query_read_blob(query, 0, key.id.bytes, sizeof(key.id.bytes));
    query_read_blob(query, 1, key.user_id.bytes, sizeof(key.user_id.bytes));
    query_read_blob(query, 5, key.hash, sizeof(key.hash));
    return key;
}

static bool copy_text(struct arena *arena, struct slice *text)
{
    if (text->data == NULL)
        return true;
    *text = arena_copy(arena, *text);
    return text->data != NULL;
}

/* Reads the current row for good. STATUS_NO_MEMORY. */
static enum status key_take(struct query *query, struct arena *arena, struct store_key *key_out,
                            struct reason *reason)
{
    *key_out = key_read(query);
    if (copy_text(arena, &key_out->user_name) && copy_text(arena, &key_out->name) &&
        copy_text(arena, &key_out->hint) && copy_text(arena, &key_out->models))
        return STATUS_OK;
    reason_set(reason, "out of memory while reading a key");
    return STATUS_NO_MEMORY;
}

static struct slice null_if_empty(struct slice text)
{
    return text.size > 0 ? text : slice_of(NULL, 0);
}

/* SQLite names the columns: "UNIQUE constraint failed: api_keys.user_id, api_keys.name". */
static enum status refused(struct connection *connection, const struct store_key *key, int code,
                           enum status status, struct reason *reason)
{
    const bool is_hash = strstr(sqlite3_errmsg(connection->database), "api_keys.hash") != NULL;
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
        if (is_hash)
            reason_set(reason, "this key is stored already");
        else
            reason_set(reason, "the user has a key named %.*s already", SLICE_ARGS(key->name));
        return STATUS_EXISTS;
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        reason_set(reason, "there is a key with this id already");
        return STATUS_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        reason_set(reason, "there is no such user");
        return STATUS_NOT_FOUND;
    default:
        return status;
    }
}

enum status sqlite_key_create(struct store *store, const struct store_key *key,
                              struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_KEY_CREATE);
    query_bind_id(&query, 1, &key->id);
    query_bind_id(&query, 2, &key->user_id);
    query_bind_text(&query, 3, null_if_empty(key->name));
    query_bind_blob(&query, 4, key->hash, sizeof(key->hash));
    query_bind_text(&query, 5, key->hint);
    query_bind_text(&query, 6, key->models);
    query_bind_u64(&query, 7, key->disabled);
    query_bind_time(&query, 8, key->expires_at_us);
    query_bind_time(&query, 9, key->revoked_at_us);
    query_bind_u64(&query, 10, key->created_at_us);
    query_bind_time(&query, 11, key->last_used_at_us);
    const enum status status = query_run(&query, reason);
    return refused(connection, key, query.code, status, reason);
}

/* Finishes a query that finds at most one key. `what` is how the caller named it, for the reason. */
static enum status find_one(struct query *query, struct slice what, struct arena *arena,
                            struct store_key *key_out, struct reason *reason)
{
    const bool found = query_next(query);
    const enum status taken = found ? key_take(query, arena, key_out, reason) : STATUS_NOT_FOUND;
    const enum status status = query_finish(query, reason);
    if (status != STATUS_OK)
        return status;
    if (!found)
        reason_set(reason, "there is no key %.*s", SLICE_ARGS(what));
    return taken;
}

/* At most two rows come, those not revoked first; they are ambiguous if both are of one sort. */
static enum status find_by_name(struct connection *connection, struct slice name,
                                struct arena *arena, struct store_key *key_out,
                                struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_KEY_BY_NAME);
    query_bind_text(&query, 1, name);
    const bool found = query_next(&query);
    enum status taken = found ? key_take(&query, arena, key_out, reason) : STATUS_NOT_FOUND;
    if (found && query_next(&query)) {
        const struct store_key second = key_read(&query);
        if ((second.revoked_at_us == 0) == (key_out->revoked_at_us == 0))
            taken = STATUS_EXISTS;
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (taken == STATUS_NOT_FOUND)
        reason_set(reason, "there is no key %.*s", SLICE_ARGS(name));
    else if (taken == STATUS_EXISTS)
        reason_set(reason, "several keys are named %.*s; give the id instead", SLICE_ARGS(name));
    return taken;
}

enum status sqlite_key_find(struct store *store, struct slice id_or_name, struct arena *arena,
                            struct store_key *key_out, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct id id;
    if (id_parse(id_or_name, &id) != STATUS_OK)
        return find_by_name(connection, id_or_name, arena, key_out, reason);
    struct query query = query_start(connection, STATEMENT_KEY_BY_ID);
    query_bind_id(&query, 1, &id);
    return find_one(&query, id_or_name, arena, key_out, reason);
}

enum status sqlite_key_find_hash(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
                                 struct arena *arena, struct store_key *key_out,
                                 struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_KEY_BY_HASH);
    query_bind_blob(&query, 1, hash, STORE_HASH_SIZE);
    return find_one(&query, SLICE("of that secret"), arena, key_out, reason);
}

enum status sqlite_key_update(struct store *store, const struct store_key *key,
                              struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_KEY_UPDATE);
    query_bind_id(&query, 1, &key->id);
    query_bind_text(&query, 2, null_if_empty(key->name));
    query_bind_text(&query, 3, key->models);
    query_bind_u64(&query, 4, key->disabled);
    query_bind_time(&query, 5, key->expires_at_us);
    query_bind_time(&query, 6, key->revoked_at_us);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK)
        return refused(connection, key, query.code, status, reason);
    if (sqlite3_changes(connection->database) > 0)
        return STATUS_OK;
    reason_set(reason, "there is no such key any more");
    return STATUS_NOT_FOUND;
}

static enum status visit_rows(struct query *query, store_key_visitor *visit, void *context,
                              struct reason *reason)
{
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(query)) {
        const struct store_key key = key_read(query);
        if (query->code == SQLITE_OK)
            visited = visit(context, &key);
    }
    const enum status status = query_finish(query, reason);
    return status == STATUS_OK ? visited : status;
}

enum status sqlite_keys_list(struct store *store, const struct id *user_id,
                             const struct store_page *page, store_key_visitor *visit, void *context,
                             struct reason *reason)
{
    struct query query = query_start(
        connection_of(store), user_id != NULL ? STATEMENT_KEYS_LIST_OF_USER : STATEMENT_KEYS_LIST);
    query_bind_id(&query, 1, &page->after);
    query_bind_u64(&query, 2, page->limit);
    if (user_id != NULL)
        query_bind_id(&query, 3, user_id);
    return visit_rows(&query, visit, context, reason);
}

static enum status save_use(struct connection *connection, const struct store_use *use,
                            struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_KEY_USED);
    query_bind_id(&query, 1, &use->key_id);
    query_bind_u64(&query, 2, use->used_at_us);
    return query_run(&query, reason);
}

enum status sqlite_keys_used(struct store *store, const struct store_use *uses, size_t count,
                             struct reason *reason)
{
    struct connection *connection = connection_of(store);
    if (count == 0)
        return STATUS_OK;
    struct transaction transaction;
    enum status status = transaction_join(connection, &transaction, reason);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = save_use(connection, &uses[i], reason);
    return transaction_leave(&transaction, status, reason);
}
