#include "store/sqlite/migrations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/store/sqlite/database.h"

static enum status open_again(struct reason *reason)
{
    const struct store_config config = database_config();
    struct store *store = NULL;
    const enum status status = store_open(&config, &store, reason);
    store_close(&store);
    return status;
}

static uint64_t ask(const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(database_path(), &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

static void a_new_file_gets_the_newest_tables_and_says_when(void **state)
{
    (void)state;
    struct store *store = database_open();
    store_close(&store);
    assert_null(store);
    assert_int_equal(ask("SELECT max(version) FROM schema_version"), migrations_newest());
    assert_int_equal(ask("SELECT count(*) FROM schema_version"), migrations_newest());
    assert_int_equal(ask("SELECT min(applied_at) FROM schema_version"), 42);
}

static void a_second_start_changes_nothing(void **state)
{
    (void)state;
    struct store *store = database_open();
    database_add_user(store, 1, "ada");
    store_close(&store);
    assert_int_equal(open_again(NULL), STATUS_OK);
    assert_int_equal(ask("SELECT count(*) FROM users"), 1);
    assert_int_equal(ask("SELECT count(*) FROM schema_version"), migrations_newest());
}

static void a_database_of_a_newer_weir_is_refused(void **state)
{
    (void)state;
    struct reason reason = {""};
    struct store *store = database_open();
    store_close(&store);
    database_execute("INSERT INTO schema_version VALUES (9999, 1)");
    assert_int_equal(open_again(&reason), STATUS_UNSUPPORTED);
    assert_non_null(strstr(reason.text, "9999"));
}

static void a_database_that_is_not_weirs_is_refused_and_left_alone(void **state)
{
    (void)state;
    struct reason reason = {""};
    database_execute("CREATE TABLE invoices (number INTEGER)");
    assert_int_equal(open_again(&reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "not one of weir's"));
    assert_int_equal(ask("SELECT count(*) FROM sqlite_schema"), 1);
    assert_int_equal(ask("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 0);
}

/* As a process that was killed leaves it: the version's table is there, no step is done. */
static void a_version_table_without_a_version_is_no_database_to_work_on(void **state)
{
    (void)state;
    database_execute("CREATE TABLE schema_version (version INTEGER, applied_at INTEGER)");
    assert_int_not_equal(open_again(NULL), STATUS_OK);
    assert_int_equal(ask("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 1);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, database_make_folder, database_remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_gets_the_newest_tables_and_says_when),
        TEST(a_second_start_changes_nothing),
        TEST(a_database_of_a_newer_weir_is_refused),
        TEST(a_database_that_is_not_weirs_is_refused_and_left_alone),
        TEST(a_version_table_without_a_version_is_no_database_to_work_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
