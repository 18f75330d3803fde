#include "unit/audit/audit_fixture.h"

#include "audit/retention.h"

#define DAY_US UINT64_C(86400000000)

static const struct store_audit_entry *last(void)
{
    return &fixture.store.entries[fixture.store.entries_count - 1];
}

/* Rows of batch n are of the time START_US + n × 1000 µs and a little. */
static uint64_t before_batch(unsigned batch)
{
    return START_US + batch * 1000;
}

static enum status remove_rows(uint64_t before_us, struct audit_removal *removal)
{
    return audit_remove_rows(fixture.audit, &fixture.store, before_us, fixture.now_us, removal,
                             &fixture.reason);
}

static void make_batches(int64_t from, int64_t to)
{
    for (int64_t batch = from; batch <= to; batch++)
        add_batch(batch, 10);
}

static void removed_batches_are_no_finding_and_are_counted(void **state)
{
    (void)state;
    struct audit_removal removal;
    make_batches(1, 10);
    assert_int_equal(remove_rows(before_batch(6), &removal), STATUS_OK);
    assert_int_equal(removal.from, 1);
    assert_int_equal(removal.to, 5);
    assert_int_equal(removal.rows, 50);
    assert_true(slice_equal(last()->action, AUDIT_ACTION_ROWS_GONE));
    assert_true(slice_equal(last()->details, SLICE("{\"from\":1,\"to\":5,\"rows\":50}")));
    assert_true(slice_equal(fixture.store.entries[10].action, AUDIT_ACTION_CHECKPOINT));
    save_head();
    assert_sound();
    assert_int_equal(fixture.report.batches, 5);
    assert_int_equal(fixture.report.batches_removed, 5);
    assert_int_equal(fixture.report.rows_removed, 50);
}

static void nothing_to_remove_changes_nothing(void **state)
{
    (void)state;
    struct audit_removal removal;
    make_batches(1, 3);
    assert_int_equal(remove_rows(before_batch(1), &removal), STATUS_NOT_FOUND);
    assert_int_equal(fixture.store.entries_count, 3);
    assert_false(fixture.store.is_open);
    make_batches(4, 5);
    save_head();
    assert_sound();
}

static void batches_that_do_not_follow_each_other_are_removed_one_by_one(void **state)
{
    (void)state;
    struct audit_removal removal;
    make_batches(1, 5);
    for (size_t i = 0; i < fixture.store.rows_count; i++) {
        if (fixture.store.rows[i].batch == 3)
            fixture.store.rows[i].timestamp_us = START_US + DAY_US;
    }
    assert_int_equal(store_begin(&fixture.store, NULL), STATUS_OK);
    assert_int_equal(audit_batch_reseal(fixture.batch, &fixture.store, 3, START_US, NULL),
                     STATUS_OK);
    assert_int_equal(store_commit(&fixture.store, NULL), STATUS_OK);
    assert_int_equal(remove_rows(before_batch(6), &removal), STATUS_OK);
    assert_int_equal(removal.to, 2);
    assert_int_equal(remove_rows(before_batch(6), &removal), STATUS_OK);
    assert_int_equal(removal.from, 4);
    assert_int_equal(removal.to, 5);
    assert_int_equal(remove_rows(before_batch(6), &removal), STATUS_NOT_FOUND);
    save_head();
    assert_sound();
    assert_int_equal(fixture.report.batches, 1);
}

static void a_row_in_a_removed_batch_is_a_finding(void **state)
{
    (void)state;
    struct audit_removal removal;
    make_batches(1, 3);
    const struct store_usage kept = fixture.store.rows[3];
    assert_int_equal(remove_rows(before_batch(2), &removal), STATUS_OK);
    save_head();
    bool is_inserted = false;
    assert_int_equal(store_usage_insert(&fixture.store, &kept, &is_inserted, NULL), STATUS_OK);
    assert_int_equal(verify(), 1);
    assert_int_equal(fixture.findings[0].fault, AUDIT_BATCH_UNSEALED);
    assert_int_equal(fixture.findings[0].batch, 1);
    assert_non_null(strstr(fixture.texts[0], "although retention removed it"));
}

