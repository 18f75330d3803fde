#include "store/sqlite/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/sqlite/query.h"

#define TALLY_KEY_BYTES_MAX 65536 /* two names */

/* What a primary result code of SQLite's means to whoever runs weir. %s is the file. */
static const struct failure {
    int code;
    enum status status;
    const char *format;
} failures[] = {
    {SQLITE_FULL, STATUS_IO, "the disk is full: %s cannot grow; free some space"},
    {SQLITE_READONLY, STATUS_DENIED,
     "%s may only be read; make it and its folder writable for this user"},
    {SQLITE_PERM, STATUS_DENIED, "%s may not be opened; check its owner and permissions"},
    {SQLITE_AUTH, STATUS_DENIED, "%s may not be opened; check its owner and permissions"},
    {SQLITE_CANTOPEN, STATUS_IO,
     "%s cannot be opened; check that its folder exists and is writable"},
    {SQLITE_BUSY, STATUS_TIMED_OUT, "another process keeps %s locked; try again when it is done"},
    {SQLITE_LOCKED, STATUS_TIMED_OUT, "another process keeps %s locked; try again when it is done"},
    {SQLITE_CORRUPT, STATUS_IO, "%s is damaged; restore it from a backup"},
    {SQLITE_NOTADB, STATUS_INVALID, "%s is not a SQLite database; move it away"},
    {SQLITE_NOMEM, STATUS_NO_MEMORY, "out of memory while working on %s"},
    {SQLITE_ABORT, STATUS_IO, "a change of %s failed before and was undone; begin it anew"},
    {SQLITE_TOOBIG, STATUS_TOO_LARGE, "a value is too large for %s"},
};

static const char *file_of(struct connection *connection)
{
    const char *path = sqlite3_db_filename(connection->database, "main");
    return path != NULL && path[0] != '\0' ? path : "the database";
}

static const struct failure *failure_of(int code)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        if (failures[i].code == (code & 0xff))
            return &failures[i];
    }
    return NULL;
}

static void set_known_reason(const struct failure *failure, const char *path, struct reason *reason)
{
    const char *hole = strstr(failure->format, "%s");
    reason_set(reason, "%.*s%s%s", (int)(hole - failure->format), failure->format, path, hole + 2);
}

enum status connection_failure(struct connection *connection, int code, struct reason *reason)
{
    const struct failure *known = failure_of(code);
    if (known != NULL) {
        set_known_reason(known, file_of(connection), reason);
        return known->status;
    }
    const int system_error = sqlite3_system_errno(connection->database);
    if ((code & 0xff) == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT)) {
        set_known_reason(failure_of(SQLITE_FULL), file_of(connection), reason);
        return STATUS_IO;
    }
    reason_set(reason, "%s: %s", file_of(connection), sqlite3_errmsg(connection->database));
    return (code & 0xff) == SQLITE_CONSTRAINT ? STATUS_INVALID : STATUS_IO;
}

/* SQLite itself would make the file readable for everybody. The file is only opened here if it did
 * not exist: closing a descriptor of a database in use would drop this process' locks on it. */
static enum status make_file(const struct store_config *config, struct reason *reason)
{
    struct stat info;
    if (stat(config->path, &info) == 0)
        return STATUS_OK;
    if (errno != ENOENT) {
        reason_set(reason, "%s cannot be opened: %s", config->path, strerror(errno));
        return errno == EACCES ? STATUS_DENIED : STATUS_IO;
    }
    if (!config->create) {
        reason_set(reason, "there is no database %s; `weir serve` makes it", config->path);
        return STATUS_NOT_FOUND;
    }
    const int file = open(config->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        reason_set(reason, "%s cannot be made: %s", config->path, strerror(errno));
        return errno == EACCES || errno == EROFS ? STATUS_DENIED : STATUS_IO;
    }
    close(file);
    return STATUS_OK;
}

/* Counting its memory costs SQLite a lock at each allocation, and nobody asks. Too late where SQLite is
 * in use already: then it goes on counting. */
