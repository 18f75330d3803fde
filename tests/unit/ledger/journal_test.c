#include "ledger/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/ledger/fixture.h"

#define SIZE     SEGMENT_BYTES_MIN
#define SEGMENTS 40 /* more than are ahead at any time */
#define SEED     99

static struct journal journal;
static _Alignas(4096) char memory[SEGMENTS][SIZE];
static uint64_t prepared; /* segments up to this number are */

/* What the keeper does: makes `bytes` more writable. */
static void advance(uint64_t bytes)
{
    uint64_t mark = atomic_load(&journal.mark);
    while (bytes > 0) {
        uint64_t number = mark / SIZE;
        uint64_t offset = mark % SIZE;
        if (offset == SIZE - 1) {
            number++;
            offset = SEGMENT_PAGE_BYTES;
            prepared = number;
            atomic_store(&journal.prepared[number % JOURNAL_AHEAD_MAX], memory[number % SEGMENTS]);
        }
        const uint64_t step = offset + bytes < SIZE ? bytes : SIZE - offset;
        offset += step;
        bytes -= step;
        mark = number * SIZE + (offset == SIZE ? SIZE - 1 : offset);
    }
    atomic_store(&journal.mark, mark);
}

static int make_journal(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    journal_init(&journal, SIZE, SEED);
    prepared = 0;
    return 0;
}

static uint64_t position(void)
{
    return atomic_load(&journal.appended);
}

static void before_anything_is_prepared_nothing_may_begin(void **state)
{
    (void)state;
    assert_int_equal(fixture_reserve_request(&journal), STATUS_LIMITED);
    assert_int_equal(journal.reserved, 0);
    assert_true(atomic_load(&journal.reserved_told) > 0);
    journal_finish_page(&journal);
    assert_int_equal(position(), SIZE);
}

static void records_lie_in_their_order_over_seams(void **state)
{
    (void)state;
    struct segment_reader reader = {{0}, SEGMENT_PAGE_BYTES, 1, SEED};
    struct segment_record record;
    const struct record_refused refused = fixture_refused();
    advance(UINT64_C(5) * SIZE);
    for (unsigned i = 0; i < 1500; i++)
        assert_int_equal(fixture_append_refused(&journal, &refused), STATUS_OK);
    unsigned found = 0;
    for (uint64_t number = 1; number <= journal.number; number++) {
        reader.segment = slice_of(memory[number], SIZE);
        reader.offset = SEGMENT_PAGE_BYTES;
        while (segment_next(&reader, &record) == STATUS_OK)
            found++;
    }
    assert_true(journal.number > 1);
    assert_int_equal(found, 1500);
    assert_int_equal(atomic_load(&journal.appended_count), 1500);
    assert_int_equal(position(), journal.number * SIZE + reader.offset);
    assert_int_equal(journal.reserved, 0);
}

static void a_page_is_finished_once_and_only_while_there_is_room(void **state)
{
    (void)state;
    const struct record_refused refused = fixture_refused();
    advance(SIZE);
    advance(SIZE);
    assert_int_equal(fixture_append_refused(&journal, &refused), STATUS_OK);
    journal_finish_page(&journal);
    assert_int_equal(position() % SEGMENT_PAGE_BYTES, 0);
    const uint64_t finished = position();
    journal_finish_page(&journal);
    assert_int_equal(position(), finished);
    while (fixture_reserve_request(&journal) == STATUS_OK)
        continue;
    const struct record_opened opened = fixture_opened(fixture_id(1));
    fixture_append_opened(&journal, &opened);
    const uint64_t before = position();
    const uint64_t count = atomic_load(&journal.appended_count);
    journal_finish_page(&journal);
    assert_int_equal(position(), before);
    assert_int_equal(atomic_load(&journal.appended_count), count);
}

static void a_segment_that_has_failed_is_left_once_the_next_suffices(void **state)
{
    (void)state;
    const struct record_refused refused = fixture_refused();
    advance(SIZE / 2);
    assert_int_equal(fixture_append_refused(&journal, &refused), STATUS_OK);
    atomic_store(&journal.leave, 1);
    assert_int_equal(fixture_append_refused(&journal, &refused), STATUS_LIMITED);
    journal_finish_page(&journal);
    assert_int_equal(journal.number, 1);
    advance(SIZE);
    journal_finish_page(&journal);
    assert_int_equal(position(), 2 * SIZE + SEGMENT_PAGE_BYTES);
    assert_int_equal(fixture_append_refused(&journal, &refused), STATUS_OK);
}

/* Whatever order requests come in, one that was admitted finds room for its records. */
static void room_that_is_reserved_is_always_there(void **state)
{
    (void)state;
    uint64_t random = 1;
    unsigned open = 0;
    unsigned refused = 0;
    const struct record_opened opened = fixture_opened(fixture_id(1));
    struct record_closed closed = fixture_closed(fixture_id(1), 5);
    char text[RECORD_NAME_MAX];
    memset(text, 'x', sizeof(text));
    for (unsigned i = 0; i < 200000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const unsigned dice = (unsigned)(random >> 40) % 100;
        closed.context = slice_of(text, (random >> 50) % sizeof(text));
        closed.provider_request_id = closed.context;
        if (dice < 50) {
            if (fixture_reserve_request(&journal) == STATUS_OK) {
                fixture_append_opened(&journal, &opened);
                open++;
            } else {
                refused++;
            }
        } else if (dice < 80 && open > 0) {
            fixture_append_closed(&journal, &closed);
            open--;
        } else if (dice < 85) {
            journal_finish_page(&journal);
        } else if (dice < 86) {
            atomic_store(&journal.leave, journal.number);
        } else if (dice < 87) {
            atomic_store(&journal.leave, prepared);
        } else if (dice > 97 && prepared < journal.number + 20) {
            advance(random >> 48);
        }
        if (dice == 90 && (random >> 30) % 8 == 0) { /* everybody closes at once */
            for (; open > 0; open--)
                fixture_append_closed(&journal, &closed);
            assert_int_equal(journal.reserved, 0);
        }
        /* ASSERT in enter_next() and this: no record lies beyond the mark. */
        assert_true(journal.number <= prepared);
        if (journal.number > atomic_load(&journal.leave))
            assert_true(position() <= atomic_load(&journal.mark) + 1);
    }
    assert_true(refused > 100);
    assert_true(journal.number > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(before_anything_is_prepared_nothing_may_begin, make_journal),
        cmocka_unit_test_setup(records_lie_in_their_order_over_seams, make_journal),
        cmocka_unit_test_setup(a_page_is_finished_once_and_only_while_there_is_room, make_journal),
        cmocka_unit_test_setup(a_segment_that_has_failed_is_left_once_the_next_suffices,
                               make_journal),
        cmocka_unit_test_setup(room_that_is_reserved_is_always_there, make_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
