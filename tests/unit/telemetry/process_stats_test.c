#include "telemetry/process_stats.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static void descriptors_are_counted_exactly(void **state)
{
    (void)state;
    struct process_stats before;
    struct process_stats after;
    process_stats_read(&before);
    const int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int second = open("/dev/null", O_RDONLY | O_CLOEXEC);
    process_stats_read(&after);
    close(first);
    close(second);
    assert_int_equal(after.open_fds, before.open_fds + 2);

    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(after.max_fds == limit.rlim_cur);
}

static void memory_and_time_are_in_their_units(void **state)
{
    (void)state;
    struct process_stats first;
    struct process_stats second;
    process_stats_read(&first);
    process_stats_read(&second);
    assert_true(first.resident_bytes > 64 * 1024 && first.resident_bytes < first.virtual_bytes);
    assert_int_equal(first.resident_bytes % (uint64_t)sysconf(_SC_PAGESIZE), 0);
    assert_true(first.cpu_ns > 0 && first.cpu_ns < UINT64_C(60000000000));
    assert_true(second.cpu_ns >= first.cpu_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_counted_exactly),
        cmocka_unit_test(memory_and_time_are_in_their_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
