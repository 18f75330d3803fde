#include <string.h>

#include "store/sqlite/key_row.h"
#include "store/sqlite/operations.h"
#include "store/sqlite/outcome.h"
#include "store/sqlite/query.h"
#include "store/sqlite/rules_row.h"
#include "store/sqlite/transactions.h"

#define PARAMETER_RULES 11
#define PARAMETER_LAST  (PARAMETER_RULES + RULES_COLUMNS)

struct store_key key_read(struct query *query)
{
    struct store_key key = {
        .user_name = query_read_text(query, 2),
        .user_disabled = query_read_u64(query, 3) != 0,
        .team_id = query_read_id_or_zero(query, 4),
        .team_disabled = query_read_u64(query, 5) != 0,
        .name = query_read_text(query, 6),
        .hint = query_read_text(query, 8),
        .disabled = query_read_u64(query, 9) != 0,
        .expires_at_us = query_read_u64(query, 10),
        .revoked_at_us = query_read_u64(query, 11),
        .created_at_us = query_read_u64(query, 12),
        .updated_at_us = query_read_u64(query, 13),
        .last_used_at_us = query_read_u64(query, 14),
        .former_until_us = query_read_u64(query, 16),
        .rules = rules_read(query, 17),
    };
    query_read_blob(query, 0, key.id.bytes, sizeof(key.id.bytes));
    query_read_blob(query, 1, key.user_id.bytes, sizeof(key.user_id.bytes));
    query_read_blob(query, 7, key.hash, sizeof(key.hash));
    if (key.former_until_us != 0)
        query_read_blob(query, 15, key.former_hash, sizeof(key.former_hash));
    return key;
}

/* Reads the current row for good. STATUS_NO_MEMORY. */
static enum status key_take(struct query *query, struct arena *arena, struct store_key *key_out,
                            struct reason *reason)
{
    *key_out = key_read(query);
    if (text_keep(&key_out->user_name, arena) && text_keep(&key_out->name, arena) &&
        text_keep(&key_out->hint, arena) && rules_keep(&key_out->rules, arena))
        return STATUS_OK;
    reason_set(reason, "out of memory while reading a key");
    return STATUS_NO_MEMORY;
}

/* SQLite names the columns: "UNIQUE constraint failed: api_keys.user_id, api_keys.name". */
static enum status refused(struct connection *connection, const struct store_key *key, int code,
                           enum status status, struct reason *reason)
{
    const char *message = sqlite3_errmsg(connection->database);
    const bool is_hash =
        strstr(message, "api_keys.hash") != NULL || strstr(message, "api_keys.former_hash") != NULL;
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

static void key_bind(struct query *query, const struct store_key *key)
{
    query_bind_id(query, 1, &key->id);
    query_bind_text_or_null(query, 2, key->name);
    query_bind_blob(query, 3, key->hash, sizeof(key->hash));
    query_bind_text_or_empty(query, 4, key->hint);
    query_bind_u64(query, 5, key->disabled);
    query_bind_time(query, 6, key->expires_at_us);
    query_bind_time(query, 7, key->revoked_at_us);
    query_bind_u64(query, 8, key->updated_at_us);
    /* A blob without an address is NULL. */
    query_bind_blob(query, 9, key->former_until_us != 0 ? key->former_hash : NULL,
                    sizeof(key->former_hash));
    query_bind_time(query, 10, key->former_until_us);
    rules_bind(query, PARAMETER_RULES, &key->rules);
}

enum status sqlite_key_create(struct store *store, const struct store_key *key,
                              struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_KEY_CREATE);
    key_bind(&query, key);
    query_bind_id(&query, PARAMETER_LAST, &key->user_id);
    query_bind_u64(&query, PARAMETER_LAST + 1, key->created_at_us);
    query_bind_time(&query, PARAMETER_LAST + 2, key->last_used_at_us);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK)
        return refused(connection, key, query.code, status, reason);
    if (sqlite3_changes(connection->database) > 0)
        return STATUS_OK;
    reason_set(reason, "this key is stored already: it is the former secret of another");
    return STATUS_EXISTS;
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
static enum status find_by_name(struct query *query, struct slice name, struct arena *arena,
                                struct store_key *key_out, struct reason *reason)
{
    query_bind_text(query, 1, name);
    const bool found = query_next(query);
    enum status taken = found ? key_take(query, arena, key_out, reason) : STATUS_NOT_FOUND;
    if (found && query_next(query)) {
        const struct store_key second = key_read(query);
        if ((second.revoked_at_us == 0) == (key_out->revoked_at_us == 0))
            taken = STATUS_EXISTS;
    }
    const enum status status = query_finish(query, reason);
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
    const bool is_name = id_parse(id_or_name, &id) != STATUS_OK;
    struct query query =
        query_start(connection, is_name ? STATEMENT_KEY_BY_NAME : STATEMENT_KEY_BY_ID);
    if (is_name)
        return find_by_name(&query, id_or_name, arena, key_out, reason);
    query_bind_id(&query, 1, &id);
    return find_one(&query, id_or_name, arena, key_out, reason);
}

enum status sqlite_key_find_of_team(struct store *store, const struct id *team_id,
                                    struct slice name, struct arena *arena,
                                    struct store_key *key_out, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_KEY_BY_NAME_OF_TEAM);
    query_bind_id(&query, 2, team_id);
    return find_by_name(&query, name, arena, key_out, reason);
}

enum status sqlite_key_find_hash(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
                                 struct arena *arena, struct store_key *key_out,
                                 struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_KEY_BY_HASH);
    query_bind_blob(&query, 1, hash, STORE_HASH_SIZE);
    return find_one(&query, SLICE("of that secret"), arena, key_out, reason);
}

enum status sqlite_key_update(struct store *store, const struct store_key *key, uint64_t seen_us,
                              struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_KEY_UPDATE);
    key_bind(&query, key);
    query_bind_u64(&query, PARAMETER_LAST, seen_us);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK)
        return refused(connection, key, query.code, status, reason);
    return outcome_of(connection, STATEMENT_KEY_BY_ID, &key->id, "key", reason);
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

enum status sqlite_keys_list_of_team(struct store *store, const struct id *team_id,
                                     const struct store_page *page, store_key_visitor *visit,
                                     void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_KEYS_LIST_OF_TEAM);
    query_bind_id(&query, 1, &page->after);
    query_bind_u64(&query, 2, page->limit);
    query_bind_id(&query, 3, team_id);
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
