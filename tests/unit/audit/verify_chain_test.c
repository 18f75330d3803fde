#include "unit/audit/audit_fixture.h"

#define COUNT 1000

static struct store_audit_entry *entry(uint64_t number)
{
    return &fixture.store.entries[number - 1];
}

static void make_chain(void)
{
    append_up_to(COUNT);
    save_head();
    assert_sound();
    assert_int_equal(fixture.report.entries, COUNT);
    assert_int_equal(fixture.report.last, COUNT);
}

static void drop(uint64_t from, uint64_t to)
{
    struct store *store = &fixture.store;
    memmove(store->entries + from - 1, store->entries + to,
            (store->entries_count - to) * sizeof(*store->entries));
    store->entries_count -= to - from + 1;
}

static void renumber(void)
{
    for (size_t i = 0; i < fixture.store.entries_count; i++)
        fixture.store.entries[i].number = i + 1;
}

static void an_empty_chain_without_a_head_was_emptied(void **state)
{
    (void)state;
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_HEAD_WRONG, 0, 0);
}

static void a_changed_entry_is_named(void **state)
{
    (void)state;
    make_chain();
    entry(500)->subject = SLICE("key-501");
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_CHANGED, 500, 500);
    assert_string_equal(fixture.texts[0], "entry 500 is not as it was written");
}

static void the_first_the_last_and_a_checkpoint_are_entries_like_others(void **state)
{
    (void)state;
    make_chain();
    static const uint64_t numbers[] = {1, 257, COUNT};
    for (size_t i = 0; i < 3; i++) {
        const struct store_audit_entry before = *entry(numbers[i]);
        entry(numbers[i])->timestamp_us++;
        assert_int_equal(verify(), 1);
        assert_found(0, AUDIT_ENTRY_CHANGED, numbers[i], numbers[i]);
        *entry(numbers[i]) = before;
    }
    assert_sound();
}

static void removed_entries_are_named(void **state)
{
    (void)state;
    make_chain();
    drop(300, 300);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_MISSING, 300, 300);
    drop(100, 109);
    assert_int_equal(verify(), 2);
    assert_found(0, AUDIT_ENTRY_MISSING, 100, 109);
    drop(1, 5);
    assert_int_equal(verify(), 3);
    assert_found(0, AUDIT_ENTRY_MISSING, 1, 5);
}

static void a_removal_hidden_by_new_numbers_is_named(void **state)
{
    (void)state;
    make_chain();
    drop(300, 300);
    renumber();
    assert_int_equal(verify(), 2);
    assert_found(0, AUDIT_ENTRY_MOVED, 300, COUNT - 1);
    assert_found(1, AUDIT_ENTRY_MISSING, 300, 300);
}

static void entries_cut_off_the_end_are_named(void **state)
{
    (void)state;
    make_chain();
    drop(990, COUNT);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_MISSING, 990, COUNT);
    assert_non_null(strstr(fixture.texts[0], "cut off the end"));
    drop(1, 989);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_MISSING, 1, COUNT);
}

static void what_the_head_does_not_know_yet_can_be_cut_off_unseen(void **state)
{
    (void)state;
    make_chain();
    append("key.revoke", "key-1", "");
    drop(COUNT + 1, COUNT + 1);
    assert_sound(); /* docs/audit.md says so */
}

static void two_entries_that_changed_places_are_named(void **state)
{
    (void)state;
    make_chain();
    const struct store_audit_entry kept = *entry(400);
    *entry(400) = *entry(700);
    *entry(700) = kept;
    entry(400)->number = 400;
    entry(700)->number = 700;
    assert_int_equal(verify(), 2);
    assert_found(0, AUDIT_ENTRY_MOVED, 400, 400);
    assert_found(1, AUDIT_ENTRY_MOVED, 700, 700);
    assert_string_equal(fixture.texts[0], "what stands as entry 400 was written as entry 700");
}

static void an_entry_that_stands_twice_is_named(void **state)
{
    (void)state;
    make_chain();
    struct store_audit_entry copy = *entry(400);
    copy.number = COUNT + 1;
    assert_int_equal(store_audit_insert(&fixture.store, &copy, NULL), STATUS_OK);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_MOVED, COUNT + 1, COUNT + 1);
}

static void an_entry_put_in_the_place_of_another_is_named_with_the_missing_one(void **state)
{
    (void)state;
    make_chain();
    *entry(700) = *entry(400);
    entry(700)->number = 700;
    assert_int_equal(verify(), 2);
    assert_found(0, AUDIT_ENTRY_MOVED, 700, 700);
    assert_found(1, AUDIT_ENTRY_MISSING, 700, 700);
}