static void a_failure_removes_no_entry(void **state)
{
    (void)state;
    struct audit_removal removal;
    make_batches(1, 3);
    fixture.store.insert_status = STATUS_IO;
    assert_int_equal(remove_rows(before_batch(3), &removal), STATUS_IO);
    fixture.store.insert_status = STATUS_OK;
    assert_false(fixture.store.is_open);
    assert_int_equal(fixture.store.entries_count, 3);
}

static enum status remove_entries(uint64_t before_us, uint64_t *removed)
{
    return audit_remove_entries(fixture.audit, &fixture.store, before_us, fixture.now_us, removed,
                                &fixture.reason);
}

static void entries_go_up_to_a_checkpoint_when_their_rows_are_gone(void **state)
{
    (void)state;
    struct audit_removal removal;
    uint64_t removed = 0;
    make_batches(1, 4);
    append_up_to(300);
    make_batches(5, 6);
    append_up_to(600);
    /* Batch 1 to 4 are still there. */
    assert_int_equal(remove_entries(fixture.now_us, &removed), STATUS_NOT_FOUND);
    assert_int_equal(remove_rows(before_batch(5), &removal), STATUS_OK);
    make_batches(7, 7);
    assert_int_equal(remove_entries(fixture.now_us, &removed), STATUS_OK);
    assert_int_equal(removed, AUDIT_CHECKPOINT_ENTRIES);
    assert_int_equal(fixture.store.entries[0].number, AUDIT_CHECKPOINT_ENTRIES + 1);
    assert_true(slice_equal(fixture.store.entries[0].action, AUDIT_ACTION_CHECKPOINT));
    save_head();
    assert_sound();
    assert_int_equal(fixture.report.entries_removed, AUDIT_CHECKPOINT_ENTRIES);
    assert_int_equal(remove_rows(before_batch(7), &removal), STATUS_OK);
    make_batches(8, 8);
    assert_int_equal(remove_entries(fixture.now_us, &removed), STATUS_OK);
    save_head();
    assert_sound();
    append_up_to(900);
    save_head();
    assert_sound();
}

static void entries_removed_beyond_what_was_said_are_missing(void **state)
{
    (void)state;
    struct audit_removal removal;
    uint64_t removed = 0;
    make_batches(1, 1);
    append_up_to(600);
    assert_int_equal(remove_rows(before_batch(2), &removal), STATUS_OK);
    make_batches(2, 2);
    assert_int_equal(remove_entries(fixture.now_us, &removed), STATUS_OK);
    save_head();
    assert_sound();
    const uint64_t first = fixture.store.entries[0].number;
    assert_int_equal(store_audit_delete_before(&fixture.store, first + 2, &removed, NULL),
                     STATUS_OK);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_MISSING, first, first + 1);
}

static void young_entries_stay(void **state)
{
    (void)state;
    uint64_t removed = 0;
    append_up_to(600);
    make_batches(1, 1);
    assert_int_equal(remove_entries(START_US, &removed), STATUS_NOT_FOUND);
    assert_int_equal(removed, 0);
    /* Up to the first of two checkpoints, by its age. */
    const uint64_t second_us = fixture.store.entries[2 * AUDIT_CHECKPOINT_ENTRIES].timestamp_us;
    assert_int_equal(remove_entries(second_us, &removed), STATUS_OK);
    assert_int_equal(removed, AUDIT_CHECKPOINT_ENTRIES);
}

static void the_newest_seal_stays_so_that_numbers_of_batches_go_on(void **state)
{
    (void)state;
    struct audit_removal removal;
    uint64_t removed = 0;
    make_batches(1, 3);
    append_up_to(600);
    assert_int_equal(remove_rows(before_batch(4), &removal), STATUS_OK);
    assert_int_equal(remove_entries(fixture.now_us, &removed), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(removed_batches_are_no_finding_and_are_counted),
        TEST(nothing_to_remove_changes_nothing),
        TEST(batches_that_do_not_follow_each_other_are_removed_one_by_one),
        TEST(a_row_in_a_removed_batch_is_a_finding),
        TEST(a_failure_removes_no_entry),
        TEST(entries_go_up_to_a_checkpoint_when_their_rows_are_gone),
        TEST(entries_removed_beyond_what_was_said_are_missing),
        TEST(young_entries_stay),
        TEST(the_newest_seal_stays_so_that_numbers_of_batches_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
