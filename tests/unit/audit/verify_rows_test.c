#include "unit/audit/audit_fixture.h"

#define BATCHES 5
#define ROWS    40

static struct store_usage *row(int64_t batch, size_t index)
{
    for (size_t i = 0; i < fixture.store.rows_count; i++) {
        if (fixture.store.rows[i].batch == batch)
            return &fixture.store.rows[i + index];
    }
    fail();
    return NULL;
}

static void make_batches(void)
{
    for (int64_t batch = 1; batch <= BATCHES; batch++)
        add_batch(batch, ROWS);
    save_head();
    assert_sound();
    assert_int_equal(fixture.report.batches, BATCHES);
    assert_int_equal(fixture.report.rows, BATCHES * ROWS);
}

static void remove_row(struct store_usage *gone)
{
    struct store *store = &fixture.store;
    const size_t at = (size_t)(gone - store->rows);
    memmove(gone, gone + 1, (store->rows_count - at - 1) * sizeof(*gone));
    store->rows_count--;
}

static void insert_row(unsigned seed, int64_t batch)
{
    const struct store_usage made = make_row(seed, batch);
    bool is_inserted = false;
    assert_int_equal(store_usage_insert(&fixture.store, &made, &is_inserted, NULL), STATUS_OK);
}

static void assert_row_found(size_t index, enum audit_fault fault, int64_t batch,
                             const struct id *id)
{
    assert_true(index < fixture.findings_count);
    const struct audit_finding *finding = &fixture.findings[index];
    if (finding->fault != fault || finding->batch != batch)
        print_message("%s: %s\n", audit_fault_name(finding->fault), fixture.texts[index]);
    assert_int_equal(finding->fault, fault);
    assert_int_equal(finding->batch, batch);
    if (id != NULL)
        assert_memory_equal(&finding->id, id, sizeof(*id));
}

static void a_changed_row_is_named(void **state)
{
    (void)state;
    make_batches();
    row(3, 17)->tokens[STORE_TOKENS_OUTPUT] = 2;
    const struct id id = row(3, 17)->id;
    assert_int_equal(verify(), 1);
    assert_row_found(0, AUDIT_ROW_CHANGED, 3, &id);
    assert_non_null(strstr(fixture.texts[0], "row 00000bc9-"));
}

static void several_changed_rows_are_each_named(void **state)
{
    (void)state;
    make_batches();
    static const size_t places[] = {0, 1, 20, ROWS - 1};
    for (size_t i = 0; i < 4; i++)
        row(2, places[i])->cost_nanousd = 0;
    assert_int_equal(verify(), 4);
    for (size_t i = 0; i < 4; i++)
        assert_row_found(i, AUDIT_ROW_CHANGED, 2, &row(2, places[i])->id);
}

static void two_rows_that_changed_their_columns_are_both_named(void **state)
{
    (void)state;
    make_batches();
    const int64_t cost = row(2, 5)->cost_nanousd;
    row(2, 5)->cost_nanousd = row(2, 9)->cost_nanousd;
    row(2, 9)->cost_nanousd = cost;
    assert_int_equal(verify(), 2);
    assert_row_found(0, AUDIT_ROW_CHANGED, 2, &row(2, 5)->id);
    assert_row_found(1, AUDIT_ROW_CHANGED, 2, &row(2, 9)->id);
}

static void two_rows_that_changed_their_ids_are_both_named(void **state)
{
    (void)state;
    make_batches();
    const struct id id = row(2, 5)->id;
    row(2, 5)->id = row(2, 9)->id;
    row(2, 9)->id = id;
    fake_sort(&fixture.store);
    assert_int_equal(verify(), 2);
    assert_row_found(0, AUDIT_ROW_CHANGED, 2, &row(2, 5)->id);
    assert_row_found(1, AUDIT_ROW_CHANGED, 2, &row(2, 9)->id);
}

static void a_removed_row_is_told_by_its_neighbours(void **state)
{
    (void)state;
    static const size_t places[] = {0, 17, ROWS - 1};
    make_batches();
    for (size_t i = 0; i < 3; i++) {
        struct store_usage kept = *row(4, places[i]);
        bool is_inserted = false;
        remove_row(row(4, places[i]));
        assert_int_equal(verify(), 1);
        assert_row_found(0, AUDIT_ROW_MISSING, 4, NULL);
        assert_non_null(strstr(fixture.texts[0], "1 of the 40 rows of batch 4 is missing"));
        assert_int_equal(store_usage_insert(&fixture.store, &kept, &is_inserted, NULL), STATUS_OK);
        assert_sound();
    }
}

static void a_batch_whose_rows_are_all_removed_is_named(void **state)
{
    (void)state;
    make_batches();
    for (size_t i = 0; i < ROWS; i++)
        remove_row(row(BATCHES, 0));
    assert_int_equal(verify(), 1);
    assert_row_found(0, AUDIT_ROW_MISSING, BATCHES, NULL);
    assert_string_equal(fixture.texts[0], "40 of the 40 rows of batch 5 are missing");
}

