#include "store/sqlite/query.h"

#include <limits.h>
#include <string.h>

#include "base/assert.h"

static void note(struct query *query, int code)
{
    if (query->code == SQLITE_OK)
        query->code = code;
}

struct query query_start(struct connection *connection, enum statement statement)
{
    struct query query = {connection, connection->statements[statement], SQLITE_OK};
    if (connection->in_transaction && sqlite3_get_autocommit(connection->database) != 0) {
        /* SQLite gave the caller's transaction up; what follows must not hold without the rest. */
        query.statement = NULL;
        query.code = SQLITE_ABORT_ROLLBACK;
        return query;
    }
    if (query.statement == NULL) {
        query.code = sqlite3_prepare_v3(connection->database, statement_sql(statement), -1,
                                        SQLITE_PREPARE_PERSISTENT, &query.statement, NULL);
        connection->statements[statement] = query.statement;
    } else {
        ASSERT(!sqlite3_stmt_busy(query.statement));
    }
    return query;
}

void query_bind_id(struct query *query, int parameter, const struct id *id)
{
    query_bind_blob(query, parameter, id->bytes, sizeof(id->bytes));
}

void query_bind_blob(struct query *query, int parameter, const void *bytes, size_t size)
{
    if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_blob64(query->statement, parameter, bytes, size, SQLITE_STATIC);
}

void query_bind_text(struct query *query, int parameter, struct slice text)
{
    if (query->code != SQLITE_OK)
        return;
    if (text.data == NULL)
        query->code = sqlite3_bind_null(query->statement, parameter);
    else
        query->code = sqlite3_bind_text64(query->statement, parameter, text.data, text.size,
                                          SQLITE_STATIC, SQLITE_UTF8);
}

void query_bind_text_or_null(struct query *query, int parameter, struct slice text)
{
    query_bind_text(query, parameter, text.size > 0 ? text : slice_of(NULL, 0));
}

void query_bind_text_or_empty(struct query *query, int parameter, struct slice text)
{
    query_bind_text(query, parameter, text.size > 0 ? text : SLICE(""));
}

static bool id_is_zero(const struct id *id)
{
    static const struct id zero;
    return memcmp(id, &zero, sizeof(zero)) == 0;
}

void query_bind_id_or_null(struct query *query, int parameter, const struct id *id)
{
    /* A blob without an address is NULL. */
    query_bind_blob(query, parameter, id_is_zero(id) ? NULL : id->bytes, sizeof(id->bytes));
}

void query_bind_id_or_empty(struct query *query, int parameter, const struct id *id)
{
    query_bind_blob(query, parameter, id->bytes, id_is_zero(id) ? 0 : sizeof(id->bytes));
}

void query_bind_i64(struct query *query, int parameter, int64_t value)
{
    if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_int64(query->statement, parameter, value);
}

void query_bind_known(struct query *query, int parameter, int64_t value)
{
    if (value >= 0)
        query_bind_i64(query, parameter, value);
    else if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_null(query->statement, parameter);
}

/* SQLite's integers are signed; no time or count of weir's comes near the end of their range. */
void query_bind_u64(struct query *query, int parameter, uint64_t value)
{
    const sqlite3_int64 bound = value > INT64_MAX ? INT64_MAX : (sqlite3_int64)value;
    if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_int64(query->statement, parameter, bound);
}

void query_bind_time(struct query *query, int parameter, uint64_t time_us)
{
    if (time_us != 0)
        query_bind_u64(query, parameter, time_us);
    else if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_null(query->statement, parameter);
}

bool query_next(struct query *query)
{
    if (query->code != SQLITE_OK)
        return false;
    const int code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        query->code = code;
    return false;
}

enum status query_finish(struct query *query, struct reason *reason)
{
    /* The reason is taken first: resetting may overwrite SQLite's message. */
    const enum status status = query->code == SQLITE_OK
                                   ? STATUS_OK
                                   : connection_failure(query->connection, query->code, reason);
    if (query->statement != NULL) {
        sqlite3_reset(query->statement);
        sqlite3_clear_bindings(query->statement);
    }
    return status;
}

enum status query_run(struct query *query, struct reason *reason)
{
    const bool has_row = query_next(query);
    ASSERT(!has_row);
    return query_finish(query, reason);
}

void query_read_blob(struct query *query, int column, void *bytes_out, size_t size)
{
    const void *bytes = sqlite3_column_blob(query->statement, column);
    const int bytes_size = sqlite3_column_bytes(query->statement, column);
    if (bytes == NULL || bytes_size < 0 || (size_t)bytes_size != size) {
        memset(bytes_out, 0, size);
        note(query, SQLITE_CORRUPT);
        return;
    }
    memcpy(bytes_out, bytes, size);
}

struct slice query_read_text(struct query *query, int column)
{
    const void *text = sqlite3_column_text(query->statement, column);
    if (text == NULL && sqlite3_column_type(query->statement, column) != SQLITE_NULL)
        note(query, SQLITE_NOMEM);
    return slice_of(text,
                    text != NULL ? (size_t)sqlite3_column_bytes(query->statement, column) : 0);
}

uint64_t query_read_u64(struct query *query, int column)
{
    const sqlite3_int64 value = sqlite3_column_int64(query->statement, column);
    return value > 0 ? (uint64_t)value : 0;
}

int64_t query_read_i64(struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

int64_t query_read_known(struct query *query, int column)
{
    if (sqlite3_column_type(query->statement, column) == SQLITE_NULL)
        return -1;
    return sqlite3_column_int64(query->statement, column);
}

struct id query_read_id_or_zero(struct query *query, int column)
{
    struct id id = {{0}};
    if (sqlite3_column_bytes(query->statement, column) != 0)
        query_read_blob(query, column, id.bytes, sizeof(id.bytes));
    return id;
}

struct slice query_read_bytes(struct query *query, int column)
{
    const void *bytes = sqlite3_column_blob(query->statement, column);
    const int size = sqlite3_column_bytes(query->statement, column);
    if (bytes == NULL && size > 0)
        note(query, SQLITE_NOMEM);
    return slice_of(bytes, bytes != NULL ? (size_t)size : 0);
}
