#include "ledger/segment_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "unit/ledger/fixture.h"

#define SIZE SEGMENT_BYTES_MIN

static struct directory directory;
static const struct segment_identity first = {7, 0, 1}, second = {7, 1, 2};

static int make(void **state)
{
    return fixture_make(state) == 0 &&
                   directory_open(&directory, fixture_path("journal"), NULL) == STATUS_OK
               ? 0
               : -1;
}

static int leave(void **state)
{
    directory_close(&directory);
    return fixture_remove(state);
}

/* What the file of that name holds. */
static struct slice read_file(const struct segment_identity *identity, ino_t *inode_out)
{
    static char bytes[SIZE];
    char name[DIRECTORY_NAME_BYTES];
    struct stat info;
    directory_segment_name(identity, name);
    const int file = openat(directory.fd, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return (struct slice){0};
    ASSERT(fstat(file, &info) == 0);
    *inode_out = info.st_ino;
    const ssize_t size = read(file, bytes, sizeof(bytes));
    close(file);
    return slice_of(bytes, (size_t)size);
}

static void a_new_file_has_all_its_blocks_and_its_header(void **state)
{
    (void)state;
    struct segment_file file;
    struct segment_identity found;
    struct stat info;
    ino_t inode;
    assert_int_equal(segment_file_create(&directory, &first, SIZE, &file, NULL), STATUS_OK);
    assert_int_equal(fstat(file.fd, &info), 0);
    assert_true(info.st_blocks * 512 >= SIZE);
    assert_int_equal(segment_read_header(read_file(&first, &inode), &found, NULL), STATUS_OK);
    assert_int_equal(found.number, 1);
    struct segment_file same;
    struct reason reason = {""};
    assert_int_equal(segment_file_create(&directory, &first, SIZE, &same, &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, "-000001.seg"));
    segment_file_destroy(&directory, &file, true);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void a_recycled_file_has_the_new_name_and_header_and_keeps_its_blocks(void **state)
{
    (void)state;
    struct segment_file file;
    struct segment_identity found;
    ino_t inode[2];
    assert_int_equal(segment_file_create(&directory, &first, SIZE, &file, NULL), STATUS_OK);
    read_file(&first, &inode[0]);
    assert_int_equal(segment_file_sync(&directory, &file, 0, SIZE, NULL), STATUS_OK);
    assert_true(file.is_named);
    assert_int_equal(segment_file_recycle(&directory, &file, &second, NULL), STATUS_OK);
    assert_false(file.is_named);
    assert_null(read_file(&first, &inode[1]).data);
    assert_int_equal(segment_read_header(read_file(&second, &inode[1]), &found, NULL), STATUS_OK);
    assert_int_equal(found.number, 2);
    assert_int_equal(found.worker, 1);
    assert_int_equal(inode[0], inode[1]);
    segment_file_destroy(&directory, &file, true);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void a_file_whose_name_is_gone_is_not_recycled(void **state)
{
    (void)state;
    struct segment_file file;
    assert_int_equal(segment_file_create(&directory, &first, SIZE, &file, NULL), STATUS_OK);
    assert_int_equal(directory_remove_segment(&directory, &first, NULL), STATUS_OK);
    assert_int_equal(segment_file_recycle(&directory, &file, &second, NULL), STATUS_IO);
    assert_int_equal(file.identity.number, 1);
    segment_file_destroy(&directory, &file, true);
}

static void a_replaced_file_holds_what_the_mapping_does(void **state)
{
    (void)state;
    struct segment_file file;
    ino_t inode[2];
    assert_int_equal(segment_file_create(&directory, &first, SIZE, &file, NULL), STATUS_OK);
    assert_int_equal(segment_file_populate(&file, 0, SIZE, NULL), STATUS_OK);
    memset(file.bytes + SEGMENT_PAGE_BYTES, 'x', SIZE - SEGMENT_PAGE_BYTES);
    read_file(&first, &inode[0]);
    assert_int_equal(segment_file_rescue(&directory, &file, NULL), STATUS_OK);
    assert_true(file.is_replaced);
    const struct slice held = read_file(&first, &inode[1]);
    assert_int_not_equal(inode[0], inode[1]);
    assert_int_equal(held.size, SIZE);
    assert_memory_equal(held.data, file.bytes, SIZE);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 1);
    segment_file_destroy(&directory, &file, true);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void pages_that_a_file_has_no_more_cannot_be_prepared(void **state)
{
    (void)state;
    struct segment_file file;
    struct reason reason = {""};
    assert_int_equal(segment_file_create(&directory, &first, SIZE, &file, NULL), STATUS_OK);
    assert_int_equal(ftruncate(file.fd, SEGMENT_PAGE_BYTES), 0);
    assert_int_equal(
        segment_file_populate(&file, SEGMENT_PAGE_BYTES, 2 * SEGMENT_PAGE_BYTES, &reason),
        STATUS_IO);
    assert_int_not_equal(reason.text[0], 0);
    segment_file_destroy(&directory, &file, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, leave)
        TEST(a_new_file_has_all_its_blocks_and_its_header),
        TEST(a_recycled_file_has_the_new_name_and_header_and_keeps_its_blocks),
        TEST(a_file_whose_name_is_gone_is_not_recycled),
        TEST(a_replaced_file_holds_what_the_mapping_does),
        TEST(pages_that_a_file_has_no_more_cannot_be_prepared),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
