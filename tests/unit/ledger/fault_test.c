#include "ledger/fault.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "unit/ledger/fixture.h"

#define PAGES 4

static char *map_file(void)
{
    const int file = open(fixture_path("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT(file >= 0 && ftruncate(file, PAGES * SEGMENT_PAGE_BYTES) == 0);
    char *bytes =
        mmap(NULL, PAGES * SEGMENT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ASSERT(bytes != MAP_FAILED);
    close(file);
    memset(bytes, 'x', PAGES * SEGMENT_PAGE_BYTES);
    return bytes;
}

static void a_store_to_a_page_that_is_gone_goes_on_in_private_memory(void **state)
{
    (void)state;
    char *bytes = map_file();
    const unsigned before = fault_count();
    fault_install();
    assert_true(fault_watch(bytes, PAGES * SEGMENT_PAGE_BYTES));
    assert_false(fault_has_failed(bytes));
    assert_int_equal(truncate(fixture_path("file"), SEGMENT_PAGE_BYTES), 0);
    ((volatile char *)bytes)[2 * SEGMENT_PAGE_BYTES + 5] = 'y';
    assert_true(fault_has_failed(bytes));
    assert_int_equal(fault_count(), before + 1);
    assert_int_equal(((volatile char *)bytes)[2 * SEGMENT_PAGE_BYTES + 5], 'y');
    assert_int_equal(((volatile char *)bytes)[2 * SEGMENT_PAGE_BYTES], 0);
    assert_int_equal(((volatile char *)bytes)[7], 'x');
    fault_unwatch(bytes);
    assert_false(fault_has_failed(bytes));
    munmap(bytes, PAGES * SEGMENT_PAGE_BYTES);
}

static void a_bus_error_in_memory_that_is_not_watched_ends_the_process(void **state)
{
    (void)state;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        char *bytes = map_file();
        fault_install();
        ASSERT(truncate(fixture_path("file"), 0) == 0);
        ((volatile char *)bytes)[0] = 'y';
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static void the_table_takes_so_many_and_no_more(void **state)
{
    (void)state;
    static char places[FAULT_SEGMENTS_MAX + 1];
    size_t count = 0;
    while (count <= FAULT_SEGMENTS_MAX && fault_watch(&places[count], 1))
        count++;
    assert_int_equal(count, FAULT_SEGMENTS_MAX);
    fault_unwatch(&places[7]);
    assert_true(fault_watch(&places[FAULT_SEGMENTS_MAX], 1));
    for (size_t i = 0; i <= FAULT_SEGMENTS_MAX; i++)
        fault_unwatch(&places[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)
        TEST(a_store_to_a_page_that_is_gone_goes_on_in_private_memory),
        TEST(a_bus_error_in_memory_that_is_not_watched_ends_the_process),
        TEST(the_table_takes_so_many_and_no_more),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
