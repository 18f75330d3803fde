#include "ledger/recovery.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/crc32c.h"
#include "unit/ledger/fixture.h"

#define SIZE     SEGMENT_BYTES_MIN
#define SEGMENTS 8

static struct directory directory;
static struct store *store;
static struct journal journal;
static _Alignas(4096) char memory[SEGMENTS][SIZE];
static struct recovery_result result;
static struct reason reason;

static int make(void **state)
{
    if (fixture_make(state) != 0 ||
        directory_open(&directory, fixture_path("journal"), NULL) != STATUS_OK)
        return -1;
    store = fixture_open_store();
    return 0;
}

static int leave(void **state)
{
    store_close(&store);
    directory_close(&directory);
    return fixture_remove(state);
}

static void begin_journal(uint64_t generation, uint32_t worker)
{
    memset(memory, 0, sizeof(memory));
    journal_init(&journal, SIZE, segment_seed(generation, worker));
    for (uint64_t i = 1; i < SEGMENTS; i++) {
        const struct segment_identity identity = {generation, worker, i};
        segment_write_header(memory[i], &identity, SIZE);
        atomic_store(&journal.prepared[i], memory[i]);
    }
    atomic_store(&journal.mark, (uint64_t)SEGMENTS * SIZE - 1);
}

static void write_file(uint64_t generation, uint32_t worker, uint64_t number, const char *bytes,
                       size_t size)
{
    char name[DIRECTORY_NAME_BYTES];
    const struct segment_identity identity = {generation, worker, number};
    directory_segment_name(&identity, name);
    const int file = openat(directory.fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT(file >= 0 && write(file, bytes, size) == (ssize_t)size);
    close(file);
}

/* What a process that died leaves: its segments up to the current one, and one that is prepared. */
static void leave_journal(uint64_t generation, uint32_t worker)
{
    for (uint64_t i = 1; i <= journal.number + 1 && i < SEGMENTS; i++)
        write_file(generation, worker, i, memory[i], SIZE);
}

static void do_requests(unsigned from, unsigned until)
{
    for (unsigned i = from; i < until; i++) {
        const struct record_opened opened = fixture_opened(fixture_id(i));
        const struct record_closed closed = fixture_closed(fixture_id(i), i);
        ASSERT(fixture_reserve_request(&journal) == STATUS_OK);
        fixture_append_opened(&journal, &opened);
        fixture_append_closed(&journal, &closed);
    }
}

static void open_one(unsigned number)
{
    const struct record_opened opened = fixture_opened(fixture_id(number));
    ASSERT(fixture_reserve_request(&journal) == STATUS_OK);
    fixture_append_opened(&journal, &opened);
}

static enum status recover(uint64_t generation)
{
    const struct recovery_config config = {
        .directory = &directory, .store = store, .orphans_are_charged = true};
    reason.text[0] = 0;
    return recovery_run(&config, generation, &result, &reason);
}

static int64_t rows(void)
{
    return fixture_number("SELECT count(*) FROM usage_logs");
}

static void all_workers_journals_are_taken_over_and_removed(void **state)
{
    (void)state;
    for (uint32_t worker = 0; worker < 3; worker++) {
        begin_journal(7, worker);
        do_requests(1000 * worker, 1000 * worker + 300);
        open_one(1000 * worker + 900);
        leave_journal(7, worker);
    }
    begin_journal(8, 0); /* another generation's */
    do_requests(20000, 20001);
    leave_journal(8, 0);
    assert_int_equal(recover(7), STATUS_OK);
    assert_int_equal(result.rows, 903);
    assert_int_equal(result.orphans, 3);
    assert_int_equal(result.records_lost, 0);
    assert_int_equal(rows(), 903);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 2);
    assert_int_equal(fixture_number("SELECT count(*) FROM journal_positions"), 0);
    assert_int_equal(recover(7), STATUS_OK); /* nothing is left */
    assert_int_equal(result.rows, 0);
}

