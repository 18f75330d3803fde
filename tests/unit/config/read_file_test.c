#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

static char folder[] = "/tmp/weir-read-file-XXXXXX";
static char path[sizeof(folder) + 8];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_bytes(size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        assert_int_not_equal(fputc('a' + (int)(i % 26), file), EOF);
    assert_int_equal(fclose(file), 0);
}

static enum status read_at_most(size_t size_max, size_t *size_out, struct reason *reason)
{
    struct buffer content;
    buffer_init(&content, size_max);
    const enum status status = config_read_file(NULL, path, &content, reason);
    *size_out = content.size;
    buffer_fini(&content);
    return status;
}

static void a_file_is_read_whole_up_to_its_bound(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 200000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct reason reason = {""};
        size_t size;
        write_bytes(sizes[i]);
        assert_int_equal(read_at_most(200000, &size, &reason), STATUS_OK);
        assert_int_equal(size, sizes[i]);
        assert_int_equal(read_at_most(sizes[i], &size, &reason), STATUS_OK);
        if (sizes[i] > 0) {
            assert_int_equal(read_at_most(sizes[i] - 1, &size, &reason), STATUS_TOO_LARGE);
            assert_non_null(strstr(reason.text, path));
        }
    }
}

static void a_file_that_is_not_there_is_told_from_one_that_cannot_be_read(void **state)
{
    (void)state;
    struct buffer content;
    struct reason reason = {""};
    buffer_init(&content, 100);
    unlink(path);
    assert_int_equal(config_read_file(NULL, path, &content, &reason), STATUS_NOT_FOUND);
    assert_int_equal(config_read_file(NULL, folder, &content, &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, folder));
    if (getuid() != 0) {
        write_bytes(1);
        chmod(path, 0);
        assert_int_equal(config_read_file(NULL, path, &content, &reason), STATUS_DENIED);
    }
    buffer_fini(&content);
}

static void it_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    write_bytes(200000);
    for (int nth = 0;; nth++) {
        struct reason reason = {""};
        size_t size;
        alloc_fail_nth(nth);
        const enum status status = read_at_most(200000, &size, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_true(nth > 0);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_up_to_its_bound),
        cmocka_unit_test(a_file_that_is_not_there_is_told_from_one_that_cannot_be_read),
        cmocka_unit_test(it_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
