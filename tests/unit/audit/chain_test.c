#include "unit/audit/audit_fixture.h"

#include <pthread.h>
#include <sys/stat.h>

#include "audit/retention.h"

static const struct store_audit_entry *last(void)
{
    return &fixture.store.entries[fixture.store.entries_count - 1];
}

static bool is_last(struct slice action)
{
    return slice_equal(last()->action, action);
}

static void start(void)
{
    assert_int_equal(store_begin(&fixture.store, NULL), STATUS_OK);
    assert_int_equal(audit_start(fixture.audit, &fixture.store, fixture.now_us, &fixture.reason),
                     STATUS_OK);
    assert_int_equal(store_commit(&fixture.store, NULL), STATUS_OK);
    save_head();
}

static void reopen(void)
{
    audit_batch_destroy(&fixture.batch);
    audit_close(&fixture.audit);
    assert_int_equal(audit_open(fixture.folder, false, &fixture.audit, &fixture.reason), STATUS_OK);
    assert_int_equal(audit_batch_create(fixture.audit, &fixture.batch, NULL), STATUS_OK);
}

static void a_new_chain_begins_with_an_entry_that_says_so(void **state)
{
    (void)state;
    start();
    assert_int_equal(fixture.store.entries_count, 1);
    assert_true(is_last(AUDIT_ACTION_BEGIN));
    start();
    assert_int_equal(fixture.store.entries_count, 1);
    assert_sound();
}

static void what_was_appended_stands_in_the_entry(void **state)
{
    (void)state;
    append("key.create", "a-key", "{\"user\":\"alice\"}");
    assert_int_equal(last()->number, 1);
    assert_int_equal(last()->timestamp_us, fixture.now_us);
    assert_true(slice_equal(last()->actor, SLICE("admin.sock")));
    assert_true(is_last(SLICE("key.create")));
    assert_true(slice_equal(last()->subject, SLICE("a-key")));
    assert_true(slice_equal(last()->details, SLICE("{\"user\":\"alice\"}")));
    append("key.revoke", "a-key", "");
    assert_int_equal(last()->number, 2);
    assert_memory_equal(last()->previous_hash, fixture.store.entries[0].hash, STORE_HASH_SIZE);
}

static void a_chain_goes_on_after_it_was_opened_again(void **state)
{
    (void)state;
    start();
    append_up_to(700);
    save_head();
    reopen();
    start();
    append_up_to(1400);
    save_head();
    assert_sound();
    assert_int_equal(fixture.report.checkpoints, 1400 / AUDIT_CHECKPOINT_ENTRIES);
}

static void two_processes_may_append_in_turn(void **state)
{
    (void)state;
    struct audit *other = NULL, *mine = fixture.audit;
    assert_int_equal(audit_open(fixture.folder, false, &other, NULL), STATUS_OK);
    for (size_t count = 1; count < 1500; count += 1 + count % 7) {
        fixture.audit = count % 2 == 0 ? mine : other;
        append_up_to(count);
    }
    fixture.audit = mine;
    save_head();
    assert_sound();
    assert_true(fixture.report.checkpoints >= 5);
    audit_close(&other);
}

/* What keeps other writers out, as BEGIN IMMEDIATE does. */
static pthread_mutex_t transaction = PTHREAD_MUTEX_INITIALIZER;

static void *append_some(void *context)
{
    (void)context;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&transaction);
        append("key.create", "a-key", "");
        if (i % 50 == 0)
            save_head();
        pthread_mutex_unlock(&transaction);
    }
    return NULL;
}

static void two_threads_share_one_chain(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, append_some, NULL), 0);
    append_some(NULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    save_head();
    assert_sound();
    assert_true(fixture.report.entries > 1000);
}

static void what_was_rolled_back_is_forgotten(void **state)
{
    (void)state;
    const struct audit_event event = {
        .actor = SLICE("x"), .action = SLICE("lost"), .now_us = START_US};
    for (size_t count = 1; count < 600; count += 5) {
        append_up_to(count);
        assert_int_equal(store_begin(&fixture.store, NULL), STATUS_OK);
        for (int i = 0; i < 3; i++)
            assert_int_equal(audit_append(fixture.audit, &fixture.store, &event, NULL), STATUS_OK);
        store_rollback(&fixture.store);
    }
    save_head();
    assert_sound();
}