static void what_is_in_the_store_already_is_not_counted_again(void **state)
{
    (void)state;
    begin_journal(7, 0);
    do_requests(1, 400);
    open_one(500);
    const struct record_refused refused = fixture_refused();
    assert_int_equal(fixture_append_refused(&journal, &refused), STATUS_OK);
    leave_journal(7, 0);
    assert_int_equal(recover(7), STATUS_OK);
    assert_int_equal(result.rows, 400);
    /* The machine died before the files were gone for good, and the positions are, too. */
    leave_journal(7, 0);
    assert_int_equal(recover(7), STATUS_OK);
    assert_int_equal(result.rows, 0);
    assert_int_equal(result.orphans, 0);
    assert_int_equal(fixture_number("SELECT sum(requests) FROM usage_hourly WHERE reason = ''"),
                     400);
}

static void a_segment_cut_anywhere_gives_what_lies_before_the_cut(void **state)
{
    (void)state;
    size_t ends[6];
    uint64_t generation = 100;
    begin_journal(1, 0);
    do_requests(0, 1);
    const size_t step = journal.offset - SEGMENT_PAGE_BYTES;
    for (size_t cut = 0; cut <= 3 * step; cut += 16, generation++) {
        begin_journal(generation, 0);
        const unsigned base = (unsigned)(generation - 100) * 3;
        for (unsigned i = 0; i < 3; i++) {
            open_one(base + i);
            ends[2 * i] = journal.offset;
            const struct record_closed closed = fixture_closed(fixture_id(base + i), i);
            fixture_append_closed(&journal, &closed);
            ends[2 * i + 1] = journal.offset;
        }
        unsigned opened = 0, closed = 0;
        for (unsigned i = 0; i < 3; i++) {
            opened += SEGMENT_PAGE_BYTES + cut >= ends[2 * i];
            closed += SEGMENT_PAGE_BYTES + cut >= ends[2 * i + 1];
        }
        write_file(generation, 0, 1, memory[1], SEGMENT_PAGE_BYTES + cut);
        assert_int_equal(recover(generation), STATUS_OK);
        assert_int_equal(result.rows, opened);
        assert_int_equal(result.orphans, opened - closed);
        assert_int_equal(result.records_lost, 1); /* how many there were cannot be known */
    }
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

/* The drain had come so far into the worker's first segment. */
static void note_position(uint64_t generation, uint64_t offset, uint64_t sequence)
{
    const struct store_position position = {
        .generation = generation, .segment = 1, .offset = offset, .sequence = sequence};
    struct batch batch = {0};
    struct batch_result applied;
    assert_int_equal(batch_set_position(&batch, &position), STATUS_OK);
    assert_int_equal(batch_apply(&batch, store, NULL, &applied, &reason), STATUS_OK);
    batch_fini(&batch);
}

static void a_file_without_a_header_is_a_loss_only_where_it_was_read_before(void **state)
{
    (void)state;
    begin_journal(7, 0);
    do_requests(1, 3);
    write_file(7, 0, 1, memory[1], 0); /* its process died in making it */
    assert_int_equal(recover(7), STATUS_OK);
    assert_int_equal(result.records_lost, 0);
    note_position(8, journal.offset, journal.sequence);
    write_file(8, 0, 1, memory[1], 100);
    assert_int_equal(recover(8), STATUS_OK);
    assert_int_equal(result.records_lost, 1);
    assert_int_equal(rows(), 0);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void a_damaged_record_and_a_lost_segment_are_passed_over_and_counted(void **state)
{
    (void)state;
    begin_journal(7, 0);
    do_requests(1, 480);
    const uint64_t records = atomic_load(&journal.appended_count);
    assert_true(journal.number >= 4);
    memory[1][SEGMENT_PAGE_BYTES + 5000] ^= 1;
    leave_journal(7, 0);
    const struct segment_identity lost = {7, 0, 3};
    assert_int_equal(directory_remove_segment(&directory, &lost, NULL), STATUS_OK);
    assert_int_equal(recover(7), STATUS_OK);
    assert_true(result.records_lost > 150 && result.records_lost < 400);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs WHERE outcome = 'orphaned'"),
                     result.orphans);
    assert_in_range(result.rows, (records - result.records_lost) / 2,
                    (records - result.records_lost) / 2 + 2);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void a_damaged_record_at_the_end_is_counted(void **state)
{
    (void)state;
    begin_journal(7, 0);
    do_requests(1, 3);
    open_one(3);
    const size_t at = journal.offset;
    const struct record_closed closed = fixture_closed(fixture_id(3), 3);
    fixture_append_closed(&journal, &closed);
    memory[1][at + 40] ^= 1;
    leave_journal(7, 0);
    assert_int_equal(recover(7), STATUS_OK);
    assert_int_equal(result.rows, 3);
    assert_int_equal(result.orphans, 1);
    assert_int_equal(result.records_lost, 1);
}

static void a_segment_recycled_from_another_worker_or_about_to_be_is_empty(void **state)
{
    (void)state;
    begin_journal(7, 0);
    do_requests(1, 20);
    leave_journal(7, 0);
    /* Worker 1's first segment is new; its second is a former one of worker 0, never written. */
    static char empty[SIZE];
    static char former[SIZE];
    struct segment_identity identity = {7, 1, 1};
    memset(empty, 0, sizeof(empty));
    segment_write_header(empty, &identity, SIZE);
    memcpy(former, memory[1], SIZE);
    identity.number = 2;
    segment_write_header(former, &identity, SIZE);
    write_file(7, 1, 1, empty, SIZE);
    write_file(7, 1, 2, former, SIZE);
    write_file(7, 0, 3, former, SIZE); /* its name was to change when the process died */
    assert_int_equal(recover(7), STATUS_OK);
    assert_int_equal(result.rows, 19);
    assert_int_equal(result.orphans, 0);
    assert_int_equal(result.records_lost, 0);
}

static void another_version_of_segment_or_record_stays_as_it_is(void **state)
{
    (void)state;
    begin_journal(7, 0);
    do_requests(1, 3);
    memory[1][8] = 9;
    leave_journal(7, 0);
    assert_int_equal(recover(7), STATUS_UNSUPPORTED);
    assert_non_null(strstr(reason.text, "-000001.seg"));
    memory[1][8] = 1;
    struct segment_record_head *head = (void *)(memory[1] + SEGMENT_PAGE_BYTES);
    const uint64_t word = atomic_load(&head->word);
    head->version++;
    const uint64_t first[2] = {word, (uint64_t)head->kind | (uint64_t)head->version << 16};
    head->crc = crc32c(crc32c(journal.seed, first, sizeof(first)), head + 1, word & 0xfffff);
    leave_journal(7, 0);
    assert_int_equal(recover(7), STATUS_UNSUPPORTED);
    assert_non_null(strstr(reason.text, "version"));
    assert_int_equal(rows(), 0);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 2);
}

static void without_memory_it_may_be_tried_again(void **state)
{
    (void)state;
    begin_journal(7, 0);
    do_requests(1, 200);
    open_one(300);
    open_one(301);
    leave_journal(7, 0);
    enum status status = STATUS_NO_MEMORY;
    uint64_t found = 0;
    for (int nth = 0; status != STATUS_OK; nth++) {
        assert_true(nth < 2000);
        alloc_fail_nth(nth);
        status = recover(7);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        found += result.rows;
    }
    assert_int_equal(found, 201);
    assert_int_equal(rows(), 201);
    assert_int_equal(fixture_number("SELECT sum(requests) FROM usage_hourly WHERE reason = ''"),
                     201);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_open"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, leave)
        TEST(all_workers_journals_are_taken_over_and_removed),
        TEST(what_is_in_the_store_already_is_not_counted_again),
        TEST(a_segment_cut_anywhere_gives_what_lies_before_the_cut),
        TEST(a_file_without_a_header_is_a_loss_only_where_it_was_read_before),
        TEST(a_damaged_record_and_a_lost_segment_are_passed_over_and_counted),
        TEST(a_damaged_record_at_the_end_is_counted),
        TEST(a_segment_recycled_from_another_worker_or_about_to_be_is_empty),
        TEST(another_version_of_segment_or_record_stays_as_it_is),
        TEST(without_memory_it_may_be_tried_again),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
