#include "store/sqlite/transactions.h"

#include "base/assert.h"
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/sums.h"

static enum status finish(struct connection *connection, enum status status, struct reason *reason)
{
    if (status == STATUS_OK)
        status = sums_flush(connection, reason);
    status = connection_end(connection, status, reason);
    tally_clear(&connection->pending);
    return status;
}

enum status transaction_join(struct connection *connection, struct transaction *transaction_out,
                             struct reason *reason)
{
    *transaction_out = (struct transaction){connection, !connection->in_transaction};
    return transaction_out->own ? connection_begin(connection, reason) : STATUS_OK;
}

enum status transaction_leave(struct transaction *transaction, enum status status,
                              struct reason *reason)
{
    return transaction->own ? finish(transaction->connection, status, reason) : status;
}

enum status sqlite_begin(struct store *store, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    ASSERT(!connection->in_transaction);
    const enum status status = connection_begin(connection, reason);
    connection->in_transaction = status == STATUS_OK;
    return status;
}

enum status sqlite_commit(struct store *store, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    ASSERT(connection->in_transaction);
    /* What SQLite gave up cannot be committed: connection_commit() fails then. */
    enum status status = sums_flush(connection, reason);
    if (status == STATUS_OK)
        status = connection_commit(connection, reason);
    if (status != STATUS_OK)
        sqlite_rollback(store);
    connection->in_transaction = false;
    return status;
}

void sqlite_rollback(struct store *store)
{
    struct connection *connection = connection_of(store);
    connection->in_transaction = false;
    const enum status status = finish(connection, STATUS_CANCELLED, NULL);
    ASSERT(status == STATUS_CANCELLED);
}
