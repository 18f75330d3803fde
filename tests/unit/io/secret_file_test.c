#include "io/secret_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static char folder[] = "/tmp/weir-secret-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* Each test has a folder of its own. */
static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path_of("secrets/token"));
    unlink(path_of("secrets/.token.new"));
    rmdir(path_of("secrets/token"));
    rmdir(path_of("secrets"));
    return rmdir(folder);
}

static void create(const char *content)
{
    assert_int_equal(secret_file_create(folder, "token", slice_from_text(content), NULL),
                     STATUS_OK);
}

static enum status read_back(struct buffer *content, struct reason *reason)
{
    buffer_init(content, 64);
    return secret_file_read(folder, "token", content, reason);
}

static void assert_refused(enum status status, const char *hint)
{
    struct buffer content;
    struct reason reason = {""};
    assert_int_equal(read_back(&content, &reason), status);
    assert_non_null(strstr(reason.text, hint));
    buffer_fini(&content);
}

static void what_was_made_is_read_back_without_the_newline(void **state)
{
    (void)state;
    create("s3cret");
    struct buffer content;
    assert_int_equal(read_back(&content, NULL), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&content), SLICE("s3cret")));
    buffer_fini(&content);
}

static void only_the_owner_can_read_what_was_made(void **state)
{
    (void)state;
    const mode_t former = umask(0);
    create("s3cret");
    umask(former);
    struct stat info;
    assert_int_equal(stat(path_of("secrets"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(stat(path_of("secrets/token"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_nlink, 1); /* the draft is gone */
}

static void a_file_that_is_there_is_not_replaced(void **state)
{
    (void)state;
    create("first");
    assert_int_equal(secret_file_create(folder, "token", SLICE("second"), NULL), STATUS_EXISTS);
    struct buffer content;
    assert_int_equal(read_back(&content, NULL), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&content), SLICE("first")));
    buffer_fini(&content);
}

static void a_draft_that_a_killed_process_left_is_no_hindrance(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("secrets"), 0700), 0);
    FILE *draft = fopen(path_of("secrets/.token.new"), "w");
    assert_non_null(draft);
    fclose(draft);
    create("s3cret");
    assert_int_not_equal(access(path_of("secrets/.token.new"), F_OK), 0);
}

static void a_missing_file_or_folder_is_not_found(void **state)
{
    (void)state;
    assert_refused(STATUS_NOT_FOUND, "secrets/token");
    assert_int_equal(mkdir(path_of("secrets"), 0700), 0);
    assert_refused(STATUS_NOT_FOUND, "secrets/token");
}

static void a_file_that_others_may_read_is_refused_with_the_remedy(void **state)
{
    (void)state;
    create("s3cret");
    assert_int_equal(chmod(path_of("secrets/token"), 0640), 0);
    assert_refused(STATUS_DENIED, "chmod 600");
}

static void a_folder_that_others_may_enter_is_refused_with_the_remedy(void **state)
{
    (void)state;
    create("s3cret");
    assert_int_equal(chmod(path_of("secrets"), 0755), 0);
    assert_refused(STATUS_DENIED, "chmod 700");
    assert_int_equal(secret_file_create(folder, "other", SLICE("x"), NULL), STATUS_DENIED);
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("secrets"), 0700), 0);
    assert_int_equal(mkdir(path_of("secrets/token"), 0700), 0);
    assert_refused(STATUS_INVALID, "no regular file");
    assert_int_equal(rmdir(path_of("secrets/token")), 0);
    assert_int_equal(mkfifo(path_of("secrets/token"), 0600), 0);
    assert_refused(STATUS_INVALID, "no regular file");
}

static void a_file_longer_than_the_buffer_takes_is_refused(void **state)
{
    (void)state;
    char content[65];
    memset(content, 'x', sizeof(content));
    assert_int_equal(secret_file_create(folder, "token", slice_of(content, 65), NULL), STATUS_OK);
    assert_refused(STATUS_TOO_LARGE, "longer");
}

static void reading_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    create("s3cret");
    struct buffer content;
    alloc_fail_nth(0);
    assert_int_equal(read_back(&content, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    buffer_fini(&content);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

static void replacing_makes_the_file_or_changes_it_whole(void **state)
{
    (void)state;
    struct buffer content;
    const char *texts[] = {"first", "another, longer one", "3"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(secret_file_replace(folder, "token", slice_from_text(texts[i]), NULL),
                         STATUS_OK);
        assert_int_equal(read_back(&content, NULL), STATUS_OK);
        assert_true(slice_equal(buffer_slice(&content), slice_from_text(texts[i])));
        buffer_fini(&content);
        assert_int_equal(access(path_of("secrets/.token.new"), F_OK), -1);
    }
}

static void renaming_takes_the_place_of_what_was_there(void **state)
{
    (void)state;
    struct buffer content;
    create("former");
    assert_int_equal(secret_file_replace(folder, "token.next", SLICE("next"), NULL), STATUS_OK);
    assert_int_equal(secret_file_rename(folder, "token.next", "token", NULL), STATUS_OK);
    assert_int_equal(read_back(&content, NULL), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&content), SLICE("next")));
    buffer_fini(&content);
    assert_int_equal(access(path_of("secrets/token.next"), F_OK), -1);
    assert_int_equal(secret_file_rename(folder, "token.next", "token", NULL), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_made_is_read_back_without_the_newline),
        TEST(only_the_owner_can_read_what_was_made),
        TEST(a_file_that_is_there_is_not_replaced),
        TEST(a_draft_that_a_killed_process_left_is_no_hindrance),
        TEST(a_missing_file_or_folder_is_not_found),
        TEST(a_file_that_others_may_read_is_refused_with_the_remedy),
        TEST(a_folder_that_others_may_enter_is_refused_with_the_remedy),
        TEST(what_is_no_regular_file_is_refused_without_waiting),
        TEST(a_file_longer_than_the_buffer_takes_is_refused),
        TEST(reading_survives_the_failure_of_each_allocation),
        TEST(replacing_makes_the_file_or_changes_it_whole),
        TEST(renaming_takes_the_place_of_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
