#include "telemetry/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "telemetry/log_internal.h"

static uint64_t fixed_time_us(void)
{
    return 1700000000123456;
}

static struct log_config json_config(int fd)
{
    return (struct log_config){
        .fd = fd,
        .format = LOG_FORMAT_JSON,
        .level = LOG_LEVEL_INFO,
        .ring_bytes = LOG_RING_BYTES_MIN,
        .version = "1.2.3",
        .realtime_us = fixed_time_us,
    };
}

static struct log *log_to(int fd)
{
    const struct log_config config = json_config(fd);
    struct log *log = NULL;
    assert_int_equal(log_create(&config, &log), STATUS_OK);
    return log;
}

static int memory_file(void)
{
    const int fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* What the file holds, with a zero byte. The caller frees it. */
static char *read_file(int fd)
{
    const off_t size = lseek(fd, 0, SEEK_END);
    char *text = alloc_bytes((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    text[size] = '\0';
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

static void fill_access(struct log_access *access, uint64_t time_us, const char *model)
{
    log_access_init(access);
    access->time_us = time_us;
    access->figures.status = 200;
    access->text[ACCESS_TEXT_MODEL] = slice_from_text(model);
}

static void what_was_logged_is_written_by_the_end(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_producer *producer = NULL;
    struct log_access access;
    assert_int_equal(log_start(log), STATUS_OK);
    assert_int_equal(log_producer_open(log, "weir-w0", &producer), STATUS_OK);
    fill_access(&access, 5, "smollm2");
    log_access(producer, &access);
    log_write(producer, LOG_LEVEL_WARN, "config", "line %d", 3);
    log_producer_close(&producer);
    assert_null(producer);
    assert_int_equal(log_destroy(&log), STATUS_OK);
    assert_null(log);

    char *text = read_file(fd);
    assert_int_equal(count_of(text, "\n"), 2);
    assert_non_null(strstr(text, "\"weir.model\":\"smollm2\""));
    assert_non_null(strstr(text, "2023-11-14T22:13:20.123456Z\",\"log.level\":\"warn\","
                                 "\"message\":\"line 3\""));
    alloc_free(text);
    close(fd);
}

static void records_of_a_log_that_never_started_are_written_too(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_producer *producer = NULL;
    assert_int_equal(log_producer_open(log, "main", &producer), STATUS_OK);
    log_write(producer, LOG_LEVEL_INFO, "cli", "early");
    assert_int_equal(log_destroy(&log), STATUS_OK);

    char *text = read_file(fd);
    assert_int_equal(count_of(text, "\"message\":\"early\""), 1);
    alloc_free(text);
    close(fd);
}

static void records_of_several_threads_are_merged_by_time(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_producer *producers[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(log_producer_open(log, "weir-w", &producers[i]), STATUS_OK);
    for (uint64_t time_us = 0; time_us < 30; time_us++) {
        struct log_access access;
        char model[16];
        snprintf(model, sizeof(model), "m%02u", (unsigned)time_us);
        fill_access(&access, time_us, model);
        log_access(producers[time_us * 7 % 3], &access);
    }
    assert_int_equal(log_destroy(&log), STATUS_OK);

    char *text = read_file(fd);
    const char *at = text;
    for (unsigned i = 0; i < 30; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "\"weir.model\":\"m%02u\"", i);
        at = strstr(at, expected);
        assert_non_null(at);
    }
    alloc_free(text);
    close(fd);
}

static void the_level_holds_from_the_next_record_on(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_producer *producer = NULL;
    struct log_access access;
    assert_int_equal(log_producer_open(log, "main", &producer), STATUS_OK);
    assert_false(log_enabled(producer, LOG_LEVEL_DEBUG));
    log_write(producer, LOG_LEVEL_DEBUG, "x", "no 1");
    log_set_level(log, LOG_LEVEL_DEBUG);
    log_write(producer, LOG_LEVEL_DEBUG, "x", "yes 1");
    log_set_level(log, LOG_LEVEL_WARN);
    assert_true(log_enabled(producer, LOG_LEVEL_WARN));
    log_write(producer, LOG_LEVEL_INFO, "x", "no 2");
    log_write_now(log, LOG_LEVEL_INFO, "x", "no 3");
    fill_access(&access, 1, "no 4");
    log_access(producer, &access);
    fill_access(&access, 2, "yes 2");
    access.figures.status = 503;
    log_access(producer, &access);
    fill_access(&access, 3, "yes 3");
    access.figures.outcome = OUTCOME_UPSTREAM_BROKEN;
    log_access(producer, &access);
    assert_int_equal(log_destroy(&log), STATUS_OK);

    char *text = read_file(fd);
    assert_int_equal(count_of(text, "\"no "), 0);
    assert_int_equal(count_of(text, "\"yes "), 3);
    alloc_free(text);
    close(fd);
}

static void a_full_ring_drops_and_the_log_says_how_many(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_producer *producer = NULL;
    struct log_stats stats;
    assert_int_equal(log_producer_open(log, "weir-w7", &producer), STATUS_OK);
    const unsigned total = 1000;
    for (unsigned i = 0; i < total; i++) {
        struct log_access access;
        fill_access(&access, i, "smollm2");
        log_access(producer, &access);
    }
    log_stats(log, &stats);
    assert_true(stats.dropped_records > 0 && stats.dropped_records < total);
    assert_int_equal(log_start(log), STATUS_OK);
    assert_int_equal(log_destroy(&log), STATUS_OK);

    char *text = read_file(fd);
    char expected[96];
    snprintf(expected, sizeof(expected), "%u log records of weir-w7 were dropped",
             (unsigned)stats.dropped_records);
    assert_int_equal(count_of(text, expected), 1);
    assert_int_equal(count_of(text, "smollm2"), total - stats.dropped_records);
    alloc_free(text);
    close(fd);
}

static void drops_of_a_closed_producer_stay_counted(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_producer *producer = NULL;
    struct log_stats stats;
    assert_int_equal(log_producer_open(log, "weir-w7", &producer), STATUS_OK);
    for (unsigned i = 0; i < 100; i++)
        log_write(producer, LOG_LEVEL_INFO, "x", "%0900u", i);
    log_producer_close(&producer);
    log_stats(log, &stats);
    const uint64_t dropped = stats.dropped_records;
    assert_true(dropped > 0);
    assert_true(log_drain(log)); /* takes the records */
    log_report_drops(log);
    assert_false(log_drain(log)); /* frees the producer */
    assert_null(log->producers[0]);
    log_stats(log, &stats);
    assert_int_equal(stats.dropped_records, dropped);
    assert_int_equal(log_destroy(&log), STATUS_OK);
    close(fd);
}

static void a_message_before_the_start_is_there_at_once(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_stats stats;
    log_write_now(log, LOG_LEVEL_ERROR, "cli", "port %d is in use", 8000);
    char *text = read_file(fd);
    assert_int_equal(count_of(text, "\"message\":\"port 8000 is in use\""), 1);
    alloc_free(text);
    log_stats(log, &stats);
    assert_int_equal(stats.written_records, 1);
    assert_int_equal(stats.written_bytes, lseek(fd, 0, SEEK_END));
    assert_int_equal(log_destroy(&log), STATUS_OK);
    close(fd);
}

/* Waits for the pipe, for less than the log thread sleeps by itself. */
static bool comes_within_ms(int fd, int wait_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, wait_ms) == 1;
}

static bool falls_asleep(struct log *log)
{
    const uint64_t until_ns = clock_monotonic_ns() + 5000 * NS_PER_MS;
    while (atomic_load(&log->sleeping) == 0 && clock_monotonic_ns() < until_ns)
        sched_yield();
    return atomic_load(&log->sleeping) == 1;
}

static void a_record_wakes_a_sleeping_log(void **state)
{
    (void)state;
    int ends[2];
    char text[1024];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct log *log = log_to(ends[1]);
    struct log_producer *producer = NULL;
    assert_int_equal(log_producer_open(log, "main", &producer), STATUS_OK);
    assert_int_equal(log_start(log), STATUS_OK);
    for (int round = 0; round < 2; round++) {
        assert_true(falls_asleep(log));
        log_write(producer, LOG_LEVEL_INFO, "x", "awake");
        assert_int_equal(atomic_load(&log->sleeping), 0);
        assert_true(comes_within_ms(ends[0], 800));
        assert_true(read(ends[0], text, sizeof(text)) > 0);
    }
    assert_int_equal(log_destroy(&log), STATUS_OK);
    close(ends[0]);
    close(ends[1]);
}

static int thread_count(void)
{
    char text[2048];
    const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const ssize_t size = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, "Threads:");
    return line != NULL ? (int)strtol(line + 8, NULL, 10) : 0;
}

static void fill_pipe(int fd)
{
    static const char bytes[4096];
    const int flags = fcntl(fd, F_GETFL);
    assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(fd, bytes, sizeof(bytes)) > 0)
        continue;
    assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

/* Behind a full pipe: gives the log thread something to be stuck with, then fills the ring. */
static void stall(struct log_producer *producer)
{
    struct log_stats stats = {0};
    log_write(producer, LOG_LEVEL_INFO, "x", "stuck");
    while (atomic_load(&producer->ring.tail) == 0)
        sched_yield();
    while (stats.dropped_records == 0) {
        log_write(producer, LOG_LEVEL_INFO, "x", "%0900u", 7);
        log_stats(producer->log, &stats);
    }
}

/* stall() comes back, so the producer was not held up; nor are the two that ask and open. */
static void a_stalled_reader_stalls_nobody_and_is_given_up_at_the_end(void **state)
{
    (void)state;
    int ends[2];
    const int threads_before = thread_count();
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fill_pipe(ends[1]);
    struct log *log = log_to(ends[1]);
    struct log_producer *producer = NULL;
    struct log_producer *other = NULL;
    assert_int_equal(log_producer_open(log, "main", &producer), STATUS_OK);
    assert_int_equal(log_start(log), STATUS_OK);
    stall(producer);
    assert_int_equal(log_producer_open(log, "other", &other), STATUS_OK);

    const uint64_t before_ns = clock_monotonic_ns();
    assert_int_equal(log_destroy(&log), STATUS_TIMED_OUT);
    assert_true(clock_monotonic_ns() - before_ns < 5000 * NS_PER_MS);
    close(ends[0]); /* the thread that was left behind gets on and frees the log */
    while (thread_count() > threads_before)
        sched_yield();
    /* The pipe's other end stays open: nothing orders its closing after that thread's last write. */
}

struct reader {
    int fd;
    size_t size;
    char text[4 * 1024 * 1024];
};

static void *read_to_the_end(void *argument)
{
    struct reader *reader = argument;
    ssize_t size = 1;
    while (size > 0 && reader->size < sizeof(reader->text) - 1) {
        size =
            read(reader->fd, reader->text + reader->size, sizeof(reader->text) - 1 - reader->size);
        reader->size += size > 0 ? (size_t)size : 0;
    }
    return NULL;
}

static void a_reader_that_goes_on_gets_the_rest(void **state)
{
    (void)state;
    static struct reader reader;
    int ends[2];
    pthread_t thread;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fill_pipe(ends[1]);
    struct log *log = log_to(ends[1]);
    struct log_producer *producer = NULL;
    assert_int_equal(log_producer_open(log, "main", &producer), STATUS_OK);
    assert_int_equal(log_start(log), STATUS_OK);
    stall(producer);
    reader.fd = ends[0];
    assert_int_equal(pthread_create(&thread, NULL, read_to_the_end, &reader), 0);
    assert_int_equal(log_destroy(&log), STATUS_OK);
    close(ends[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    const char *lines = reader.text + slice_find_byte(slice_of(reader.text, reader.size), '{');
    assert_non_null(strstr(lines, "\"message\":\"stuck\""));
    assert_non_null(strstr(lines, " log records of main were dropped"));
    assert_int_equal(count_of(lines, "{\"@timestamp\":"), count_of(lines, "\n"));
    close(ends[0]);
}

static void a_reader_that_left_is_no_reason_to_stop(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    struct log *log = log_to(ends[1]);
    struct log_producer *producer = NULL;
    assert_int_equal(log_producer_open(log, "main", &producer), STATUS_OK);
    assert_int_equal(log_start(log), STATUS_OK);
    log_write(producer, LOG_LEVEL_INFO, "x", "nobody reads this");
    assert_int_equal(log_destroy(&log), STATUS_IO);
    close(ends[1]);
}

#define STRESS_THREADS 3
#define STRESS_RECORDS 5000

struct stress {
    struct log *log;
    pthread_t thread;
    char name[8];
};

static void *log_much(void *argument)
{
    struct stress *stress = argument;
    struct log_producer *producer = NULL;
    if (log_producer_open(stress->log, stress->name, &producer) != STATUS_OK)
        return NULL;
    for (unsigned i = 0; i < STRESS_RECORDS; i++) {
        struct log_access access;
        fill_access(&access, i, "smollm2");
        log_access(producer, &access);
        if (i % 100 == 0)
            log_write(producer, LOG_LEVEL_INFO, stress->name, "%u", i);
        if (i % 16 == 0)
            sched_yield();
    }
    log_producer_close(&producer);
    return NULL;
}

static void many_threads_lose_only_what_is_counted(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct stress stress[STRESS_THREADS];
    struct log_stats stats;
    assert_int_equal(log_start(log), STATUS_OK);
    for (size_t i = 0; i < STRESS_THREADS; i++) {
        stress[i].log = log;
        snprintf(stress[i].name, sizeof(stress[i].name), "t%u", (unsigned)i);
        assert_int_equal(pthread_create(&stress[i].thread, NULL, log_much, &stress[i]), 0);
    }
    for (size_t i = 0; i < STRESS_THREADS; i++) {
        log_set_level(log, LOG_LEVEL_INFO);
        log_write_now(log, LOG_LEVEL_INFO, "main", "meanwhile");
        assert_int_equal(pthread_join(stress[i].thread, NULL), 0);
    }
    log_stats(log, &stats);
    assert_int_equal(log_destroy(&log), STATUS_OK);

    char *text = read_file(fd);
    const size_t told = count_of(text, "log records of t");
    const size_t sent = STRESS_THREADS * (STRESS_RECORDS + STRESS_RECORDS / 100 + 1);
    assert_int_equal(count_of(text, "\n") - told + stats.dropped_records, sent);
    assert_int_equal(count_of(text, "{\"@timestamp\":"), count_of(text, "\n"));
    alloc_free(text);
    close(fd);
}

static void producers_are_bounded_and_places_are_used_again(void **state)
{
    (void)state;
    const int fd = memory_file();
    struct log *log = log_to(fd);
    struct log_producer *producers[LOG_PRODUCERS_MAX];
    struct log_producer *extra = NULL;
    for (size_t i = 0; i < LOG_PRODUCERS_MAX; i++)
        assert_int_equal(log_producer_open(log, "a thread with a long name", &producers[i]),
                         STATUS_OK);
    assert_int_equal(log_producer_open(log, "extra", &extra), STATUS_LIMITED);
    assert_null(extra);
    log_producer_close(&producers[7]);
    log_producer_close(&producers[7]);
    assert_false(log_drain(log));
    assert_int_equal(log_producer_open(log, "extra", &extra), STATUS_OK);
    assert_int_equal(log_destroy(&log), STATUS_OK);
    assert_int_equal(log_destroy(&log), STATUS_OK);
    close(fd);
}

static void text_is_for_terminals_and_json_for_the_rest(void **state)
{
    (void)state;
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    const int fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int no_colour = 0; no_colour <= 1; no_colour++) {
        struct log_config config = json_config(fd);
        char text[256];
        struct log *log = NULL;
        config.format = LOG_FORMAT_AUTO;
        config.no_colour = no_colour == 1;
        assert_int_equal(log_create(&config, &log), STATUS_OK);
        log_write_now(log, LOG_LEVEL_INFO, "x", "hello");
        assert_int_equal(log_destroy(&log), STATUS_OK);
        const ssize_t size = read(terminal, text, sizeof(text) - 1);
        assert_true(size > 0);
        text[size] = '\0';
        assert_non_null(strstr(text, "x: hello\r\n"));
        assert_int_equal(strchr(text, '\033') != NULL, no_colour == 0);
    }
    close(fd);
    close(terminal);
}

static void impossible_ring_sizes_are_refused(void **state)
{
    (void)state;
    const size_t sizes[] = {1, LOG_RING_BYTES_MIN / 2, LOG_RING_BYTES_MIN + 8,
                            (size_t)LOG_RING_BYTES_MAX * 2};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct log_config config = json_config(2);
        struct log *log = NULL;
        config.ring_bytes = sizes[i];
        assert_int_equal(log_create(&config, &log), STATUS_INVALID);
        assert_null(log);
    }
}

static void create_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    const struct log_config config = json_config(2);
    for (int nth = 0;; nth++) {
        struct log *log = NULL;
        struct log_producer *producer = NULL;
        alloc_fail_nth(nth);
        enum status status = log_create(&config, &log);
        if (status == STATUS_OK)
            status = log_producer_open(log, "main", &producer);
        alloc_fail_nth(-1);
        log_destroy(&log);
        if (status == STATUS_OK) {
            assert_int_equal(nth, 5);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_null(producer);
    }
}

static void levels_are_read_as_they_are_named(void **state)
{
    (void)state;
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        enum log_level read;
        const char *name = log_level_name((enum log_level)level);
        assert_int_equal(log_level_parse(slice_from_text(name), &read), STATUS_OK);
        assert_int_equal(read, level);
    }
    enum log_level read;
    assert_int_equal(log_level_parse(SLICE("loud"), &read), STATUS_INVALID);
    assert_int_equal(log_level_parse(SLICE(""), &read), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_logged_is_written_by_the_end),
        cmocka_unit_test(records_of_a_log_that_never_started_are_written_too),
        cmocka_unit_test(records_of_several_threads_are_merged_by_time),
        cmocka_unit_test(the_level_holds_from_the_next_record_on),
        cmocka_unit_test(a_full_ring_drops_and_the_log_says_how_many),
        cmocka_unit_test(drops_of_a_closed_producer_stay_counted),
        cmocka_unit_test(a_message_before_the_start_is_there_at_once),
        cmocka_unit_test(a_record_wakes_a_sleeping_log),
        cmocka_unit_test(a_stalled_reader_stalls_nobody_and_is_given_up_at_the_end),
        cmocka_unit_test(a_reader_that_goes_on_gets_the_rest),
        cmocka_unit_test(a_reader_that_left_is_no_reason_to_stop),
        cmocka_unit_test(many_threads_lose_only_what_is_counted),
        cmocka_unit_test(producers_are_bounded_and_places_are_used_again),
        cmocka_unit_test(text_is_for_terminals_and_json_for_the_rest),
        cmocka_unit_test(impossible_ring_sizes_are_refused),
        cmocka_unit_test(create_survives_the_failure_of_each_allocation),
        cmocka_unit_test(levels_are_read_as_they_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
