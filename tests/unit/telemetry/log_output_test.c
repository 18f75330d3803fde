#include "telemetry/log_internal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static char bytes[256 * 1024];

static uint64_t in_ms(uint64_t ms)
{
    return clock_monotonic_ns() + ms * NS_PER_MS;
}

static void init_output(struct log_output *output, int fd)
{
    *output = (struct log_output){.fd = fd};
    pthread_mutex_init(&output->lock, NULL);
}

static void *read_all(void *argument)
{
    const int fd = *(const int *)argument;
    size_t total = 0;
    char part[3000];
    for (ssize_t size; (size = read(fd, part, sizeof(part))) > 0;)
        total += (size_t)size;
    return (void *)total;
}

/* Larger than the pipe, so that the write has to go on where the pipe was full. */
static void write_through_pipe(int writer_flags, uint64_t deadline_ns)
{
    int ends[2];
    pthread_t reader;
    void *total;
    struct log_output output;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, writer_flags), 0);
    init_output(&output, ends[1]);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &ends[0]), 0);
    assert_int_equal(log_output_write(&output, slice_of(bytes, sizeof(bytes)), deadline_ns),
                     STATUS_OK);
    close(ends[1]);
    pthread_join(reader, &total);
    assert_int_equal((size_t)total, sizeof(bytes));
    assert_int_equal(output.written_bytes, sizeof(bytes));
    assert_int_equal(output.lost_bytes, 0);
    close(ends[0]);
}

static void all_bytes_get_through_a_small_pipe(void **state)
{
    (void)state;
    write_through_pipe(0, 0);
    write_through_pipe(O_NONBLOCK, 0);
    write_through_pipe(0, in_ms(20000));
    write_through_pipe(O_NONBLOCK, in_ms(20000));
}

static void a_full_pipe_is_given_up_at_the_deadline(void **state)
{
    (void)state;
    int ends[2];
    struct log_output output;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    init_output(&output, ends[1]);
    const uint64_t deadline_ns = in_ms(30);
    assert_int_equal(log_output_write(&output, slice_of(bytes, sizeof(bytes)), deadline_ns),
                     STATUS_TIMED_OUT);
    assert_true(clock_monotonic_ns() >= deadline_ns);
    assert_true(output.written_bytes > 0);
    assert_int_equal(output.written_bytes + output.lost_bytes, sizeof(bytes));
    close(ends[0]);
    close(ends[1]);
}

static void a_reader_that_left_costs_the_bytes_and_nothing_else(void **state)
{
    (void)state;
    int ends[2];
    struct log_output output;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    init_output(&output, ends[1]);
    assert_int_equal(log_output_write(&output, SLICE("gone\n"), 0), STATUS_IO);
    assert_int_equal(log_output_write(&output, SLICE("gone\n"), in_ms(1000)), STATUS_IO);
    assert_int_equal(output.lost_bytes, 10);
    close(ends[1]);
}

static void a_lock_that_is_not_to_be_had_does_not_stop_the_last_words(void **state)
{
    (void)state;
    int ends[2];
    char text[16];
    struct log_output output;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    init_output(&output, ends[1]);
    pthread_mutex_lock(&output.lock);
    assert_int_equal(log_output_write(&output, SLICE("last\n"), in_ms(20)), STATUS_OK);
    pthread_mutex_unlock(&output.lock);
    assert_int_equal(read(ends[0], text, sizeof(text)), 5);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes_get_through_a_small_pipe),
        cmocka_unit_test(a_full_pipe_is_given_up_at_the_deadline),
        cmocka_unit_test(a_reader_that_left_costs_the_bytes_and_nothing_else),
        cmocka_unit_test(a_lock_that_is_not_to_be_had_does_not_stop_the_last_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
