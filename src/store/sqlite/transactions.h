/* Transactions of the caller, and of an operation of several statements that joins the caller's.
 *
 * Thread: the connection's. */
#ifndef STORE_SQLITE_TRANSACTIONS_H
#define STORE_SQLITE_TRANSACTIONS_H

#include "store/sqlite/connection.h"

struct transaction {
    struct connection *connection;
    bool own; /* begun here; else the caller's */
};

/* Joins the caller's transaction, or begins one. */
MUST_CHECK enum status transaction_join(struct connection *connection,
                                        struct transaction *transaction_out, struct reason *reason);
/* Commits one that was begun here, or rolls it back if `status` is a failure; leaves the caller's
 * open. Returns what it came to. */
MUST_CHECK enum status transaction_leave(struct transaction *transaction, enum status status,
                                         struct reason *reason);

#endif