static void many_rows_removed_at_one_place_are_one_finding(void **state)
{
    (void)state;
    add_batch(1, 900);
    save_head();
    struct store *store = &fixture.store;
    memmove(store->rows + 100, store->rows + 600, 300 * sizeof(*store->rows));
    store->rows_count -= 500;
    assert_int_equal(verify(), 1);
    assert_row_found(0, AUDIT_ROW_MISSING, 1, NULL);
    assert_non_null(
        strstr(fixture.texts[0], "500 of the 900 rows of batch 1 are missing, after row"));
}

static void an_added_row_is_named_wherever_it_sorts(void **state)
{
    (void)state;
    make_batches();
    static const unsigned seeds[] = {1, 3500, 999999};
    for (size_t i = 0; i < 3; i++) {
        insert_row(seeds[i], 3);
        const struct id id = make_row(seeds[i], 3).id;
        assert_int_equal(verify(), 1);
        assert_row_found(0, AUDIT_ROW_ADDED, 3, &id);
        for (size_t j = 0; j < fixture.store.rows_count; j++) {
            if (memcmp(&fixture.store.rows[j].id, &id, sizeof(id)) == 0)
                remove_row(&fixture.store.rows[j]);
        }
        assert_sound();
    }
}

static void a_row_that_moved_to_another_batch_is_named_in_both(void **state)
{
    (void)state;
    make_batches();
    const struct id id = row(2, 7)->id;
    row(2, 7)->batch = 4;
    fake_sort(&fixture.store);
    assert_int_equal(verify(), 2);
    assert_row_found(0, AUDIT_ROW_MISSING, 2, NULL);
    assert_row_found(1, AUDIT_ROW_ADDED, 4, &id);
}

static void a_removed_and_an_added_row_far_apart_change_no_others(void **state)
{
    (void)state;
    make_batches();
    remove_row(row(3, 5));
    insert_row(3500, 3);
    assert_int_equal(verify(), 2);
    assert_row_found(0, AUDIT_ROW_MISSING, 3, NULL);
    const struct id id = make_row(3500, 3).id;
    assert_row_found(1, AUDIT_ROW_ADDED, 3, &id);
}

static void rows_without_a_batch_or_of_an_unknown_one_are_named(void **state)
{
    (void)state;
    make_batches();
    const struct id id = make_row(12345, 0).id;
    static const int64_t batches[] = {0, -1, BATCHES + 1, INT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        insert_row(12345, batches[i]);
        assert_int_equal(verify(), 1);
        assert_row_found(0, AUDIT_BATCH_UNSEALED, batches[i], &id);
        remove_row(row(batches[i], 0));
    }
    assert_sound();
}

static void rows_whose_entry_was_removed_are_named_with_it(void **state)
{
    (void)state;
    make_batches();
    struct store *store = &fixture.store;
    memmove(store->entries + 2, store->entries + 3,
            (store->entries_count - 3) * sizeof(*store->entries));
    store->entries_count--;
    assert_int_equal(verify(), 2);
    assert_row_found(0, AUDIT_BATCH_UNSEALED, 3, NULL);
    assert_found(1, AUDIT_ENTRY_MISSING, 3, 3);
}

static void a_new_price_with_its_entry_is_sound_and_without_it_is_not(void **state)
{
    (void)state;
    make_batches();
    for (int round = 0; round < 3; round++) {
        row(2, 3)->cost_nanousd += 5;
        row(2, 3)->price_id = SLICE("another");
        assert_int_equal(verify(), 1);
        assert_row_found(0, AUDIT_ROW_CHANGED, 2, &row(2, 3)->id);
        assert_int_equal(store_begin(&fixture.store, NULL), STATUS_OK);
        assert_int_equal(audit_batch_reseal(fixture.batch, &fixture.store, 2, START_US, NULL),
                         STATUS_OK);
        assert_int_equal(store_commit(&fixture.store, NULL), STATUS_OK);
        assert_sound();
        assert_int_equal(fixture.report.batches, BATCHES);
    }
}

static void more_rows_than_weir_writes_are_not_held_in_memory(void **state)
{
    (void)state;
    make_batches();
    const size_t size = (size_t)17 * 1024 * 1024;
    char *text = alloc_zeroed(1, size);
    assert_non_null(text);
    row(2, 3)->metadata = slice_of(text, size);
    assert_int_equal(verify(), 1);
    assert_row_found(0, AUDIT_BATCH_CHANGED, 2, NULL);
    alloc_free(text);
}

/* What weir does between two readings of the verifier. */
static void reprice_meanwhile(struct store *store)
{
    store->on_list_batch = NULL;
    row(5, 3)->cost_nanousd += 5;
    add_batch(BATCHES + 1, ROWS);
    assert_int_equal(store_begin(store, NULL), STATUS_OK);
    assert_int_equal(audit_batch_reseal(fixture.batch, store, 5, START_US, NULL), STATUS_OK);
    assert_int_equal(store_commit(store, NULL), STATUS_OK);
}

