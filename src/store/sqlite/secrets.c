#include "store/sqlite/overlay.h"
#include "store/sqlite/query.h"

enum status sqlite_secret_put(struct store *store, const struct store_secret *secret,
                              struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_SECRET_PUT);
    query_bind_id(&query, 1, &secret->id);
    query_bind_text(&query, 2, secret->provider);
    query_bind_blob(&query, 3, secret->master_id, sizeof(secret->master_id));
    query_bind_blob(&query, 4, secret->nonce, sizeof(secret->nonce));
    query_bind_blob(&query, 5, secret->sealed.data, secret->sealed.size);
    query_bind_text_or_empty(&query, 6, secret->hint);
    query_bind_u64(&query, 7, secret->created_at_us);
    query_bind_u64(&query, 8, secret->updated_at_us);
    return query_run(&query, reason);
}

static struct store_secret secret_read(struct query *query)
{
    struct store_secret secret = {
        .provider = query_read_text(query, 1),
        .sealed = query_read_bytes(query, 4),
        .hint = query_read_text(query, 5),
        .created_at_us = query_read_u64(query, 6),
        .updated_at_us = query_read_u64(query, 7),
    };
    query_read_blob(query, 0, secret.id.bytes, sizeof(secret.id.bytes));
    query_read_blob(query, 2, secret.master_id, sizeof(secret.master_id));
    query_read_blob(query, 3, secret.nonce, sizeof(secret.nonce));
    return secret;
}

static enum status refuse_unknown(struct slice provider, struct reason *reason)
{
    reason_set(reason, "there is no secret of provider %.*s", SLICE_ARGS(provider));
    return STATUS_NOT_FOUND;
}

enum status sqlite_secret_find(struct store *store, struct slice provider, struct arena *arena,
                               struct store_secret *secret_out, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_SECRET_FIND);
    query_bind_text_or_empty(&query, 1, provider);
    const bool found = query_next(&query);
    bool kept = true;
    if (found) {
        *secret_out = secret_read(&query);
        secret_out->provider = arena_copy(arena, secret_out->provider);
        secret_out->sealed = arena_copy(arena, secret_out->sealed);
        secret_out->hint = arena_copy(arena, secret_out->hint);
        kept = secret_out->provider.data != NULL && secret_out->sealed.data != NULL &&
               secret_out->hint.data != NULL;
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (!found)
        return refuse_unknown(provider, reason);
    if (kept)
        return STATUS_OK;
    reason_set(reason, "out of memory while reading a secret");
    return STATUS_NO_MEMORY;
}

enum status sqlite_secret_delete(struct store *store, struct slice provider, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_SECRET_DELETE);
    query_bind_text_or_empty(&query, 1, provider);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK || sqlite3_changes(connection->database) > 0)
        return status;
    return refuse_unknown(provider, reason);
}

enum status sqlite_secrets_list(struct store *store, store_secret_visitor *visit, void *context,
                                struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_SECRETS_LIST);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        const struct store_secret secret = secret_read(&query);
        if (query.code == SQLITE_OK)
            visited = visit(context, &secret);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}
