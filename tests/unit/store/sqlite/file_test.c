#include "store/sqlite/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "unit/store/ledger.h"
#include "unit/store/sqlite/faults.h"

static char other_path[160];

static void move_away(const char *suffix)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s%s", database_path(), suffix);
    (void)snprintf(other_path, sizeof(other_path), "%s.away", path);
    assert_int_equal(rename(path, other_path), 0);
}

static void copy_back(const char *suffix)
{
    char path[128];
    char bytes[4096];
    (void)snprintf(path, sizeof(path), "%s%s", database_path(), suffix);
    FILE *from = fopen(other_path, "r");
    FILE *to = fopen(path, "w");
    assert_true(from != NULL && to != NULL);
    for (size_t size; (size = fread(bytes, 1, sizeof(bytes), from)) > 0;)
        assert_int_equal(fwrite(bytes, 1, size, to), size);
    assert_int_equal(fclose(from), 0);
    assert_int_equal(fclose(to), 0);
}

static void put_back(const char *suffix)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s%s", database_path(), suffix);
    assert_int_equal(rename(other_path, path), 0);
}

static void a_database_that_is_where_it_was_is_fine(void **state)
{
    database_add_user(*state, 1, "ada");
    assert_int_equal(store_check_file(*state, NULL), STATUS_OK);
    assert_int_equal(store_sync(*state, NULL), STATUS_OK);
    assert_int_equal(store_check_file(*state, NULL), STATUS_OK);
}

static void a_database_or_log_that_was_deleted_or_replaced_is_noticed(void **state)
{
    static const char *const suffixes[] = {"", "-wal"};
    struct reason reason = {""};
    for (size_t i = 0; i < 2; i++) {
        move_away(suffixes[i]);
        assert_int_equal(store_check_file(*state, &reason), STATUS_NOT_FOUND);
        assert_non_null(strstr(reason.text, i == 0 ? "weir.db was" : "weir.db-wal was"));
        copy_back(suffixes[i]);
        assert_int_equal(store_check_file(*state, NULL), STATUS_NOT_FOUND);
        put_back(suffixes[i]);
        assert_int_equal(store_check_file(*state, NULL), STATUS_OK);
    }
}

static void a_sync_syncs_the_log_and_copies_nothing(void **state)
{
    database_add_user(*state, 1, "ada");
    faults.syncs = 0;
    faults_arm(FAULT_DISK_FULL, 0);
    assert_int_equal(store_sync(*state, NULL), STATUS_OK);
    faults_arm(FAULT_NONE, -1);
    assert_int_equal(faults.syncs, 1);
}

static void a_sync_needs_no_lock(void **state)
{
    sqlite3 *other = NULL;
    database_add_user(*state, 1, "ada");
    assert_int_equal(sqlite3_open(database_path(), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_sync(*state, NULL), STATUS_OK);
    sqlite3_close(other);
}

static void a_sync_right_after_opening_works(void **state)
{
    assert_int_equal(store_sync(*state, NULL), STATUS_OK);
}

static void after_a_failed_sync_everything_is_written_anew(void **state)
{
    struct reason reason = {""};
    char log[128];
    struct stat info;
    (void)snprintf(log, sizeof(log), "%s-wal", database_path());
    database_add_user(*state, 1, "ada");
    faults_arm(FAULT_SYNC, 0);
    assert_int_equal(store_sync(*state, &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, "weir.db-wal"));
    assert_int_equal(store_sync(*state, &reason), STATUS_IO);
    faults_arm(FAULT_NONE, -1);
    assert_int_equal(stat(log, &info), 0);
    assert_true(info.st_size > 0);
    assert_int_equal(store_sync(*state, NULL), STATUS_OK);
    assert_int_equal(stat(log, &info), 0);
    assert_int_equal(info.st_size, 0); /* all of it is in the database's own file, synced */
    faults.syncs = 0;
    assert_int_equal(store_sync(*state, NULL), STATUS_OK);
    assert_int_equal(faults.syncs, 1);
    assert_int_equal(ledger_ask("SELECT count(*) FROM users"), 1);
}

static void writing_anew_waits_for_readers_and_says_so(void **state)
{
    sqlite3 *other = NULL;
    database_add_user(*state, 1, "ada");
    assert_int_equal(sqlite3_open(database_path(), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT * FROM users", NULL, NULL, NULL),
                     SQLITE_OK);
    database_add_user(*state, 2, "bob");
    faults_arm(FAULT_SYNC, 0);
    assert_int_equal(store_sync(*state, NULL), STATUS_IO);
    faults_arm(FAULT_NONE, -1);
    assert_int_equal(store_sync(*state, NULL), STATUS_TIMED_OUT);
    sqlite3_close(other);
    assert_int_equal(store_sync(*state, NULL), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_open, ledger_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_database_that_is_where_it_was_is_fine),
        TEST(a_database_or_log_that_was_deleted_or_replaced_is_noticed),
        TEST(a_sync_syncs_the_log_and_copies_nothing),
        TEST(a_sync_needs_no_lock),
        TEST(a_sync_right_after_opening_works),
        TEST(after_a_failed_sync_everything_is_written_anew),
        TEST(writing_anew_waits_for_readers_and_says_so),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
