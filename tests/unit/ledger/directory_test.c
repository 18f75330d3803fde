#include "ledger/directory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/ledger/fixture.h"

static struct directory directory;

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

static void touch(const char *name)
{
    const int file = openat(directory.fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT(file >= 0);
    close(file);
}

static void touch_segment(uint64_t generation, uint32_t worker, uint64_t number)
{
    char name[DIRECTORY_NAME_BYTES];
    const struct segment_identity identity = {generation, worker, number};
    directory_segment_name(&identity, name);
    touch(name);
}

static void the_folder_is_for_its_owner_alone(void **state)
{
    (void)state;
    struct stat info;
    assert_int_equal(stat(fixture_path("journal"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct directory other;
    struct reason reason = {""};
    assert_int_equal(directory_open(&other, "/nowhere/at/all", &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, "/nowhere/at/all"));
    directory_close(&other);
}

static void files_are_listed_in_order_and_those_of_others_are_passed_over(void **state)
{
    (void)state;
    struct directory_listing listing;
    static const char *const strangers[] = {"1-0-1.seg",
                                            "readme",
                                            "x.lock",
                                            ".lock",
                                            "0000000007-00-000001.seg.new",
                                            "7.lock",
                                            "0000000007-99999999999-000001.seg",
                                            "0000000007-00-.seg"};
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
        touch(strangers[i]);
    for (unsigned i = 100; i > 0; i--)
        touch_segment(i % 3 + 1, i % 2, i);
    touch("0000000009.lock");
    assert_int_equal(directory_list(&directory, &listing, NULL), STATUS_OK);
    assert_int_equal(listing.segment_count, 100);
    for (size_t i = 1; i < 100; i++) {
        const struct segment_identity *a = &listing.segments[i - 1], *b = &listing.segments[i];
        assert_true(a->generation < b->generation ||
                    (a->generation == b->generation &&
                     (a->worker < b->worker || (a->worker == b->worker && a->number < b->number))));
    }
    assert_int_equal(listing.generation_count, 4);
    assert_int_equal(listing.generations[3], 9);
    directory_listing_free(&listing);
}

static void without_memory_there_is_no_listing(void **state)
{
    (void)state;
    struct directory_listing listing;
    enum status status = STATUS_NO_MEMORY;
    for (unsigned i = 1; i <= 40; i++)
        touch_segment(1, 0, i);
    for (int nth = 0; status != STATUS_OK; nth++) {
        alloc_fail_nth(nth);
        status = directory_list(&directory, &listing, NULL);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK ||
                    (status == STATUS_NO_MEMORY && listing.segments == NULL));
    }
    assert_int_equal(listing.segment_count, 40);
    directory_listing_free(&listing);
}

static void a_generation_is_new_and_locked_while_its_process_lives(void **state)
{
    (void)state;
    struct generation_lock first, second, again;
    assert_int_equal(directory_new_generation(&directory, 500, &first, NULL), STATUS_OK);
    assert_int_equal(first.generation, 501);
    touch_segment(800, 0, 1);
    assert_int_equal(directory_new_generation(&directory, 500, &second, NULL), STATUS_OK);
    assert_int_equal(second.generation, 801);
    assert_int_equal(directory_lock_generation(&directory, 501, &again, NULL), STATUS_EXISTS);
    directory_unlock_generation(&directory, &first, false);
    assert_int_equal(directory_lock_generation(&directory, 501, &again, NULL), STATUS_OK);
    directory_unlock_generation(&directory, &again, true);
    directory_unlock_generation(&directory, &again, true);
    directory_unlock_generation(&directory, &second, true);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 1);
}

static void a_lock_file_that_is_gone_is_made_again_for_its_segments(void **state)
{
    (void)state;
    struct generation_lock lock;
    touch_segment(7, 0, 1);
    assert_int_equal(directory_lock_generation(&directory, 7, &lock, NULL), STATUS_OK);
    directory_unlock_generation(&directory, &lock, true);
}

static void a_segment_is_removed_with_what_was_to_replace_it(void **state)
{
    (void)state;
    const struct segment_identity identity = {7, 0, 1};
    touch_segment(7, 0, 1);
    touch("0000000007-00-000001.seg" DIRECTORY_NEW);
    assert_int_equal(directory_remove_segment(&directory, &identity, NULL), STATUS_OK);
    assert_int_equal(directory_remove_segment(&directory, &identity, NULL), STATUS_OK);
    assert_int_equal(directory_sync(&directory, NULL), STATUS_OK);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, leave)
        TEST(the_folder_is_for_its_owner_alone),
        TEST(a_folder_that_cannot_be_made_is_named),
        TEST(files_are_listed_in_order_and_those_of_others_are_passed_over),
        TEST(without_memory_there_is_no_listing),
        TEST(a_generation_is_new_and_locked_while_its_process_lives),
        TEST(a_lock_file_that_is_gone_is_made_again_for_its_segments),
        TEST(a_segment_is_removed_with_what_was_to_replace_it),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
