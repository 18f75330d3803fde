#include "cli/data_lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "unit/cli/data_dir.h"

static void read_lock_file(char text_out[64])
{
    FILE *file = fopen(data_dir_path("lock"), "r");
    assert_non_null(file);
    text_out[fread(text_out, 1, 63, file)] = '\0';
    (void)fclose(file);
}

static void the_owner_is_named(void **state)
{
    struct data_lock first, second = {.fd = -1};
    struct reason reason = {""};
    char text[64], pid[32];
    struct stat found;
    (void)state;
    assert_int_equal(data_lock_take(data_dir, &first, &reason), STATUS_OK);
    read_lock_file(text);
    (void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    assert_string_equal(text, pid);
    assert_int_equal(stat(data_dir_path("lock"), &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);

    assert_int_equal(data_lock_take(data_dir, &second, &reason), STATUS_EXISTS);
    pid[strlen(pid) - 1] = '\0';
    assert_non_null(strstr(reason.text, data_dir));
    assert_non_null(strstr(reason.text, pid));
    assert_int_equal(second.fd, -1);
    data_lock_release(&first);
}

static void a_lock_that_was_released_can_be_taken(void **state)
{
    struct data_lock lock;
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(data_lock_take(data_dir, &lock, NULL), STATUS_OK);
        data_lock_release(&lock);
        data_lock_release(&lock); /* once more does nothing */
        assert_int_equal(lock.fd, -1);
    }
}

/* A killed process leaves the file, not the lock; a longer pid of it does not shine through. */
static void a_lock_ends_with_its_process(void **state)
{
    struct data_lock lock;
    int outcome = 0;
    char text[64], pid[32];
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(data_lock_take(data_dir, &lock, NULL) == STATUS_OK ? 0 : 1);
    assert_int_equal(waitpid(child, &outcome, 0), child);
    assert_int_equal(outcome, 0);
    data_dir_write("lock", "99999999999999\nand more\n");
    assert_int_equal(data_lock_take(data_dir, &lock, NULL), STATUS_OK);
    read_lock_file(text);
    (void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    assert_string_equal(text, pid);
    data_lock_release(&lock);
}

static void an_owner_that_has_not_written_its_pid_yet_is_unknown(void **state)
{
    struct data_lock lock, second;
    struct reason reason = {""};
    (void)state;
    assert_int_equal(data_lock_take(data_dir, &lock, NULL), STATUS_OK);
    assert_int_equal(ftruncate(lock.fd, 0), 0);
    assert_int_equal(data_lock_take(data_dir, &second, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "(unknown)"));
    data_lock_release(&lock);
}

static void a_folder_that_is_missing_is_named_and_not_made(void **state)
{
    struct data_lock lock;
    struct reason reason = {""};
    (void)state;
    assert_int_equal(data_lock_take("/tmp/weir-no/such", &lock, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "/tmp/weir-no/such"));
    assert_int_not_equal(access("/tmp/weir-no", F_OK), 0);
    data_dir_write("weir.yaml", "");
    assert_int_equal(data_lock_take(data_dir_path("weir.yaml"), &lock, &reason), STATUS_NOT_FOUND);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, data_dir_make, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_owner_is_named),
        IN_FOLDER(a_lock_that_was_released_can_be_taken),
        IN_FOLDER(a_lock_ends_with_its_process),
        IN_FOLDER(an_owner_that_has_not_written_its_pid_yet_is_unknown),
        IN_FOLDER(a_folder_that_is_missing_is_named_and_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
