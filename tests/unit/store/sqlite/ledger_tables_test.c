/* The tables as others see them: the view, the checks, and how an older database gets them. */
#include "store/sqlite/migrations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/store/ledger.h"

static void the_view_has_dollars_times_and_names_as_text(void **state)
{
    struct store_usage usage = ledger_usage(1);
    database_add_user(*state, 1, "ada");
    database_add_key(*state, 2, 1, "laptop");
    usage.timestamp_us = UINT64_C(1732454400000042);
    usage.cost_nanousd = INT64_C(12000000034);
    ledger_add(*state, &usage);
    assert_string_equal(ledger_ask_text("SELECT time FROM usage"), "2024-11-24T13:20:00.000042Z");
    assert_string_equal(ledger_ask_text("SELECT typeof(cost) || cost FROM usage"),
                        "text12.000000034");
    assert_string_equal(ledger_ask_text("SELECT id FROM usage"),
                        "01000000-0000-0000-0000-000000000001");
    assert_string_equal(ledger_ask_text("SELECT user || '/' || key || '/' || key_id FROM usage"),
                        "ada/laptop/01000000-0000-0000-0000-000000000002");
    assert_string_equal(ledger_ask_text("SELECT team_id FROM usage"), "NULL");
    assert_int_equal(ledger_ask("SELECT output_tokens FROM usage"), 20);
}

static void the_view_tells_free_from_unknown_and_keeps_deleted_users(void **state)
{
    const struct id ada = database_id(1);
    struct store_usage usage = ledger_usage(1);
    database_add_user(*state, 1, "ada");
    usage.cost_nanousd = 0;
    ledger_add(*state, &usage);
    assert_int_equal(store_user_delete(*state, &ada, NULL, NULL), STATUS_OK);
    assert_string_equal(ledger_ask_text("SELECT cost FROM usage"), "0.000000000");
    assert_string_equal(ledger_ask_text("SELECT user FROM usage"), "NULL");
    assert_string_equal(ledger_ask_text("SELECT user_id FROM usage"),
                        "01000000-0000-0000-0000-000000000001");
    assert_int_equal(store_usage_set_cost(*state, &usage, STORE_UNKNOWN, SLICE(""), NULL),
                     STATUS_OK);
    assert_string_equal(ledger_ask_text("SELECT cost FROM usage"), "NULL");
    assert_int_equal(store_usage_set_cost(*state, &usage, INT64_MAX, SLICE(""), NULL), STATUS_OK);
    assert_string_equal(ledger_ask_text("SELECT cost FROM usage"), "9223372036.854775807");
}

static void the_tables_refuse_what_cannot_be(void **state)
{
    static const char *const statements[] = {
        "UPDATE usage_logs SET cost_nanousd = -1",
        "UPDATE usage_logs SET cost_nanousd = 0.5",
        "UPDATE usage_logs SET input_tokens = -1",
        "UPDATE usage_logs SET id = x'00'",
        "UPDATE usage_logs SET user_id = x''",
        "UPDATE usage_logs SET answered = 2",
        "UPDATE usage_logs SET idempotency_hash = x'00'",
        "UPDATE usage_logs SET status = 0",
        "UPDATE usage_hourly SET hour = hour + 1",
        "UPDATE usage_daily SET day = day + 3600000000",
        "UPDATE usage_hourly SET cost_nanousd = -1",
        "UPDATE usage_batches SET only_row = 2",
        "INSERT INTO audit_log VALUES (1, 1, '', '', '', '', x'00', x'00')",
    };
    const struct store_usage usage = ledger_usage(1);
    ledger_add(*state, &usage);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(database_path(), &database), SQLITE_OK);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        assert_int_equal(sqlite3_exec(database, statements[i], NULL, NULL, NULL) & 0xff,
                         SQLITE_CONSTRAINT);
    sqlite3_close(database);
}

static void a_row_has_at_most_three_indexes(void **state)
{
    (void)state;
    assert_in_range(ledger_ask("SELECT count(*) FROM pragma_index_list('usage_logs')"), 1, 3);
}

/* A database as version 1 left it. */
static const char version_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY,"
    "  applied_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE users (id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),"
    "  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE api_keys (id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,"
    "  name TEXT CHECK (name <> ''), hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    "  hint TEXT NOT NULL, models TEXT CHECK (models <> ''),"
    "  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)), expires_at INTEGER,"
    "  revoked_at INTEGER, created_at INTEGER NOT NULL, last_used_at INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX api_keys_user ON api_keys (user_id);"
    "CREATE INDEX api_keys_name ON api_keys (name) WHERE name IS NOT NULL;"
    "CREATE UNIQUE INDEX api_keys_user_name ON api_keys (user_id, name)"
    "  WHERE name IS NOT NULL AND revoked_at IS NULL;"
    "INSERT INTO schema_version VALUES (1, 7);"
    "INSERT INTO users VALUES (x'01000000000000000000000000000001', 'ada', 0, 5, 6);"
    "INSERT INTO api_keys VALUES (x'01000000000000000000000000000002',"
    "  x'01000000000000000000000000000001', 'laptop', zeroblob(32), 'abcd', NULL, 0, NULL, NULL,"
    "  8, 9);";

static void a_database_of_version_1_keeps_its_users_and_keys(void **state)
{
    (void)state;
    char memory[1024];
    struct arena arena;
    struct store_user user;
    struct store_key key;
    database_execute(version_1);
    struct store *store = database_open();
    arena_init(&arena, memory, sizeof(memory), 0);
    assert_int_equal(store_user_find(store, SLICE("ada"), &arena, &user, NULL), STATUS_OK);
    assert_int_equal(user.updated_at_us, 6);
    assert_int_equal(store_key_find(store, SLICE("laptop"), &arena, &key, NULL), STATUS_OK);
    assert_int_equal(key.last_used_at_us, 9);
    arena_fini(&arena);
    const struct store_usage usage = ledger_usage(1);
    ledger_add(store, &usage);
    store_close(&store);
    assert_string_equal(ledger_ask_text("SELECT user || '/' || key FROM usage"), "ada/laptop");
    assert_int_equal(ledger_ask("SELECT max(version) FROM schema_version"), migrations_newest());
    assert_int_equal(ledger_ask("SELECT min(applied_at) FROM schema_version"), 7);
}

static void tables_got_by_steps_are_those_of_a_new_database(void **state)
{
    static const char shape[] = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema "
                                "WHERE name NOT LIKE 'sqlite_%' ORDER BY name)";
    (void)state;
    char expected[256];
    struct store *store = database_open();
    (void)snprintf(expected, sizeof(expected), "%s", ledger_ask_text(shape));
    store_close(&store);
    assert_int_equal(database_remove_folder(NULL), 0);
    assert_int_equal(database_make_folder(NULL), 0);
    database_execute(version_1);
    store = database_open();
    assert_string_equal(ledger_ask_text(shape), expected);
    store_close(&store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_open, ledger_close)
#define TEST_OF_FILE(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, database_make_folder, database_remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_view_has_dollars_times_and_names_as_text),
        TEST(the_view_tells_free_from_unknown_and_keeps_deleted_users),
        TEST(the_tables_refuse_what_cannot_be),
        TEST(a_row_has_at_most_three_indexes),
        TEST_OF_FILE(a_database_of_version_1_keeps_its_users_and_keys),
        TEST_OF_FILE(tables_got_by_steps_are_those_of_a_new_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