static void what_weir_writes_while_it_is_verified_is_no_finding(void **state)
{
    (void)state;
    make_batches();
    fixture.store.on_list_batch = reprice_meanwhile;
    assert_sound();
    assert_sound();
    assert_int_equal(fixture.report.batches, BATCHES + 1);
}

static void verifying_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    const struct audit_verifier verifier = {.find = keep_finding};
    make_batches();
    append_up_to(300);
    save_head();
    row(2, 3)->status = 500;
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status == STATUS_NO_MEMORY && nth < 1000; nth++) {
        struct reason reason = {""};
        fixture.findings_count = 0;
        alloc_fail_nth(nth);
        status = audit_verify(fixture.audit, &fixture.store, &verifier, &fixture.report, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_NO_MEMORY)
            assert_non_null(strstr(reason.text, "memory"));
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(nth > 5);
    assert_int_equal(fixture.findings_count, 1);
}

/* Every byte of a row's fixed columns and of its texts, one at a time. */
static void every_changed_byte_of_a_row_is_found(void **state)
{
    (void)state;
    add_batch(1, 3);
    save_head();
    struct store_usage *changed = row(1, 1);
    const struct store_usage before = *changed;
    struct slice *texts[] = {&changed->route,
                             &changed->model,
                             &changed->provider,
                             &changed->target_model,
                             &changed->price_id,
                             &changed->outcome,
                             &changed->cache,
                             &changed->context,
                             &changed->client_request_id,
                             &changed->provider_request_id,
                             &changed->idempotency_hash,
                             &changed->metadata};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct slice text = *texts[i];
        char copy[256];
        for (size_t at = 0; at <= text.size; at++) {
            if (text.size > 0)
                memcpy(copy, text.data, text.size);
            copy[at] = (char)(at < text.size ? copy[at] ^ 1 : 'x'); /* changed, or one longer */
            *texts[i] = slice_of(copy, at < text.size ? text.size : text.size + 1);
            assert_int_equal(verify(), 1);
            if (at < text.size) {
                *texts[i] = slice_of(text.data, at); /* cut */
                assert_int_equal(verify(), 1);
            }
        }
        *changed = before;
    }
    struct {
        void *data;
        size_t size;
    } numbers[] = {
        {&changed->timestamp_us, 8},
        {&changed->user_id, 16},
        {&changed->key_id, 16},
        {&changed->team_id, 16},
        {changed->tokens, sizeof(changed->tokens)},
        {&changed->cost_nanousd, 8},
        {&changed->status, sizeof(changed->status)},
        {&changed->attempts, sizeof(changed->attempts)},
        {&changed->latency_us, 8},
        {&changed->first_byte_us, 8},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        for (size_t at = 0; at < numbers[i].size; at++) {
            unsigned char *byte = (unsigned char *)numbers[i].data + at;
            *byte ^= 0x80;
            assert_true(verify() >= 1);
            *byte ^= 0x80;
        }
    }
    bool *flags[] = {&changed->answered, &changed->estimated, &changed->stream};
    for (size_t i = 0; i < 3; i++) {
        *flags[i] = !*flags[i];
        assert_int_equal(verify(), 1);
        *flags[i] = !*flags[i];
    }
    assert_sound();
}

static void unknown_is_neither_zero_nor_empty(void **state)
{
    (void)state;
    add_batch(1, 3);
    save_head();
    assert_int_equal(row(1, 1)->tokens[STORE_TOKENS_AUDIO], STORE_UNKNOWN);
    row(1, 1)->tokens[STORE_TOKENS_AUDIO] = 0;
    assert_int_equal(verify(), 1);
    row(1, 1)->tokens[STORE_TOKENS_AUDIO] = STORE_UNKNOWN;
    assert_int_equal(row(1, 1)->tokens[STORE_TOKENS_CACHED], 0);
    row(1, 1)->tokens[STORE_TOKENS_CACHED] = STORE_UNKNOWN;
    assert_int_equal(verify(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_changed_row_is_named),
        TEST(several_changed_rows_are_each_named),
        TEST(two_rows_that_changed_their_columns_are_both_named),
        TEST(two_rows_that_changed_their_ids_are_both_named),
        TEST(a_removed_row_is_told_by_its_neighbours),
        TEST(a_batch_whose_rows_are_all_removed_is_named),
        TEST(many_rows_removed_at_one_place_are_one_finding),
        TEST(an_added_row_is_named_wherever_it_sorts),
        TEST(a_row_that_moved_to_another_batch_is_named_in_both),
        TEST(a_removed_and_an_added_row_far_apart_change_no_others),
        TEST(rows_without_a_batch_or_of_an_unknown_one_are_named),
        TEST(rows_whose_entry_was_removed_are_named_with_it),
        TEST(a_new_price_with_its_entry_is_sound_and_without_it_is_not),
        TEST(more_rows_than_weir_writes_are_not_held_in_memory),
        TEST(what_weir_writes_while_it_is_verified_is_no_finding),
        TEST(verifying_survives_the_failure_of_each_allocation),
        TEST(every_changed_byte_of_a_row_is_found),
        TEST(unknown_is_neither_zero_nor_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
