#include "store/sqlite/operations.h"
#include "store/sqlite/outcome.h"
#include "store/sqlite/query.h"
#include "store/sqlite/rules_row.h"
#include "store/sqlite/transactions.h"

#define PARAMETER_RULES 6
#define PARAMETER_LAST  (PARAMETER_RULES + RULES_COLUMNS)

static struct store_user user_read(struct query *query)
{
    struct store_user user = {
        .name = query_read_text(query, 1),
        .disabled = query_read_u64(query, 2) != 0,
        .team_id = query_read_id_or_zero(query, 3),
        .team_name = query_read_text(query, 4),
        .created_at_us = query_read_u64(query, 5),
        .updated_at_us = query_read_u64(query, 6),
        .rules = rules_read(query, 7),
    };
    query_read_blob(query, 0, user.id.bytes, sizeof(user.id.bytes));
    return user;
}

static void user_bind(struct query *query, const struct store_user *user)
{
    query_bind_id(query, 1, &user->id);
    query_bind_text(query, 2, user->name);
    query_bind_u64(query, 3, user->disabled);
    query_bind_id_or_null(query, 4, &user->team_id);
    query_bind_u64(query, 5, user->updated_at_us);
    rules_bind(query, PARAMETER_RULES, &user->rules);
}

static enum status refused(const struct store_user *user, int code, enum status status,
                           struct reason *reason)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        reason_set(reason, "there is a user named %.*s already", SLICE_ARGS(user->name));
        return STATUS_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        reason_set(reason, "there is no such team");
        return STATUS_NOT_FOUND;
    default:
        return status;
    }
}

enum status sqlite_user_create(struct store *store, const struct store_user *user,
                               struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_USER_CREATE);
    user_bind(&query, user);
    query_bind_u64(&query, PARAMETER_LAST, user->created_at_us);
    const enum status status = query_run(&query, reason);
    return refused(user, query.code, status, reason);
}

static bool user_keep(struct store_user *user, struct arena *arena)
{
    return text_keep(&user->name, arena) && text_keep(&user->team_name, arena) &&
           rules_keep(&user->rules, arena);
}

enum status sqlite_user_find(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_user *user_out, struct reason *reason)
{
    struct id id;
    bool kept = true;
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
        kept = user_keep(user_out, arena);
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (!kept)
        reason_set(reason, "out of memory while reading a user");
    else if (!found)
        reason_set(reason, "there is no user %.*s", SLICE_ARGS(id_or_name));
    if (!kept)
        return STATUS_NO_MEMORY;
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status sqlite_user_update(struct store *store, const struct store_user *user, uint64_t seen_us,
                               struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_USER_UPDATE);
    user_bind(&query, user);
    query_bind_u64(&query, PARAMETER_LAST, seen_us);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK)
        return refused(user, query.code, status, reason);
    return outcome_of(connection, STATEMENT_USER_BY_ID, &user->id, "user", reason);
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
    if (status != STATUS_OK)
        return status;
    return outcome_of(connection, STATEMENT_USER_BY_ID, user_id, "user", reason);
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

enum status sqlite_users_list(struct store *store, const struct id *team_id,
                              const struct store_page *page, store_user_visitor *visit,
                              void *context, struct reason *reason)
{
    struct query query =
        query_start(connection_of(store),
                    team_id != NULL ? STATEMENT_USERS_LIST_OF_TEAM : STATEMENT_USERS_LIST);
    query_bind_id(&query, 1, &page->after);
    query_bind_u64(&query, 2, page->limit);
    if (team_id != NULL)
        query_bind_id(&query, 3, team_id);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        const struct store_user user = user_read(&query);
        if (query.code == SQLITE_OK)
            visited = visit(context, &user);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}
