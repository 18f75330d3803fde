/* Requests that are open while their journal segment is gone. */
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"

enum status sqlite_open_insert(struct store *store, const struct store_open *open,
                               struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_OPEN_INSERT);
    query_bind_id(&query, 1, &open->id);
    query_bind_i64(&query, 2, (int64_t)open->generation);
    query_bind_u64(&query, 3, open->worker);
    query_bind_blob(&query, 4, open->record.size > 0 ? open->record.data : "", open->record.size);
    return query_run(&query, reason);
}

enum status sqlite_open_delete(struct store *store, const struct id *id, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_OPEN_DELETE);
    query_bind_id(&query, 1, id);
    return query_run(&query, reason);
}

enum status sqlite_opens_list(struct store *store, uint64_t generation, store_open_visitor *visit,
                              void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_OPENS_LIST);
    query_bind_i64(&query, 1, (int64_t)generation);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        struct store_open open = {
            .generation = (uint64_t)query_read_i64(&query, 1),
            .worker = (uint32_t)query_read_u64(&query, 2),
            .record = query_read_bytes(&query, 3),
        };
        query_read_blob(&query, 0, open.id.bytes, sizeof(open.id.bytes));
        if (query.code == SQLITE_OK)
            visited = visit(context, &open);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}
