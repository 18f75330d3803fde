#include "ledger/keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/ledger/fixture.h"

#define SIZE    SEGMENT_BYTES_MIN
#define WORKERS 3

static struct directory directory;
static struct generation_lock lock;
static struct journal journals[WORKERS];
static struct journal *const pointers[WORKERS] = {&journals[0], &journals[1], &journals[2]};
static struct keeper *keeper;
static atomic_int asked[WORKERS];
static atomic_int errors;

static void ask_finish_page(void *context, uint32_t worker)
{
    (void)context;
    atomic_fetch_add(&asked[worker], 1);
}

static void report(void *context, bool is_error, const char *text)
{
    (void)context;
    (void)text;
    atomic_fetch_add(&errors, is_error);
}

static enum status create(uint64_t segments)
{
    const struct keeper_config config = {
        .directory = &directory,
        .lock = &lock,
        .journals = pointers,
        .worker_count = WORKERS,
        .segment_bytes = SIZE,
        .journal_bytes = segments * SIZE,
        .sync_ms = 1,
        .finish_page = ask_finish_page,
        .report = report,
    };
    for (uint32_t i = 0; i < WORKERS; i++)
        journal_init(&journals[i], SIZE, segment_seed(lock.generation, i));
    return keeper_create(&config, &keeper, NULL);
}

static int make(void **state)
{
    if (fixture_make(state) != 0 ||
        directory_open(&directory, fixture_path("journal"), NULL) != STATUS_OK ||
        directory_new_generation(&directory, 0, &lock, NULL) != STATUS_OK)
        return -1;
    atomic_store(&errors, 0);
    return 0;
}

static int leave(void **state)
{
    keeper_destroy(&keeper, true);
    directory_unlock_generation(&directory, &lock, true);
    directory_close(&directory);
    return fixture_remove(state);
}

static void pause_ms(long ms)
{
    const struct timespec pause = {0, ms * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* Appends until no more is prepared, for at least as long as the keeper needs; returns how often. */
static unsigned fill(uint32_t worker, unsigned count_max)
{
    const struct record_refused refused = fixture_refused();
    unsigned count = 0;
    for (unsigned idle = 0; idle < 1000 && count < count_max;) {
        if (fixture_append_refused(&journals[worker], &refused) == STATUS_OK) {
            count++;
            idle = 0;
        } else {
            idle++;
            pause_ms(1);
        }
    }
    return count;
}

static void every_worker_has_room_from_the_start(void **state)
{
    (void)state;
    assert_int_equal(create(9), STATUS_OK);
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(fixture_reserve_request(&journals[i]), STATUS_OK);
        assert_non_null(keeper_segment(keeper, i, 1));
        assert_null(keeper_segment(keeper, i, 0));
        assert_null(keeper_segment(keeper, i, 99));
    }
    assert_int_equal(errors, 0);
}

static void too_few_bytes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(create(8), STATUS_INVALID);
    assert_null(keeper);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 1); /* the lock file */
}

static void one_worker_that_takes_all_leaves_the_others_what_they_need(void **state)
{
    (void)state;
    const unsigned in_a_segment = 400;
    assert_int_equal(create(12), STATUS_OK);
    for (int i = 0; i < 5000 && !keeper_is_full(keeper); i++) {
        while (fixture_reserve_request(&journals[0]) == STATUS_OK)
            continue; /* wishes for more and more */
        pause_ms(1);
    }
    assert_true(keeper_is_full(keeper));
    for (uint32_t i = 1; i < WORKERS; i++)
        assert_true(fill(i, 3000) > 2 * in_a_segment);
    assert_true(keeper_is_full(keeper));
}

static void drained_segments_are_used_again(void **state)
{
    (void)state;
    struct keeper_figures figures;
    assert_int_equal(create(9), STATUS_OK);
    for (int lap = 0; lap < 10; lap++) {
        assert_int_equal(fill(0, 1000), 1000);
        keeper_drained(keeper, 0, journals[0].number);
    }
    assert_true(journals[0].number > 10);
    pause_ms(100);
    keeper_figures(keeper, &figures);
    assert_true(figures.segments <= 9);
    assert_int_equal(figures.appended_records, 10000);
    assert_null(keeper_segment(keeper, 0, 1));
    assert_non_null(keeper_segment(keeper, 0, journals[0].number));
}

static void an_unfinished_page_is_asked_for_and_synced_when_it_is_finished(void **state)
{
    (void)state;
    struct keeper_figures figures = {0};
    assert_int_equal(create(9), STATUS_OK);
    assert_int_equal(fill(1, 1), 1);
    for (int i = 0; i < 5000 && atomic_load(&asked[1]) == 0; i++)
        pause_ms(1);
    assert_true(asked[1] > 0);
    journal_finish_page(&journals[1]);
    for (int i = 0; i < 5000 && figures.syncs == 0; i++) {
        pause_ms(1);
        keeper_figures(keeper, &figures);
    }
    assert_true(figures.syncs > 0);
    assert_int_equal(figures.sync_failures, 0);
    pause_ms(120);
    const int before = atomic_load(&asked[1]);
    pause_ms(60);
    assert_int_equal(asked[1], before); /* nothing is left to ask for */
    assert_int_equal(keeper_stall_ms(keeper, clock_monotonic_ns() / NS_PER_MS), 0);
}

static void what_is_not_drained_stays_on_the_disk_at_the_end(void **state)
{
    (void)state;
    assert_int_equal(create(9), STATUS_OK);
    assert_int_equal(fill(0, 600), 600);
    keeper_destroy(&keeper, false);
    assert_true(fixture_count_files(fixture_path("journal")) > 3);
}

static void without_memory_it_does_not_start_and_leaves_nothing(void **state)
{
    (void)state;
    enum status status = STATUS_NO_MEMORY;
    for (int nth = 0; status != STATUS_OK; nth++) {
        assert_true(nth < 100);
        alloc_fail_nth(nth);
        status = create(9);
        alloc_fail_nth(-1);
        if (status != STATUS_OK)
            assert_int_equal(fixture_count_files(fixture_path("journal")), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, leave)
        TEST(every_worker_has_room_from_the_start),
        TEST(too_few_bytes_are_refused),
        TEST(one_worker_that_takes_all_leaves_the_others_what_they_need),
        TEST(drained_segments_are_used_again),
        TEST(an_unfinished_page_is_asked_for_and_synced_when_it_is_finished),
        TEST(what_is_not_drained_stays_on_the_disk_at_the_end),
        TEST(without_memory_it_does_not_start_and_leaves_nothing),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
