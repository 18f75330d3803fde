/* One connection to the SQLite file, and what its errors mean.
 *
 * Thread: one at a time. Memory: the connection owns its statements. */
#ifndef STORE_SQLITE_CONNECTION_H
#define STORE_SQLITE_CONNECTION_H

#include <sqlite3.h>

#include "base/buffer.h"
#include "store/sqlite/file.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/tally.h"
#include "store/store_driver.h"

struct connection {
    struct store store; /* first, so that a struct store * is one of these */
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared at their first use */
    bool in_transaction;                       /* of the caller: between store_begin and its end */
    struct tally pending; /* what the commit adds to usage_hourly_all; see sums.h */
    struct buffer tally_key;
    struct file_identity file, log; /* as they were when opened */
    bool folder_synced;             /* the names of both files are on the disk */
    bool sync_failed; /* what the system keeps of the write-ahead log is not to be trusted */
};

static inline struct connection *connection_of(struct store *store)
{
    return (struct connection *)store;
}

/* Opens (and, if the config says so, makes) the file; changes nothing in it.
 * STATUS_NOT_FOUND, STATUS_DENIED, STATUS_NO_MEMORY, STATUS_IO. */
MUST_CHECK enum status connection_open(const struct store_config *config,
                                       struct connection **connection_out, struct reason *reason);
/* Frees *connection, if any, and sets it to NULL. */
void connection_close(struct connection **connection);

/* Sets how the connection works from now on: write-ahead log, foreign keys.
 * STATUS_UNSUPPORTED: the file system cannot hold a write-ahead log. */
MUST_CHECK enum status connection_configure(struct connection *connection, struct reason *reason);

/* The status for a result code of SQLite's, with the reason in words. */
enum status connection_failure(struct connection *connection, int code, struct reason *reason);

/* Runs SQL that the program holds as a constant and that has no result. */
MUST_CHECK enum status connection_execute(struct connection *connection, const char *sql,
                                          struct reason *reason);

/* A transaction that takes the write lock at once. */
MUST_CHECK enum status connection_begin(struct connection *connection, struct reason *reason);
/* Commits, or leaves the transaction as it is. */
MUST_CHECK enum status connection_commit(struct connection *connection, struct reason *reason);
/* Commits if `status` is STATUS_OK, else rolls back. Returns what it came to. */
MUST_CHECK enum status connection_end(struct connection *connection, enum status status,
                                      struct reason *reason);

#endif
