#include "ledger/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/ledger/fixture.h"

#define SIZE     SEGMENT_BYTES_MIN
#define SEGMENTS 12

static struct journal journal;
static _Alignas(4096) char memory[SEGMENTS][SIZE];
static struct source source;
static struct batch batch;
static unsigned appended_by_look; /* requests that come while the source looks for a segment */

static void refuse(unsigned count)
{
    const struct record_refused refused = fixture_refused();
    for (unsigned i = 0; i < count; i++)
        ASSERT(fixture_append_refused(&journal, &refused) == STATUS_OK);
}

static struct slice find_segment(void *context, uint32_t worker, uint64_t number)
{
    (void)context;
    (void)worker;
    const struct slice found =
        number < SEGMENTS ? slice_of(memory[number], SIZE) : (struct slice){0};
    refuse(appended_by_look);
    return found;
}

static int make(void **state)
{
    (void)state;
    const uint32_t seed = segment_seed(7, 3);
    memset(memory, 0, sizeof(memory));
    journal_init(&journal, SIZE, seed);
    for (uint64_t i = 1; i < SEGMENTS; i++)
        atomic_store(&journal.prepared[i], memory[i]);
    atomic_store(&journal.mark, (uint64_t)SEGMENTS * SIZE - 1);
    source = (struct source){
        .generation = 7,
        .worker = 3,
        .reader = {.offset = SEGMENT_PAGE_BYTES, .sequence = 1, .seed = seed},
        .segment = find_segment,
        .appended = &journal.appended,
        .segment_bytes = SIZE,
    };
    appended_by_look = 0;
    return 0;
}

static int leave(void **state)
{
    (void)state;
    source_fini(&source);
    batch_fini(&batch);
    return 0;
}

static void open_one(unsigned number)
{
    const struct record_opened opened = fixture_opened(fixture_id(number));
    ASSERT(fixture_reserve_request(&journal) == STATUS_OK);
    fixture_append_opened(&journal, &opened);
}

static void close_one(unsigned number)
{
    const struct record_closed closed = fixture_closed(fixture_id(number), number);
    fixture_append_closed(&journal, &closed);
}

static void a_journal_is_read_over_its_seams_as_it_grows(void **state)
{
    (void)state;
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_int_equal(batch.position_count, 0);
    for (unsigned i = 1; i <= 600; i++) {
        open_one(i);
        assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
        assert_int_equal(source.open.count, 1);
        close_one(i);
        if (i % 50 == 0)
            journal_finish_page(&journal);
        assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
        assert_int_equal(batch.row_count, i);
    }
    assert_true(source.number > 2);
    assert_int_equal(source.records_lost, 0);
    assert_int_equal(batch.position_count, 1);
    assert_int_equal(batch.positions[0].segment * SIZE + batch.positions[0].offset,
                     atomic_load(&journal.appended));
    assert_int_equal(batch.positions[0].sequence, journal.sequence);
    assert_int_equal(source_give_up(&source, atomic_load(&journal.appended_count)), 0);
}

static void what_is_open_at_a_seam_goes_to_the_store(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 5; i++)
        open_one(i);
    for (unsigned i = 10; i < 200; i++) {
        open_one(i);
        close_one(i);
    }
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_true(source.number > 1);
    assert_true(batch.open_count >= 5);
    for (size_t i = 0; i < batch.open_count; i++)
        assert_true(batch.opens[i].request->is_taken || batch.opens[i].request->id.bytes[15] <= 5);
}

/* The worker may append, and even go on to the next segment, between any two looks. */
static void a_record_that_comes_while_it_looks_is_no_gap(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1500; i++) {
        appended_by_look = i % 4;
        const enum status status = source_collect(&source, &batch);
        appended_by_look = 0;
        assert_int_equal(status, STATUS_AGAIN);
    }
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_true(source.number > 2);
    assert_int_equal(source.records_lost, 0);
    assert_int_equal(batch.records, atomic_load(&journal.appended_count));
}

static void damage_costs_the_records_that_it_hit(void **state)
{
    (void)state;
    refuse(10);
    const size_t at = journal.offset;
    refuse(900); /* into the next segment */
    assert_true(journal.number > 1);
    memset(memory[1] + at + 20, 0x5a, 100);
    memset(memory[2] + SEGMENT_PAGE_BYTES, 0, 8); /* the first one behind the seam */
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_in_range(source.records_lost, 3, 4);
    assert_int_equal(batch.records + source.records_lost, atomic_load(&journal.appended_count));
}

static void a_damaged_last_record_is_waited_for_and_given_up_at_the_end(void **state)
{
    (void)state;
    refuse(10);
    const size_t at = journal.offset;
    refuse(1);
    memory[1][at + 17] ^= 1;
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_int_equal(source.records_lost, 0);
    assert_int_equal(source_give_up(&source, atomic_load(&journal.appended_count)), 1);
    assert_int_equal(source.records_lost, 1);
}

static void segments_that_were_left_empty_are_followed(void **state)
{
    (void)state;
    refuse(3);
    atomic_store(&journal.leave, 4);
    refuse(1);
    while (journal.number < 5)
        journal_finish_page(&journal);
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_int_equal(source.number, 5);
    refuse(3);
    assert_int_equal(source_collect(&source, &batch), STATUS_AGAIN);
    assert_int_equal(batch.refused_count, 7);
    assert_int_equal(source.records_lost, 0);
}

static void without_memory_nothing_is_skipped(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 300; i++) {
        open_one(i);
        if (i % 2 == 0)
            close_one(i);
        refuse(1);
    }
    enum status status = STATUS_NO_MEMORY;
    for (int turns = 0; status != STATUS_AGAIN; turns++) {
        assert_true(turns < 10000);
        alloc_fail_nth(turns % 5);
        status = source_collect(&source, &batch);
        alloc_fail_nth(-1);
    }
    assert_int_equal(batch.row_count, 150);
    assert_int_equal(batch.refused_count, 300);
    assert_int_equal(source.open.count, 150);
    assert_int_equal(source.records_lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, leave)
        TEST(a_journal_is_read_over_its_seams_as_it_grows),
        TEST(what_is_open_at_a_seam_goes_to_the_store),
        TEST(a_record_that_comes_while_it_looks_is_no_gap),
        TEST(damage_costs_the_records_that_it_hit),
        TEST(a_damaged_last_record_is_waited_for_and_given_up_at_the_end),
        TEST(segments_that_were_left_empty_are_followed),
        TEST(without_memory_nothing_is_skipped),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
