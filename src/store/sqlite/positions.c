/* How far the drain is, and the numbers of its batches. */
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"

enum status sqlite_position_set(struct store *store, const struct store_position *position,
                                struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_POSITION_SET);
    query_bind_i64(&query, 1, (int64_t)position->generation);
    query_bind_u64(&query, 2, position->worker);
    query_bind_i64(&query, 3, (int64_t)position->segment);
    query_bind_i64(&query, 4, (int64_t)position->offset);
    query_bind_i64(&query, 5, (int64_t)position->sequence);
    return query_run(&query, reason);
}

enum status sqlite_position_find(struct store *store, uint64_t generation, uint32_t worker,
                                 struct store_position *position_out, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_POSITION_FIND);
    query_bind_i64(&query, 1, (int64_t)generation);
    query_bind_u64(&query, 2, worker);
    const bool found = query_next(&query);
    if (found) {
        *position_out = (struct store_position){
            .generation = generation,
            .worker = worker,
            .segment = (uint64_t)query_read_i64(&query, 0),
            .offset = (uint64_t)query_read_i64(&query, 1),
            .sequence = (uint64_t)query_read_i64(&query, 2),
        };
    }
    const enum status status = query_finish(&query, reason);
    if (status == STATUS_OK && !found) {
        reason_set(reason, "nothing of this journal was taken over yet");
        return STATUS_NOT_FOUND;
    }
    return status;
}

enum status sqlite_positions_delete(struct store *store, uint64_t generation, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_POSITIONS_DELETE);
    query_bind_i64(&query, 1, (int64_t)generation);
    return query_run(&query, reason);
}

/* The number is kept, so that retention does not make an old one come again. */
enum status sqlite_batch_next(struct store *store, int64_t *batch_out, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_BATCH_NEXT);
    const bool found = query_next(&query);
    const int64_t batch = found ? query_read_i64(&query, 0) : 0;
    /* An UPDATE that returns rows is done when the last one was read. */
    if (found && query_next(&query))
        query.code = SQLITE_CORRUPT;
    const enum status status = query_finish(&query, reason);
    if (status == STATUS_OK && !found) {
        reason_set(reason, "usage_batches has lost its row; restore the database from a backup");
        return STATUS_IO;
    }
    *batch_out = batch;
    return status;
}