static void a_failed_insert_is_forgotten(void **state)
{
    (void)state;
    const struct audit_event event = {
        .actor = SLICE("x"), .action = SLICE("lost"), .now_us = START_US};
    append_up_to(3);
    fixture.store.insert_status = STATUS_IO;
    struct reason reason = {""};
    assert_int_equal(audit_append(fixture.audit, &fixture.store, &event, &reason), STATUS_IO);
    assert_string_equal(reason.text, "the disk is full");
    fixture.store.insert_status = STATUS_OK;
    append_up_to(6);
    save_head();
    assert_sound();
}

static void a_checkpoint_follows_a_number_of_entries_or_a_day(void **state)
{
    (void)state;
    append_up_to(AUDIT_CHECKPOINT_ENTRIES);
    append("key.create", "one more", "");
    assert_int_equal(fixture.store.entries_count, AUDIT_CHECKPOINT_ENTRIES + 2);
    assert_true(slice_equal(fixture.store.entries[AUDIT_CHECKPOINT_ENTRIES].action,
                            AUDIT_ACTION_CHECKPOINT));
    fixture.now_us += AUDIT_CHECKPOINT_US;
    append("key.create", "next day", "");
    assert_int_equal(fixture.store.entries_count, AUDIT_CHECKPOINT_ENTRIES + 4);
    save_head();
    assert_sound();
    assert_int_equal(fixture.report.last_checkpoint, AUDIT_CHECKPOINT_ENTRIES + 3);
}

static void a_checkpoint_is_not_repeated(void **state)
{
    (void)state;
    assert_int_equal(audit_checkpoint(fixture.audit, &fixture.store, START_US, NULL), STATUS_OK);
    assert_int_equal(fixture.store.entries_count, 0);
    append_up_to(3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(audit_checkpoint(fixture.audit, &fixture.store, START_US, NULL),
                         STATUS_OK);
        assert_int_equal(fixture.store.entries_count, 4);
    }
    save_head();
    assert_sound();
}

static void what_was_changed_before_it_was_read_again_is_not_signed(void **state)
{
    (void)state;
    append_up_to(10);
    fixture.store.entries[4].timestamp_us++;
    reopen();
    assert_int_equal(audit_checkpoint(fixture.audit, &fixture.store, START_US, NULL), STATUS_OK);
    assert_non_null(strstr(last()->details.data, "\"damaged\":true"));
    save_head();
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_CHANGED, 5, 5);
    fixture.store.entries[4].timestamp_us--;
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_CHECKPOINT_BARE, 11, 11);
}

static void entries_cut_off_before_a_start_are_told_for_ever(void **state)
{
    (void)state;
    start();
    append_up_to(20);
    save_head();
    fixture.store.entries_count = 15;
    reopen();
    start();
    assert_true(is_last(AUDIT_ACTION_GAP));
    assert_true(slice_equal(last()->details, SLICE("{\"last\":15,\"head\":20}")));
    append_up_to(400);
    save_head();
    start();
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_TAIL_LOST, 16, 16);
}

static void entries_cut_off_while_weir_runs_are_told_too(void **state)
{
    (void)state;
    start();
    append_up_to(20);
    save_head();
    fixture.store.entries_count = 15;
    save_head(); /* must not hide it */
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_ENTRY_MISSING, 16, 20);
    append("key.create", "", "");
    assert_int_equal(fixture.store.entries_count, 17);
    save_head();
    append_up_to(40);
    save_head();
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_TAIL_LOST, 16, 16);
}

static void a_lost_head_is_told_at_the_start(void **state)
{
    (void)state;
    start();
    append_up_to(20);
    save_head();
    assert_int_equal(unlink(path_of("audit.head")), 0);
    reopen();
    start();
    assert_int_equal(verify(), 1);
    assert_found(0, AUDIT_TAIL_LOST, 21, 21);
}