static void spare_counting(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum status open_database(struct connection *connection, const struct store_config *config,
                                 struct reason *reason)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, spare_counting);
    const int flags = (config->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(config->path, &connection->database, flags, NULL);
    if (code != SQLITE_OK) {
        const struct failure *known = failure_of(code);
        if (known != NULL)
            set_known_reason(known, config->path, reason);
        else
            reason_set(reason, "%s cannot be opened: %s", config->path, sqlite3_errstr(code));
        return known != NULL ? known->status : STATUS_IO;
    }
    /* Where writing is not allowed, SQLite silently opens for reading. */
    if (!config->read_only && sqlite3_db_readonly(connection->database, "main") != 0)
        return connection_failure(connection, SQLITE_READONLY, reason);
    sqlite3_busy_timeout(connection->database, (int)config->busy_timeout_ms);
    return STATUS_OK;
}

enum status connection_open(const struct store_config *config, struct connection **connection_out,
                            struct reason *reason)
{
    enum status status = make_file(config, reason);
    if (status != STATUS_OK)
        return status;
    struct connection *connection = alloc_zeroed(1, sizeof(*connection));
    if (connection == NULL) {
        reason_set(reason, "out of memory while opening %s", config->path);
        return STATUS_NO_MEMORY;
    }
    tally_init(&connection->pending);
    buffer_init(&connection->tally_key, TALLY_KEY_BYTES_MAX);
    status = open_database(connection, config, reason);
    if (status != STATUS_OK) {
        connection_close(&connection);
        return status;
    }
    *connection_out = connection;
    return STATUS_OK;
}

void connection_close(struct connection **connection)
{
    if (*connection == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize((*connection)->statements[i]);
    sqlite3_close((*connection)->database);
    tally_fini(&(*connection)->pending);
    buffer_fini(&(*connection)->tally_key);
    alloc_free(*connection);
    *connection = NULL;
}

static enum status use_write_ahead_log(struct connection *connection, struct reason *reason)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(connection->database, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    enum status status = STATUS_OK;
    if (code != SQLITE_ROW) {
        status = connection_failure(connection, code, reason);
    } else if (mode == NULL || strcmp(mode, "wal") != 0) {
        reason_set(reason, "the file system of %s cannot hold a write-ahead log; use a local one",
                   file_of(connection));
        status = STATUS_UNSUPPORTED;
    }
    sqlite3_finalize(statement);
    return status;
}

enum status connection_configure(struct connection *connection, struct reason *reason)
{
    enum status status = STATUS_OK;
    if (sqlite3_db_readonly(connection->database, "main") == 0)
        status = use_write_ahead_log(connection, reason);
    if (status != STATUS_OK)
        return status;
    return connection_execute(connection,
                              "PRAGMA synchronous = NORMAL;"
                              "PRAGMA foreign_keys = ON;"
                              "PRAGMA trusted_schema = OFF;"
                              /* KiB: the sums of the hour and the day stay in memory. */
                              "PRAGMA cache_size = -8192;",
                              reason);
}

enum status connection_execute(struct connection *connection, const char *sql,
                               struct reason *reason)
{
    const int code = sqlite3_exec(connection->database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : connection_failure(connection, code, reason);
}

enum status connection_begin(struct connection *connection, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_BEGIN);
    return query_run(&query, reason);
}

enum status connection_commit(struct connection *connection, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_COMMIT);
    return query_run(&query, reason);
}

enum status connection_end(struct connection *connection, enum status status, struct reason *reason)
{
    if (status == STATUS_OK)
        status = connection_commit(connection, reason);
    /* Some errors have rolled back already. */
    if (status != STATUS_OK && sqlite3_get_autocommit(connection->database) == 0) {
        struct query query = query_start(connection, STATEMENT_ROLLBACK);
        const enum status undone = query_run(&query, NULL);
        (void)undone; /* the first failure is the one to tell */
    }
    return status;
}