static struct store_audit_entry forged(uint64_t number)
{
    struct store_audit_entry made = *entry(number);
    made.subject = SLICE("forged");
    memset(made.hash, 7, sizeof(made.hash));
    return made;
}

static void an_entry_added_at_the_end_is_named(void **state)
{
    (void)state;
    make_chain();
    struct store_audit_entry made = forged(COUNT);
    made.number = COUNT + 1;
    memcpy(made.previous_hash, entry(COUNT)->hash, sizeof(made.previous_hash));
    assert_int_equal(store_audit_insert(&fixture.store, &made, NULL), STATUS_OK);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_ADDED, COUNT + 1, COUNT + 1);
}

static void an_entry_put_in_between_is_named(void **state)
{
    (void)state;
    make_chain();
    const struct store_audit_entry last = *entry(COUNT), made = forged(300);
    memmove(entry(301), entry(300), (COUNT - 300) * sizeof(made));
    *entry(300) = made;
    renumber();
    struct store_audit_entry moved = last;
    moved.number = COUNT + 1;
    assert_int_equal(store_audit_insert(&fixture.store, &moved, NULL), STATUS_OK);
    assert_int_equal(verify(), 2);
    assert_found(0, AUDIT_ENTRY_MOVED, 301, COUNT + 1);
    assert_found(1, AUDIT_ENTRY_ADDED, 300, 300);
}

static void the_end_of_an_older_history_is_named(void **state)
{
    (void)state;
    make_chain();
    /* An older backup is restored and goes on; then the newer end is put back behind it. */
    const struct store_audit_entry kept = *entry(COUNT);
    drop(COUNT - 2, COUNT);
    append("key.create", "another", "");
    assert_int_equal(fixture.store.entries_count, COUNT - 1);
    assert_int_equal(store_audit_insert(&fixture.store, &kept, NULL), STATUS_OK);
    assert_int_equal(verify(), 2);
    assert_found(0, AUDIT_TAIL_LOST, COUNT - 2, COUNT - 2);
    assert_found(1, AUDIT_ENTRY_UNLINKED, COUNT, COUNT);
}

static void a_head_that_was_changed_or_removed_is_named(void **state)
{
    (void)state;
    make_chain();
    FILE *file = fopen(path_of("audit.head"), "r+");
    assert_non_null(file);
    assert_int_equal(fputc('9', file), '9');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_HEAD_WRONG, 0, 0);
    assert_int_equal(unlink(path_of("audit.head")), 0);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_HEAD_WRONG, 0, 0);
}

static void an_entry_longer_than_weir_writes_is_changed(void **state)
{
    (void)state;
    make_chain();
    const size_t size = (size_t)17 * 1024 * 1024;
    char *text = alloc_zeroed(1, size);
    assert_non_null(text);
    entry(10)->details = slice_of(text, size);
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_CHANGED, 10, 10);
    alloc_free(text);
}

static enum status stop_at_once(void *context, const struct audit_finding *finding)
{
    (void)context;
    (void)finding;
    return STATUS_CANCELLED;
}

static void the_verifier_can_stop_it(void **state)
{
    (void)state;
    const struct audit_verifier verifier = {.find = stop_at_once};
    make_chain();
    entry(10)->timestamp_us++;
    assert_int_equal(audit_verify(fixture.audit, &fixture.store, &verifier, &fixture.report, NULL),
                     STATUS_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_chain_without_a_head_was_emptied),
        TEST(a_changed_entry_is_named),
        TEST(the_first_the_last_and_a_checkpoint_are_entries_like_others),
        TEST(removed_entries_are_named),
        TEST(a_removal_hidden_by_new_numbers_is_named),
        TEST(entries_cut_off_the_end_are_named),
        TEST(what_the_head_does_not_know_yet_can_be_cut_off_unseen),
        TEST(two_entries_that_changed_places_are_named),
        TEST(an_entry_that_stands_twice_is_named),
        TEST(an_entry_put_in_the_place_of_another_is_named_with_the_missing_one),
        TEST(an_entry_added_at_the_end_is_named),
        TEST(an_entry_put_in_between_is_named),
        TEST(the_end_of_an_older_history_is_named),
        TEST(a_head_that_was_changed_or_removed_is_named),
        TEST(an_entry_longer_than_weir_writes_is_changed),
        TEST(the_verifier_can_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
