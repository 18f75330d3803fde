/* One run of a prepared statement.
 *
 * query_start(), bind each parameter, query_next() while rows come, query_finish(). A failure on
 * the way is kept, so it is looked at once; finishing is always needed and always safe. While a
 * query is under way its statement cannot be started again: a visitor does not call the store.
 * Thread: the connection's. Memory: bound bytes are borrowed until query_finish(); column slices
 * hold until the next query_next(). */
#ifndef STORE_SQLITE_QUERY_H
#define STORE_SQLITE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/slice.h"
#include "store/sqlite/connection.h"

struct query {
    struct connection *connection;
    sqlite3_stmt *statement;
    int code; /* of SQLite; the first failure stays */
};

struct query query_start(struct connection *connection, enum statement statement);
void query_bind_id(struct query *query, int parameter, const struct id *id);
void query_bind_blob(struct query *query, int parameter, const void *bytes, size_t size);
/* NULL where data is NULL. */
void query_bind_text(struct query *query, int parameter, struct slice text);
/* NULL where the text is empty. */
void query_bind_text_or_null(struct query *query, int parameter, struct slice text);
/* NULL where all bytes of the id are zero. */
void query_bind_id_or_null(struct query *query, int parameter, const struct id *id);
/* Never NULL: an empty text, or a blob without bytes for an id of zeros. */
void query_bind_text_or_empty(struct query *query, int parameter, struct slice text);
void query_bind_id_or_empty(struct query *query, int parameter, const struct id *id);
void query_bind_u64(struct query *query, int parameter, uint64_t value);
void query_bind_i64(struct query *query, int parameter, int64_t value);
/* NULL where the value is negative. */
void query_bind_known(struct query *query, int parameter, int64_t value);
/* NULL where the time is 0. */
void query_bind_time(struct query *query, int parameter, uint64_t time_us);

/* True if there is a (further) row to read. */
bool query_next(struct query *query);
/* Ends the query: STATUS_OK, or the failure it met. */
MUST_CHECK enum status query_finish(struct query *query, struct reason *reason);
/* For statements without rows: runs and finishes. */
MUST_CHECK enum status query_run(struct query *query, struct reason *reason);

/* Columns of the current row. A value of the wrong size fails the query as damaged. */
void query_read_blob(struct query *query, int column, void *bytes_out, size_t size);
struct slice query_read_text(struct query *query, int column);
uint64_t query_read_u64(struct query *query, int column);
int64_t query_read_i64(struct query *query, int column);
/* -1 where it is NULL. */
int64_t query_read_known(struct query *query, int column);
/* Zeros where it is NULL or has no bytes. */
struct id query_read_id_or_zero(struct query *query, int column);
/* The bytes of a blob of any size. */
struct slice query_read_bytes(struct query *query, int column);

#endif
