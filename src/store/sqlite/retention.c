/* What has become too old. The caller deletes in pieces, so that nobody waits long for the lock. */
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/transactions.h"

static enum status oldest_batch(struct connection *connection, bool *found_out, int64_t *batch_out,
                                struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_BATCH_OLDEST);
    *found_out = query_next(&query) && sqlite3_column_type(query.statement, 0) != SQLITE_NULL;
    if (*found_out)
        *batch_out = query_read_i64(&query, 0);
    return query_finish(&query, reason);
}

static enum status check_batch(struct connection *connection, int64_t batch, uint64_t before_us,
                               bool *old_out, uint64_t *rows_out, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_BATCH_IS_OLD);
    query_bind_i64(&query, 1, batch);
    query_bind_u64(&query, 2, before_us);
    if (query_next(&query)) {
        *rows_out = query_read_u64(&query, 0);
        *old_out = query_read_u64(&query, 1) != 0;
    }
    return query_finish(&query, reason);
}

enum status sqlite_retention_next(struct store *store, uint64_t before_us, int64_t *batch_out,
                                  uint64_t *rows_out, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    bool found = false;
    bool old = false;
    enum status status = oldest_batch(connection, &found, batch_out, reason);
    if (status == STATUS_OK && found)
        status = check_batch(connection, *batch_out, before_us, &old, rows_out, reason);
    if (status == STATUS_OK && !old) {
        reason_set(reason, "no batch of usage is old enough");
        return STATUS_NOT_FOUND;
    }
    return status;
}

static enum status delete_by(struct connection *connection, enum statement statement, int64_t batch,
                             uint64_t rows_max, struct reason *reason)
{
    struct query query = query_start(connection, statement);
    query_bind_i64(&query, 1, batch);
    query_bind_u64(&query, 2, rows_max);
    return query_run(&query, reason);
}

enum status sqlite_retention_delete(struct store *store, int64_t batch, uint64_t rows_max,
                                    uint64_t *deleted_out, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    uint64_t deleted = 0;
    struct transaction transaction;
    enum status status = transaction_join(connection, &transaction, reason);
    if (status != STATUS_OK)
        return status;
    status = delete_by(connection, STATEMENT_RETENTION_ATTEMPTS, batch, rows_max, reason);
    if (status == STATUS_OK)
        status = delete_by(connection, STATEMENT_RETENTION_ROWS, batch, rows_max, reason);
    if (status == STATUS_OK)
        deleted = (uint64_t)sqlite3_changes64(connection->database);
    status = transaction_leave(&transaction, status, reason);
    *deleted_out = status == STATUS_OK ? deleted : 0;
    return status;
}
