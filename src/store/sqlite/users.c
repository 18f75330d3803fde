#include "store/sqlite/operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/transactions.h"

static struct store_user user_read(struct query *query)
{
    struct store_user user = {
        .name = query_read_text(query, 1),
        .disabled = query_read_u64(query, 2) != 0,
        .created_at_us = query_read_u64(query, 3),
        .updated_at_us = query_read_u64(query, 4),
    };
    query_read_blob(query, 0, user.id.bytes, sizeof(user.id.bytes));
    return user;
}

enum status sqlite_user_create(struct store *store, const struct store_user *user,
                               struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_USER_CREATE);
    query_bind_id(&query, 1, &user->id);
    query_bind_text(&query, 2, user->name);
    query_bind_u64(&query, 3, user->disabled);
    query_bind_u64(&query, 4, user->created_at_us);
    query_bind_u64(&query, 5, user->updated_at_us);
    const enum status status = query_run(&query, reason);
    if (query.code != SQLITE_CONSTRAINT_UNIQUE && query.code != SQLITE_CONSTRAINT_PRIMARYKEY)
        return status;
    reason_set(reason, "there is a user named %.*s already", SLICE_ARGS(user->name));
    return STATUS_EXISTS;
}

enum status sqlite_user_find(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_user *user_out, struct reason *reason)
{
    struct id id;
    const bool is_id = id_parse(id_or_name, &id) == STATUS_OK;
    struct query query =
        query_start(connection_of(store), is_id ? STATEMENT_USER_BY_ID : STATEMENT_USER_BY_NAME);
    if (is_id)
        query_bind_id(&query, 1, &id);
    else
        query_bind_text(&query, 1, id_or_name);
    const bool found = query_next(&query);
    if (found) {
        *user_out = user_read(&query);
        user_out->name = arena_copy(arena, user_out->name);
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (!found) {
        reason_set(reason, "there is no user %.*s", SLICE_ARGS(id_or_name));
        return STATUS_NOT_FOUND;
    }
    if (user_out->name.data == NULL) {
        reason_set(reason, "out of memory while reading a user");
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* After an UPDATE or DELETE by id: whether it hit anything. */
static enum status must_have_changed(struct connection *connection, struct reason *reason)
{
    if (sqlite3_changes(connection->database) > 0)
        return STATUS_OK;
    reason_set(reason, "there is no such user any more");
    return STATUS_NOT_FOUND;
}

enum status sqlite_user_update(struct store *store, const struct store_user *user,
                               struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_USER_UPDATE);
    query_bind_id(&query, 1, &user->id);
    query_bind_u64(&query, 2, user->disabled);
    query_bind_u64(&query, 3, user->updated_at_us);
    const enum status status = query_run(&query, reason);
    return status == STATUS_OK ? must_have_changed(connection, reason) : status;
}

static enum status count_keys(struct connection *connection, const struct id *user_id,
                              uint64_t *keys_out, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_USER_KEY_COUNT);
    query_bind_id(&query, 1, user_id);
    if (query_next(&query))
        *keys_out = query_read_u64(&query, 0);
    return query_finish(&query, reason);
}

static enum status delete_row(struct connection *connection, const struct id *user_id,
                              struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_USER_DELETE);
    query_bind_id(&query, 1, user_id);
    const enum status status = query_run(&query, reason);
    return status == STATUS_OK ? must_have_changed(connection, reason) : status;
}

/* The keys go with the user by the foreign key's ON DELETE CASCADE. */
enum status sqlite_user_delete(struct store *store, const struct id *user_id, uint64_t *keys_out,
                               struct reason *reason)
{
    struct connection *connection = connection_of(store);
    uint64_t keys = 0;
    struct transaction transaction;
    enum status status = transaction_join(connection, &transaction, reason);
    if (status != STATUS_OK)
        return status;
    status = count_keys(connection, user_id, &keys, reason);
    if (status == STATUS_OK)
        status = delete_row(connection, user_id, reason);
    status = transaction_leave(&transaction, status, reason);
    if (status == STATUS_OK && keys_out != NULL)
        *keys_out = keys;
    return status;
}

enum status sqlite_users_list(struct store *store, const struct store_page *page,
                              store_user_visitor *visit, void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_USERS_LIST);
    query_bind_id(&query, 1, &page->after);
    query_bind_u64(&query, 2, page->limit);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        const struct store_user user = user_read(&query);
        if (query.code == SQLITE_OK)
            visited = visit(context, &user);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}
