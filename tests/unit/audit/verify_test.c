/* The whole chain of 10,000 entries: every single byte of it. */
#include "unit/audit/audit_fixture.h"

#include "audit/canonical.h"
#include "audit/chain_internal.h"

#define COUNT 10000

static void make_chain(void)
{
    int64_t batch = 1;
    while (fixture.store.entries_count < COUNT) {
        if (fixture.store.entries_count % 100 == 50 && batch <= 20)
            add_batch(batch++, 10);
        else
            append_up_to(fixture.store.entries_count + 1);
    }
    fixture.store.entries_count = COUNT;
    save_head();
}

static bool is_genuine(const struct store_audit_entry *entry)
{
    unsigned char hash[STORE_HASH_SIZE];
    struct buffer bytes;
    buffer_init(&bytes, AUDIT_BYTES_MAX);
    assert_int_equal(canonical_entry(entry, &bytes), STATUS_OK);
    audit_entry_hash(audit_keys_of(fixture.audit), &bytes, hash);
    buffer_fini(&bytes);
    return memcmp(hash, entry->hash, sizeof(hash)) == 0;
}

/* Changes each byte of `size` bytes that `bytes` points to, looks, and puts it back. Returns how many
 * changes were not seen. */
static size_t change_each(const struct store_audit_entry *entry, void *bytes, size_t size,
                          unsigned seed)
{
    size_t unseen = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char *byte = (unsigned char *)bytes + i;
        const unsigned char mask = (unsigned char)(1 + (seed + i * 37) % 255);
        *byte ^= mask;
        unseen += is_genuine(entry);
        *byte ^= mask;
    }
    return unseen;
}

static size_t change_text(const struct store_audit_entry *entry, struct slice *text, unsigned seed)
{
    static char copy[4096];
    const struct slice before = *text;
    assert_true(before.size <= sizeof(copy));
    if (before.size > 0)
        memcpy(copy, before.data, before.size);
    *text = slice_of(copy, before.size);
    const size_t unseen = change_each(entry, copy, before.size, seed);
    *text = before;
    return unseen;
}

/* An entry whose own hash does not hold is a finding, wherever it stands; that is what is asked here of
 * every byte, and of the whole verifier for a sample below. */
static void every_changed_byte_of_ten_thousand_entries_is_found(void **state)
{
    (void)state;
    make_chain();
    assert_sound();
    assert_int_equal(fixture.report.entries, COUNT);
    size_t unseen = 0, bytes = 0;
    for (size_t i = 0; i < COUNT; i++) {
        struct store_audit_entry *entry = &fixture.store.entries[i];
        const unsigned seed = (unsigned)i;
        struct slice *texts[] = {&entry->actor, &entry->action, &entry->subject, &entry->details};
        for (size_t j = 0; j < 4; j++) {
            unseen += change_text(entry, texts[j], seed);
            bytes += texts[j]->size;
        }
        unseen += change_each(entry, &entry->number, sizeof(entry->number), seed);
        unseen += change_each(entry, &entry->timestamp_us, sizeof(entry->timestamp_us), seed);
        unseen += change_each(entry, entry->previous_hash, STORE_HASH_SIZE, seed);
        unseen += change_each(entry, entry->hash, STORE_HASH_SIZE, seed);
        bytes += 16 + 2 * STORE_HASH_SIZE;
    }
    print_message("%zu bytes changed, each by itself\n", bytes);
    assert_int_equal(unseen, 0);
}

static void assert_change_found(uint64_t number)
{
    verify();
    for (size_t i = 0; i < fixture.findings_count && i < FINDINGS_MAX; i++) {
        if (fixture.findings[i].number <= number && number <= fixture.findings[i].number_to)
            return;
    }
    fail_msg("no finding about entry %llu", (unsigned long long)number);
}

static void the_verifier_names_the_changed_entry(void **state)
{
    (void)state;
    make_chain();
    for (uint64_t number = 1; number <= COUNT; number += 499) {
        struct store_audit_entry *entry = &fixture.store.entries[number - 1];
        unsigned char *bytes[] = {(unsigned char *)&entry->timestamp_us, entry->previous_hash,
                                  entry->hash};
        unsigned char *byte = bytes[number % 3] + number % 8;
        *byte ^= 0x10;
        assert_change_found(number);
        *byte ^= 0x10;
    }
    assert_sound();
}

static enum status count_progress(void *context, const struct audit_report *so_far)
{
    size_t *calls = context;
    (*calls)++;
    assert_true(so_far->entries <= COUNT);
    return STATUS_OK;
}

static void progress_is_told(void **state)
{
    (void)state;
    size_t calls = 0;
    const struct audit_verifier verifier = {keep_finding, count_progress, &calls};
    make_chain();
    assert_int_equal(audit_verify(fixture.audit, &fixture.store, &verifier, &fixture.report, NULL),
                     STATUS_OK);
    assert_true(calls >= 2);
}

static void faults_have_names(void **state)
{
    (void)state;
    for (int fault = 0; fault < AUDIT_FAULT_COUNT; fault++)
        assert_non_null(audit_fault_name((enum audit_fault)fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_changed_byte_of_ten_thousand_entries_is_found),
        TEST(the_verifier_names_the_changed_entry),
        TEST(progress_is_told),
        TEST(faults_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
