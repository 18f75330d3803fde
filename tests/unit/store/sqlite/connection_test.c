#include "store/sqlite/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/alloc.h"
#include "unit/store/sqlite/database.h"

static enum status open_status(struct reason *reason)
{
    struct store_config config = database_config();
    struct store *store = NULL;
    const enum status status = store_open(&config, &store, reason);
    store_close(&store);
    return status;
}

static void a_missing_file_is_made_only_if_asked_for(void **state)
{
    (void)state;
    struct store_config config = database_config();
    struct store *store = NULL;
    struct reason reason = {""};
    config.create = false;
    assert_int_equal(store_open(&config, &store, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "weir.db"));
    assert_int_not_equal(access(database_path(), F_OK), 0);
    assert_int_equal(open_status(NULL), STATUS_OK);
    assert_int_equal(store_open(&config, &store, &reason), STATUS_OK);
    store_close(&store);
}

static void only_the_owner_can_read_the_file(void **state)
{
    (void)state;
    struct stat info;
    const mode_t former = umask(0);
    struct store *store = database_open();
    database_add_user(store, 1, "ada");
    assert_int_equal(stat(database_path(), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s-wal", database_path());
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    umask(former);
    store_close(&store);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    (void)state;
    struct reason reason = {""};
    FILE *file = fopen(database_path(), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        (void)fputs("not a database\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(open_status(&reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "not a SQLite database"));
}

static void a_folder_that_is_not_there_is_said_by_name(void **state)
{
    (void)state;
    const struct store_config config = {.path = "/nonexistent/weir.db", .create = true};
    struct store *store = NULL;
    struct reason reason = {""};
    assert_int_equal(store_open(&config, &store, &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, "/nonexistent/weir.db"));
}

static void a_database_that_another_holds_locked_times_out(void **state)
{
    (void)state;
    struct reason reason = {""};
    struct store *store = database_open();
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(database_path(), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);

    const struct store_user user = database_user(1, "ada");
    assert_int_equal(store_user_create(store, &user, &reason), STATUS_TIMED_OUT);
    assert_non_null(strstr(reason.text, "locked"));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_user_create(store, &user, &reason), STATUS_OK);
    sqlite3_close(other);
    store_close(&store);
}

static void a_full_disk_is_said_and_what_was_there_stays(void **state)
{
    (void)state;
    struct reason reason = {""};
    struct store *store = database_open();
    database_add_user(store, 1, "ada");
    sqlite3 *database = connection_of(store)->database;
    assert_int_equal(sqlite3_exec(database, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    enum status status = STATUS_OK;
    char name[64];
    for (unsigned i = 2; i < 5000 && status == STATUS_OK; i++) {
        (void)snprintf(name, sizeof(name), "a name of some length, number %u", i);
        const struct store_user user = database_user(i, name);
        status = store_user_create(store, &user, &reason);
    }
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(reason.text, "disk is full"));

    char memory[1024];
    struct arena arena;
    struct store_user found;
    arena_init(&arena, memory, sizeof(memory), 0);
    assert_int_equal(store_user_find(store, SLICE("ada"), &arena, &found, NULL), STATUS_OK);
    arena_fini(&arena);
    store_close(&store);
}

static void a_damaged_file_is_said_to_be_damaged(void **state)
{
    (void)state;
    struct reason reason = {""};
    struct store *store = database_open();
    char name[64];
    for (unsigned i = 1; i < 500; i++) {
        (void)snprintf(name, sizeof(name), "a name of some length, number %u", i);
        database_add_user(store, i, name);
    }
    store_close(&store);
    FILE *file = fopen(database_path(), "r+");
    assert_non_null(file);
    for (long page = 2; page < 12; page++) { /* all but the first, which holds the schema */
        assert_int_equal(fseek(file, page * 4096, SEEK_SET), 0);
        for (int i = 0; i < 512; i++)
            (void)fputs("\xff\xff\xff\xff\xff\xff\xff\xff", file);
    }
    assert_int_equal(fclose(file), 0);

    const struct store_config config = database_config();
    char memory[1024];
    struct arena arena;
    struct store_user found;
    arena_init(&arena, memory, sizeof(memory), 0);
    assert_int_equal(store_open(&config, &store, &reason), STATUS_OK);
    assert_int_equal(
        store_user_find(store, SLICE("a name of some length, number 77"), &arena, &found, &reason),
        STATUS_IO);
    assert_non_null(strstr(reason.text, "damaged"));
    store_close(&store);
    arena_fini(&arena);
}

static void a_file_that_may_only_be_read_is_refused(void **state)
{
    (void)state;
    struct reason reason = {""};
    struct store *store = database_open();
    store_close(&store);
    assert_int_equal(chmod(database_path(), 0400), 0);
    if (access(database_path(), W_OK) == 0)
        skip(); /* permissions do not bind the superuser */
    assert_int_equal(open_status(&reason), STATUS_DENIED);
    assert_non_null(strstr(reason.text, "only be read"));
}

static void open_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct reason reason = {""};
    alloc_fail_nth(0);
    assert_int_equal(open_status(&reason), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_true(reason.text[0] != '\0');
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, database_make_folder, database_remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_file_is_made_only_if_asked_for),
        TEST(only_the_owner_can_read_the_file),
        TEST(a_file_that_is_no_database_is_refused),
        TEST(a_folder_that_is_not_there_is_said_by_name),
        TEST(a_database_that_another_holds_locked_times_out),
        TEST(a_full_disk_is_said_and_what_was_there_stays),
        TEST(a_damaged_file_is_said_to_be_damaged),
        TEST(a_file_that_may_only_be_read_is_refused),
        TEST(open_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
