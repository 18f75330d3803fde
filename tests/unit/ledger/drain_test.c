#include "ledger/drain.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/ledger/fixture.h"

#define SIZE    SEGMENT_BYTES_MIN
#define WORKERS 2

static struct directory directory;
static struct generation_lock lock;
static struct journal journals[WORKERS];
static struct journal *const pointers[WORKERS] = {&journals[0], &journals[1]};
static struct store *store;
static struct keeper *keeper;
static struct drain *drain;
static uint64_t retention_us;
static atomic_int errors, successes, retired;

static void ask_finish_page(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
}

static void report(void *context, bool is_error, const char *text)
{
    (void)context;
    (void)text;
    atomic_fetch_add(is_error ? &errors : &successes, 1);
}

static enum status remove_old(void *context, struct store *of, uint64_t before_us,
                              struct reason *reason)
{
    int64_t batch;
    uint64_t rows;
    uint64_t deleted;
    (void)context;
    enum status status = store_retention_next(of, before_us, &batch, &rows, reason);
    if (status == STATUS_OK)
        status = store_retention_delete(of, batch, 500, &deleted, reason);
    if (status == STATUS_OK)
        atomic_fetch_add(&retired, (int)deleted);
    return status;
}

static enum status create(void)
{
    const struct drain_config config = {
        .directory = &directory,
        .generation = lock.generation,
        .journals = pointers,
        .worker_count = WORKERS,
        .segment_bytes = SIZE,
        .keeper = keeper,
        .store = store,
        .retain = remove_old,
        .retention_us = retention_us,
        .report = report,
    };
    return drain_create(&config, &drain, NULL);
}

static int make(void **state)
{
    if (fixture_make(state) != 0 ||
        directory_open(&directory, fixture_path("journal"), NULL) != STATUS_OK ||
        directory_new_generation(&directory, 1000, &lock, NULL) != STATUS_OK)
        return -1;
    const struct keeper_config config = {
        .directory = &directory,
        .lock = &lock,
        .journals = pointers,
        .worker_count = WORKERS,
        .segment_bytes = SIZE,
        .journal_bytes = UINT64_C(24) * SIZE,
        .sync_ms = 50,
        .finish_page = ask_finish_page,
        .report = report,
    };
    atomic_store(&errors, 0);
    atomic_store(&successes, 0);
    atomic_store(&retired, 0);
    retention_us = 0;
    store = fixture_open_store();
    for (uint32_t i = 0; i < WORKERS; i++)
        journal_init(&journals[i], SIZE, segment_seed(lock.generation, i));
    return keeper_create(&config, &keeper, NULL) == STATUS_OK ? 0 : -1;
}

static int leave(void **state)
{
    drain_destroy(&drain, 10000);
    keeper_destroy(&keeper, true);
    store_close(&store);
    directory_unlock_generation(&directory, &lock, true);
    directory_close(&directory);
    return fixture_remove(state);
}

static void pause_ms(long ms)
{
    const struct timespec pause = {0, ms * 1000000};
    (void)nanosleep(&pause, NULL);
}

static void do_requests(uint32_t worker, unsigned from, unsigned until)
{
    for (unsigned i = from; i < until; i++) {
        const struct record_opened opened = fixture_opened(fixture_id(i));
        const struct record_closed closed = fixture_closed(fixture_id(i), i);
        while (fixture_reserve_request(&journals[worker]) != STATUS_OK)
            pause_ms(1);
        fixture_append_opened(&journals[worker], &opened);
        fixture_append_closed(&journals[worker], &closed);
    }
}

static struct drain_figures figures(void)
{
    struct drain_figures found;
    drain_figures(drain, &found);
    return found;
}

static void wait_rows(uint64_t count)
{
    for (int i = 0; i < 10000 && figures().rows < count; i++)
        pause_ms(1);
    assert_int_equal(figures().rows, count);
}

