#include <string.h>

#include "store/sqlite/query.h"
#include "store/sqlite/token_operations.h"

static struct store_token token_read(struct query *query)
{
    struct store_token token = {
        .name = query_read_text(query, 1),
        .hint = query_read_text(query, 3),
        .role = query_read_text(query, 4),
        .team_id = query_read_id_or_zero(query, 5),
        .team_name = query_read_text(query, 6),
        .expires_at_us = query_read_u64(query, 7),
        .revoked_at_us = query_read_u64(query, 8),
        .created_at_us = query_read_u64(query, 9),
        .updated_at_us = query_read_u64(query, 10),
        .last_used_at_us = query_read_u64(query, 11),
    };
    query_read_blob(query, 0, token.id.bytes, sizeof(token.id.bytes));
    query_read_blob(query, 2, token.hash, sizeof(token.hash));
    return token;
}

static bool copy_text(struct arena *arena, struct slice *text)
{
    if (text->data == NULL)
        return true;
    *text = arena_copy(arena, *text);
    return text->data != NULL;
}

/* Reads the current row for good. STATUS_NO_MEMORY. */
static enum status token_take(struct query *query, struct arena *arena,
                              struct store_token *token_out, struct reason *reason)
{
    *token_out = token_read(query);
    if (copy_text(arena, &token_out->name) && copy_text(arena, &token_out->hint) &&
        copy_text(arena, &token_out->role) && copy_text(arena, &token_out->team_name))
        return STATUS_OK;
    reason_set(reason, "out of memory while reading a token");
    return STATUS_NO_MEMORY;
}

enum status sqlite_token_create(struct store *store, const struct store_token *token,
                                struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_TOKEN_CREATE);
    query_bind_id(&query, 1, &token->id);
    query_bind_text(&query, 2, token->name);
    query_bind_blob(&query, 3, token->hash, sizeof(token->hash));
    query_bind_text(&query, 4, token->hint);
    query_bind_text(&query, 5, token->role);
    query_bind_id_or_null(&query, 6, &token->team_id);
    query_bind_time(&query, 7, token->expires_at_us);
    query_bind_time(&query, 8, token->revoked_at_us);
    query_bind_u64(&query, 9, token->created_at_us);
    query_bind_u64(&query, 10, token->updated_at_us);
    query_bind_time(&query, 11, token->last_used_at_us);
    const enum status status = query_run(&query, reason);
    switch (query.code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        reason_set(reason, "there is a token named %.*s already", SLICE_ARGS(token->name));
        return STATUS_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        reason_set(reason, "there is no such team");
        return STATUS_NOT_FOUND;
    default:
        return status;
    }
}

/* At most two rows come, those not revoked first; they are ambiguous if both are of one sort. */
enum status sqlite_token_find(struct store *store, struct slice id_or_name, struct arena *arena,
                              struct store_token *token_out, struct reason *reason)
{
    struct id id;
    const bool is_id = id_parse(id_or_name, &id) == STATUS_OK;
    struct query query =
        query_start(connection_of(store), is_id ? STATEMENT_TOKEN_BY_ID : STATEMENT_TOKEN_BY_NAME);
    if (is_id)
        query_bind_id(&query, 1, &id);
    else
        query_bind_text(&query, 1, id_or_name);
    enum status taken = STATUS_NOT_FOUND;
    if (query_next(&query))
        taken = token_take(&query, arena, token_out, reason);
    if (taken == STATUS_OK && query_next(&query)) {
        const struct store_token second = token_read(&query);
        if ((second.revoked_at_us == 0) == (token_out->revoked_at_us == 0))
            taken = STATUS_EXISTS;
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (taken == STATUS_NOT_FOUND)
        reason_set(reason, "there is no token %.*s", SLICE_ARGS(id_or_name));
    else if (taken == STATUS_EXISTS)
        reason_set(reason, "several tokens are named %.*s; give the id instead",
                   SLICE_ARGS(id_or_name));
    return taken;
}

/* After an UPDATE or DELETE by id: whether it hit anything. */
static enum status run_on_one(struct connection *connection, struct query *query,
                              struct reason *reason)
{
    const enum status status = query_run(query, reason);
    if (status != STATUS_OK || sqlite3_changes(connection->database) > 0)
        return status;
    reason_set(reason, "there is no such token any more");
    return STATUS_NOT_FOUND;
}

enum status sqlite_token_update(struct store *store, const struct store_token *token,
                                struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_TOKEN_UPDATE);
    query_bind_id(&query, 1, &token->id);
    query_bind_time(&query, 2, token->revoked_at_us);
    query_bind_u64(&query, 3, token->updated_at_us);
    return run_on_one(connection, &query, reason);
}

enum status sqlite_token_delete(struct store *store, const struct id *id, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_TOKEN_DELETE);
    query_bind_id(&query, 1, id);
    return run_on_one(connection, &query, reason);
}

static enum status visit_rows(struct query *query, store_token_visitor *visit, void *context,
                              struct reason *reason)
{
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(query)) {
        const struct store_token token = token_read(query);
        if (query->code == SQLITE_OK)
            visited = visit(context, &token);
    }
    const enum status status = query_finish(query, reason);
    return status == STATUS_OK ? visited : status;
}

enum status sqlite_tokens_list(struct store *store, const struct store_page *page,
                               store_token_visitor *visit, void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_TOKENS_LIST);
    query_bind_id(&query, 1, &page->after);
    query_bind_u64(&query, 2, page->limit);
    return visit_rows(&query, visit, context, reason);
}

enum status sqlite_tokens_load(struct store *store, store_token_visitor *visit, void *context,
                               struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_TOKENS_LOAD);
    return visit_rows(&query, visit, context, reason);
}

enum status sqlite_token_used(struct store *store, const struct store_use *use,
                              struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_TOKEN_USED);
    query_bind_id(&query, 1, &use->key_id);
    query_bind_u64(&query, 2, use->used_at_us);
    return query_run(&query, reason);
}