static void the_head_is_written_once_a_second_or_at_once(void **state)
{
    (void)state;
    struct stat before, after;
    append_up_to(3);
    save_head();
    assert_int_equal(stat(path_of("audit.head"), &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    append_up_to(4);
    assert_int_equal(audit_save_head(fixture.audit, &fixture.store, fixture.now_us, false, NULL),
                     STATUS_OK);
    assert_int_equal(stat(path_of("audit.head"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(
        audit_save_head(fixture.audit, &fixture.store, fixture.now_us + AUDIT_HEAD_US, false, NULL),
        STATUS_OK);
    assert_int_equal(stat(path_of("audit.head"), &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
}

static void the_head_never_knows_more_than_the_disk(void **state)
{
    (void)state;
    struct stat before, after;
    append_up_to(3);
    save_head();
    assert_int_equal(fixture.store.syncs, 1);
    assert_int_equal(stat(path_of("audit.head"), &before), 0);
    append_up_to(4);
    fixture.store.sync_status = STATUS_IO;
    assert_int_equal(audit_save_head(fixture.audit, &fixture.store, fixture.now_us, true, NULL),
                     STATUS_IO);
    assert_int_equal(stat(path_of("audit.head"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    fixture.store.sync_status = STATUS_OK;
    save_head();
    save_head();
    assert_int_equal(fixture.store.syncs, 3); /* nothing is new the last time */
    assert_int_equal(stat(path_of("audit.head"), &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
}

static void another_key_does_not_go_on_with_the_chain(void **state)
{
    (void)state;
    append_up_to(400);
    assert_int_equal(unlink(path_of("audit.key")), 0);
    audit_batch_destroy(&fixture.batch);
    audit_close(&fixture.audit);
    struct reason reason = {""};
    assert_int_equal(audit_open(fixture.folder, true, &fixture.audit, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "restore audit.key from a backup"));
    assert_null(fixture.audit);
    assert_int_equal(unlink(path_of("audit.pub")), 0);
    assert_int_equal(audit_open(fixture.folder, true, &fixture.audit, &reason), STATUS_OK);
    assert_int_equal(audit_start(fixture.audit, &fixture.store, START_US, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "is not the key of the audit chain"));
}

static void a_key_is_made_only_where_that_is_asked_for(void **state)
{
    (void)state;
    struct audit *audit = NULL;
    assert_int_equal(unlink(path_of("audit.key")), 0);
    assert_int_equal(audit_open(fixture.folder, false, &audit, NULL), STATUS_NOT_FOUND);
    assert_null(audit);
    assert_int_equal(access(path_of("audit.key"), F_OK), -1);
}

static void details_that_are_too_long_are_refused(void **state)
{
    (void)state;
    static char details[AUDIT_DETAILS_BYTES_MAX + 1];
    struct reason reason = {""};
    const struct audit_event event = {.actor = SLICE("x"),
                                      .action = SLICE("y"),
                                      .details = slice_of(details, sizeof(details)),
                                      .now_us = START_US};
    assert_int_equal(audit_append(fixture.audit, &fixture.store, &event, &reason),
                     STATUS_TOO_LARGE);
    assert_non_null(strstr(reason.text, "details"));
}

static void appending_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    const struct audit_event event = {
        .actor = SLICE("x"), .action = SLICE("y"), .details = SLICE("{}"), .now_us = START_US};
    append_up_to(AUDIT_CHECKPOINT_ENTRIES);
    reopen();
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status == STATUS_NO_MEMORY && nth < 100; nth++) {
        assert_int_equal(store_begin(&fixture.store, NULL), STATUS_OK);
        alloc_fail_nth(nth);
        status = audit_append(fixture.audit, &fixture.store, &event, NULL);
        alloc_fail_nth(-1);
        if (status == STATUS_OK)
            assert_int_equal(store_commit(&fixture.store, NULL), STATUS_OK);
        else
            store_rollback(&fixture.store);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(nth > 1);
    save_head();
    assert_sound();
}

static void opening_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct audit *audit = NULL;
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status != STATUS_OK && nth < 100; nth++) {
        alloc_fail_nth(nth);
        status = audit_open(fixture.folder, true, &audit, NULL);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || audit == NULL);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(nth > 3);
    audit_close(&audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_chain_begins_with_an_entry_that_says_so),
        TEST(what_was_appended_stands_in_the_entry),
        TEST(a_chain_goes_on_after_it_was_opened_again),
        TEST(two_processes_may_append_in_turn),
        TEST(two_threads_share_one_chain),
        TEST(what_was_rolled_back_is_forgotten),
        TEST(a_failed_insert_is_forgotten),
        TEST(a_checkpoint_follows_a_number_of_entries_or_a_day),
        TEST(a_checkpoint_is_not_repeated),
        TEST(what_was_changed_before_it_was_read_again_is_not_signed),
        TEST(entries_cut_off_before_a_start_are_told_for_ever),
        TEST(entries_cut_off_while_weir_runs_are_told_too),
        TEST(a_lost_head_is_told_at_the_start),
        TEST(the_head_is_written_once_a_second_or_at_once),
        TEST(the_head_never_knows_more_than_the_disk),
        TEST(another_key_does_not_go_on_with_the_chain),
        TEST(a_key_is_made_only_where_that_is_asked_for),
        TEST(details_that_are_too_long_are_refused),
        TEST(appending_survives_the_failure_of_each_allocation),
        TEST(opening_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