static void all_workers_requests_become_rows_while_they_go_on(void **state)
{
    (void)state;
    assert_int_equal(create(), STATUS_OK);
    for (unsigned i = 0; i < 10; i++) {
        do_requests(0, 1000 + i * 100, 1100 + i * 100);
        do_requests(1, 5000 + i * 100, 5100 + i * 100);
    }
    wait_rows(2000);
    const struct drain_figures found = figures();
    assert_int_equal(found.records, 4000);
    assert_int_equal(found.records_lost, 0);
    assert_int_equal(found.failures, 0);
    assert_int_equal(found.open_requests, 0);
    assert_true(drain_destroy(&drain, 1000));
    assert_null(drain);
}

static void what_is_open_keeps_the_journal(void **state)
{
    (void)state;
    const struct record_opened opened = fixture_opened(fixture_id(1));
    assert_int_equal(create(), STATUS_OK);
    assert_int_equal(fixture_reserve_request(&journals[0]), STATUS_OK);
    fixture_append_opened(&journals[0], &opened);
    for (int i = 0; i < 10000 && figures().open_requests == 0; i++)
        pause_ms(1);
    assert_int_equal(figures().open_requests, 1);
    assert_false(drain_destroy(&drain, 1000));
}

static void a_generation_that_cannot_be_read_is_told_once_and_keeps_nothing_from_going_on(
    void **state)
{
    (void)state;
    assert_int_equal(mkdirat(directory.fd, "0000000007-00-000001.seg", 0700), 0);
    assert_int_equal(create(), STATUS_OK);
    do_requests(0, 1, 101);
    wait_rows(100);
    assert_true(figures().is_recovering);
    for (int i = 0; i < 1500; i++)
        pause_ms(1);
    assert_int_equal(errors, 1);
    do_requests(1, 200, 301);
    wait_rows(201);
    assert_int_equal(unlinkat(directory.fd, "0000000007-00-000001.seg", AT_REMOVEDIR), 0);
    for (int i = 0; i < 10000 && figures().is_recovering; i++)
        pause_ms(1);
    for (int i = 0; i < 1000 && successes == 0; i++)
        pause_ms(1);
    assert_int_equal(errors, 1);
    assert_int_equal(successes, 1);
}

static void who_asks_for_it_waits_until_what_was_appended_is_a_row(void **state)
{
    (void)state;
    assert_int_equal(create(), STATUS_OK);
    assert_true(drain_catch_up(drain, 10000));
    do_requests(0, 1, 2);
    do_requests(1, 2, 4);
    assert_true(drain_catch_up(drain, 10000));
    assert_int_equal(figures().rows, 3);
    assert_true(drain_destroy(&drain, 10000));
}

static void add_old_rows(unsigned count)
{
    int64_t batch;
    ASSERT(store_begin(store, NULL) == STATUS_OK);
    ASSERT(store_batch_next(store, &batch, NULL) == STATUS_OK);
    for (unsigned i = 0; i < count; i++) {
        const struct store_usage usage = {
            .id = fixture_id(i), .timestamp_us = 1000000, .attempts = 1, .batch = batch};
        bool inserted;
        ASSERT(store_usage_insert(store, &usage, &inserted, NULL) == STATUS_OK && inserted);
    }
    ASSERT(store_commit(store, NULL) == STATUS_OK);
}

static void rows_that_are_too_old_are_removed_step_by_step(void **state)
{
    (void)state;
    retention_us = 1000000;
    add_old_rows(1200);
    assert_int_equal(create(), STATUS_OK);
    for (int i = 0; i < 10000 && atomic_load(&retired) < 1200; i++)
        pause_ms(1);
    assert_int_equal(retired, 1200);
    assert_true(drain_destroy(&drain, 1000));
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs"), 0);
}

static void without_memory_it_does_not_start(void **state)
{
    (void)state;
    enum status status = STATUS_NO_MEMORY;
    for (int nth = 0; status != STATUS_OK; nth++) {
        alloc_fail_nth(nth);
        status = create();
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, leave)
        TEST(all_workers_requests_become_rows_while_they_go_on),
        TEST(what_is_open_keeps_the_journal),
        TEST(a_generation_that_cannot_be_read_is_told_once_and_keeps_nothing_from_going_on),
        TEST(who_asks_for_it_waits_until_what_was_appended_is_a_row),
        TEST(rows_that_are_too_old_are_removed_step_by_step),
        TEST(without_memory_it_does_not_start),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
