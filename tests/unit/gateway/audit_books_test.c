#include "gateway/audit_books.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/alloc.h"
#include "store/store_usage.h"

#define START_US UINT64_C(1700000000000000)
#define HOUR_US  UINT64_C(3600000000)

static struct fixture {
    char folder[64];
    struct store *store;
    struct audit *audit;
    struct audit_books *books;
    struct batch_seal seal;
    uint64_t rows;
    struct audit_report report;
} fixture;

static uint64_t now_us;

static uint64_t clock_of_test(void)
{
    return now_us;
}

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", fixture.folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof(fixture));
    memcpy(fixture.folder, "/tmp/weir-books-XXXXXX", sizeof("/tmp/weir-books-XXXXXX"));
    now_us = START_US;
    if (mkdtemp(fixture.folder) == NULL)
        return -1;
    const struct store_config config = {.path = path_of("weir.db"), .create = true};
    if (store_open(&config, &fixture.store, NULL) != STATUS_OK ||
        audit_open(fixture.folder, true, &fixture.audit, NULL) != STATUS_OK ||
        store_begin(fixture.store, NULL) != STATUS_OK ||
        audit_start(fixture.audit, fixture.store, now_us, NULL) != STATUS_OK ||
        store_commit(fixture.store, NULL) != STATUS_OK ||
        audit_books_create(fixture.audit, clock_of_test, &fixture.books, NULL) != STATUS_OK)
        return -1;
    fixture.seal = audit_books_seal(fixture.books);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"secrets/audit.key",  "secrets/audit.pub",
                                        "secrets/audit.head", "weir.db",
                                        "weir.db-wal",        "weir.db-shm"};
    audit_books_destroy(&fixture.books);
    audit_close(&fixture.audit);
    store_close(&fixture.store);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_of(names[i]));
    rmdir(path_of("secrets"));
    return rmdir(fixture.folder);
}

/* As the ledger's batch does it; without `commits` it is rolled back at the end. */
static void apply(unsigned rows, bool commits)
{
    int64_t number = 0;
    assert_int_equal(store_begin(fixture.store, NULL), STATUS_OK);
    assert_int_equal(store_batch_next(fixture.store, &number, NULL), STATUS_OK);
    assert_int_equal(fixture.seal.begin(fixture.seal.context, fixture.store, number, NULL),
                     STATUS_OK);
    for (unsigned i = 0; i < rows; i++) {
        struct store_usage usage = {.id = id_make(now_us),
                                    .timestamp_us = now_us,
                                    .batch = number,
                                    .outcome = SLICE("completed")};
        bool inserted = false;
        assert_int_equal(store_usage_insert(fixture.store, &usage, &inserted, NULL), STATUS_OK);
        assert_true(inserted);
        assert_int_equal(fixture.seal.row(fixture.seal.context, &usage, NULL), STATUS_OK);
    }
    if (!commits) {
        store_rollback(fixture.store);
        return;
    }
    assert_int_equal(fixture.seal.finish(fixture.seal.context, fixture.store, NULL), STATUS_OK);
    assert_int_equal(store_commit(fixture.store, NULL), STATUS_OK);
    fixture.rows += rows;
}

static enum status on_finding(void *context, const struct audit_finding *finding)
{
    (void)context;
    print_error("%.*s\n", SLICE_ARGS(finding->text));
    return STATUS_OK;
}

static void assert_clean(void)
{
    const struct audit_verifier verifier = {.find = on_finding};
    assert_int_equal(audit_save_head(fixture.audit, fixture.store, now_us, true, NULL), STATUS_OK);
    assert_int_equal(audit_verify(fixture.audit, fixture.store, &verifier, &fixture.report, NULL),
                     STATUS_OK);
    assert_int_equal(fixture.report.findings, 0);
    assert_int_equal(fixture.report.rows + fixture.report.rows_removed, fixture.rows);
}

static void the_rows_of_each_batch_are_sealed(void **state)
{
    (void)state;
    apply(3, true);
    apply(1, true);
    assert_clean();
    assert_int_equal(fixture.report.batches, 2);
}

static void rows_of_a_transaction_that_failed_are_forgotten(void **state)
{
    (void)state;
    apply(3, false);
    apply(2, true);
    assert_clean();
    assert_int_equal(fixture.report.rows, 2);
}

static void old_rows_leave_in_steps_then_their_entries_and_nothing_is_found(void **state)
{
    (void)state;
    unsigned steps = 0;
    for (unsigned i = 0; i < 300; i++) {
        apply(1, true);
        now_us += 1000000;
    }
    now_us += 2 * HOUR_US;
    apply(4, true);
    while (audit_books_retain(fixture.books, fixture.store, now_us - HOUR_US, NULL) == STATUS_OK)
        assert_true(++steps < 10);
    assert_in_range(steps, 2, 9);
    assert_int_equal(audit_books_retain(fixture.books, fixture.store, now_us - HOUR_US, NULL),
                     STATUS_NOT_FOUND);
    assert_clean();
    assert_int_equal(fixture.report.rows, 4);
    assert_int_equal(fixture.report.rows_removed, 300);
    assert_true(fixture.report.entries_removed > 200);
}

static void making_books_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct audit_books *books = NULL;
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status == STATUS_NO_MEMORY; nth++) {
        alloc_fail_nth(nth);
        status = audit_books_create(fixture.audit, clock_of_test, &books, NULL);
        alloc_fail_nth(-1);
        assert_true((status == STATUS_OK) == (books != NULL));
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(nth > 2);
    audit_books_destroy(&books);
    assert_null(books);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_rows_of_each_batch_are_sealed),
        TEST(rows_of_a_transaction_that_failed_are_forgotten),
        TEST(old_rows_leave_in_steps_then_their_entries_and_nothing_is_found),
        TEST(making_books_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
