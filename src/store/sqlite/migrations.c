#include "store/sqlite/migrations.h"

#include <stdbool.h>

#include "store/sqlite/query.h"

/* A step is never changed once it was released; the next one goes to the end. Step 1 is the first.
 * Ids are 16 bytes; times are microseconds since 1970, NULL for "never". */
static const char *const first_tables[] = {
    "CREATE TABLE schema_version ("
    "  version INTEGER NOT NULL PRIMARY KEY,"
    "  applied_at INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE users ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE api_keys ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,"
    "  name TEXT CHECK (name <> ''),"
    "  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    "  hint TEXT NOT NULL,"
    "  models TEXT CHECK (models <> ''),"
    "  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),"
    "  expires_at INTEGER,"
    "  revoked_at INTEGER,"
    "  created_at INTEGER NOT NULL,"
    "  last_used_at INTEGER"
    ") STRICT, WITHOUT ROWID;"

    "CREATE INDEX api_keys_user ON api_keys (user_id);"
    "CREATE INDEX api_keys_name ON api_keys (name) WHERE name IS NOT NULL;"
    /* A revoked key gives its name free. */
    "CREATE UNIQUE INDEX api_keys_user_name ON api_keys (user_id, name)"
    "  WHERE name IS NOT NULL AND revoked_at IS NULL;",
    NULL,
};

/* Each step is a list of texts, up to NULL. */
static const char *const *const steps[] = {first_tables, migrations_ledger_tables,
                                           migrations_governance_tables};

#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))

uint64_t migrations_newest(void)
{
    return STEP_COUNT;
}

/* These few statements run once at start, some before the table they name exists, so they are not
 * among the kept ones. */
static enum status ask_number(struct connection *connection, const char *sql, uint64_t *number_out,
                              struct reason *reason)
{
    struct query query = {connection, NULL, SQLITE_OK};
    query.code = sqlite3_prepare_v2(connection->database, sql, -1, &query.statement, NULL);
    if (query_next(&query))
        *number_out = query_read_u64(&query, 0);
    sqlite3_stmt *statement = query.statement;
    const enum status status = query_finish(&query, reason);
    sqlite3_finalize(statement);
    return status;
}

static enum status refuse_unknown(struct connection *connection, uint64_t version,
                                  struct reason *reason)
{
    if (version <= STEP_COUNT)
        return STATUS_OK;
    reason_set(reason,
               "%s has tables of version %llu, this weir knows up to %llu; run the newer weir that "
               "wrote it",
               sqlite3_db_filename(connection->database, "main"), (unsigned long long)version,
               (unsigned long long)STEP_COUNT);
    return STATUS_UNSUPPORTED;
}

enum status migrations_version(struct connection *connection, uint64_t *version_out,
                               struct reason *reason)
{
    uint64_t tables = 0;
    uint64_t ours = 0;
    enum status status =
        ask_number(connection, "SELECT count(*) FROM sqlite_schema", &tables, reason);
    if (status == STATUS_OK)
        status = ask_number(connection,
                            "SELECT count(*) FROM sqlite_schema "
                            "WHERE type = 'table' AND name = 'schema_version'",
                            &ours, reason);
    if (status != STATUS_OK)
        return status;
    *version_out = 0;
    if (ours == 0) {
        if (tables == 0)
            return STATUS_OK;
        reason_set(reason, "%s is a database, but not one of weir's; move it away",
                   sqlite3_db_filename(connection->database, "main"));
        return STATUS_INVALID;
    }
    status = ask_number(connection, "SELECT max(version) FROM schema_version", version_out, reason);
    return status == STATUS_OK ? refuse_unknown(connection, *version_out, reason) : status;
}

static enum status record_step(struct connection *connection, uint64_t version, uint64_t now_us,
                               struct reason *reason)
{
    struct query query = {connection, NULL, SQLITE_OK};
    query.code = sqlite3_prepare_v2(connection->database,
                                    "INSERT INTO schema_version (version, applied_at) "
                                    "VALUES (?1, ?2)",
                                    -1, &query.statement, NULL);
    query_bind_u64(&query, 1, version);
    query_bind_u64(&query, 2, now_us);
    sqlite3_stmt *statement = query.statement;
    const enum status status = query_run(&query, reason);
    sqlite3_finalize(statement);
    return status;
}

static enum status run_texts(struct connection *connection, const char *const *texts,
                             struct reason *reason)
{
    enum status status = STATUS_OK;
    for (; *texts != NULL && status == STATUS_OK; texts++)
        status = connection_execute(connection, *texts, reason);
    return status;
}

/* One step in its transaction. The version is read again under the lock, since another process may
 * have done the step meanwhile. */
static enum status run_next_step(struct connection *connection, uint64_t now_us, bool *done_out,
                                 struct reason *reason)
{
    enum status status = connection_begin(connection, reason);
    if (status != STATUS_OK)
        return status;
    uint64_t version = 0;
    status = migrations_version(connection, &version, reason);
    *done_out = status == STATUS_OK && version == STEP_COUNT;
    if (status == STATUS_OK && !*done_out) {
        status = run_texts(connection, steps[version], reason);
        if (status == STATUS_OK)
            status = record_step(connection, version + 1, now_us, reason);
    }
    return connection_end(connection, status, reason);
}

enum status migrations_run(struct connection *connection, uint64_t now_us, struct reason *reason)
{
    uint64_t version = 0;
    enum status status = migrations_version(connection, &version, reason);
    bool done = version == STEP_COUNT;
    while (status == STATUS_OK && !done)
        status = run_next_step(connection, now_us, &done, reason);
    return status;
}
