#include "unit/audit/audit_fixture.h"

#include "audit/details.h"

static const struct store_audit_entry *last(void)
{
    return &fixture.store.entries[fixture.store.entries_count - 1];
}

static void add(unsigned seed, int64_t batch)
{
    const struct store_usage row = make_row(seed, batch);
    assert_int_equal(audit_batch_add(fixture.batch, &row, NULL), STATUS_OK);
}

static void seal(int64_t batch)
{
    assert_int_equal(
        audit_batch_seal(fixture.batch, &fixture.store, batch, fixture.now_us, &fixture.reason),
        STATUS_OK);
}

static void a_seal_says_how_many_rows_and_their_hash(void **state)
{
    (void)state;
    uint64_t rows = 0;
    struct slice tags;
    unsigned char hash[32];
    for (unsigned i = 0; i < 10; i++)
        add(i, 3);
    seal(3);
    assert_true(slice_equal(last()->action, AUDIT_ACTION_BATCH));
    assert_true(slice_equal(last()->subject, SLICE("3")));
    assert_int_equal(details_u64(last()->details, "rows", &rows), STATUS_OK);
    assert_int_equal(rows, 10);
    assert_int_equal(details_hex(last()->details, "hash", hash, sizeof(hash)), STATUS_OK);
    assert_int_equal(details_find(last()->details, "tags", &tags), STATUS_OK);
    assert_int_equal(tags.size, 40);
}

static void the_order_in_which_rows_come_makes_no_difference(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        add(i, 3);
    seal(3);
    for (unsigned i = 0; i < 100; i++)
        add((i * 37 + 11) % 100, 3);
    seal(3);
    const struct store_audit_entry *entries = fixture.store.entries;
    assert_true(slice_equal(entries[0].details, entries[1].details));
}

static void all_that_is_not_known_is_sealed_alike(void **state)
{
    (void)state;
    struct store_usage row = make_row(1, 3);
    for (int64_t unknown = -1; unknown >= -2; unknown--) {
        row.tokens[STORE_TOKENS_AUDIO] = row.cost_nanousd = row.first_byte_us = unknown;
        row.latency_us = unknown;
        assert_int_equal(audit_batch_add(fixture.batch, &row, NULL), STATUS_OK);
        seal(3);
    }
    const struct store_audit_entry *entries = fixture.store.entries;
    assert_true(slice_equal(entries[0].details, entries[1].details));
}

static void a_batch_without_rows_is_not_sealed(void **state)
{
    (void)state;
    seal(1);
    assert_int_equal(fixture.store.entries_count, 0);
    add(1, 1);
    audit_batch_clear(fixture.batch);
    seal(1);
    assert_int_equal(fixture.store.entries_count, 0);
}

static void the_largest_batch_can_be_sealed_and_one_more_row_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AUDIT_BATCH_ROWS_MAX; i++)
        add(i, 3);
    const struct store_usage row = make_row(AUDIT_BATCH_ROWS_MAX, 3);
    struct reason reason = {""};
    assert_int_equal(audit_batch_add(fixture.batch, &row, &reason), STATUS_TOO_LARGE);
    assert_non_null(strstr(reason.text, "after 65536 others"));
    seal(3);
    assert_int_equal(fixture.store.entries_count, 1);
    add(1, 4);
    seal(4);
    assert_int_equal(fixture.store.entries_count, 2);
}

static void sealing_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status == STATUS_NO_MEMORY && nth < 100; nth++) {
        struct audit_batch *batch = NULL;
        alloc_fail_nth(nth);
        status = audit_batch_create(fixture.audit, &batch, NULL);
        for (unsigned i = 0; i < 300 && status == STATUS_OK; i++) {
            const struct store_usage row = make_row(i, 1);
            status = audit_batch_add(batch, &row, NULL);
        }
        if (status == STATUS_OK)
            status = audit_batch_seal(batch, &fixture.store, 1, START_US, NULL);
        alloc_fail_nth(-1);
        audit_batch_destroy(&batch);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(nth > 5);
    assert_int_equal(fixture.store.entries_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_seal_says_how_many_rows_and_their_hash),
        TEST(the_order_in_which_rows_come_makes_no_difference),
        TEST(all_that_is_not_known_is_sealed_alike),
        TEST(a_batch_without_rows_is_not_sealed),
        TEST(the_largest_batch_can_be_sealed_and_one_more_row_is_refused),
        TEST(sealing_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
