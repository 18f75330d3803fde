/* Every call of SQLite's to the disk and to the heap fails in turn: whatever the store then says, a
 * change that failed changed nothing, and one that succeeded is there whole. */
#include "store/sqlite/transactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/store/ledger.h"
#include "unit/store/sqlite/faults.h"

#define NTH_MAX 20000
/* Preparing statements makes thousands of allocations, of which the later ones are sampled. */
#define MEMORY_STRIDE 40

/* What is in the tables, as one text. */
#define PRINT                                                                                      \
    "SELECT (SELECT count(*) || ':' || total(cost_nanousd) || ':' || total(batch) FROM "           \
    "usage_logs)"                                                                                  \
    " || ' ' || (SELECT count(*) FROM usage_attempts) || ' ' || (SELECT count(*) FROM usage_open)" \
    " || ' ' || (SELECT total(requests) || ':' || total(cost_nanousd) FROM usage_hourly)"          \
    " || ' ' || (SELECT total(requests) || ':' || total(cost_nanousd) FROM usage_daily)"           \
    " || ' ' || (SELECT total(requests) || ':' || total(cost_nanousd) FROM usage_hourly_all)"      \
    " || ' ' || (SELECT total(segment) FROM journal_positions)"                                    \
    " || ' ' || (SELECT newest FROM usage_batches) || ' ' || (SELECT count(*) FROM prices)"        \
    " || ' ' || (SELECT count(*) FROM audit_log)"

static enum status add_row(struct store *store, unsigned number, int64_t batch)
{
    struct store_usage usage = ledger_usage(number);
    struct store_sum sum;
    bool inserted = false;
    usage.batch = batch;
    enum status status = store_usage_insert(store, &usage, &inserted, NULL);
    store_sum_of(&usage, &sum);
    if (status == STATUS_OK)
        status = store_sum_add(store, &sum, NULL);
    return status;
}

static enum status fill_batch(struct store *store)
{
    const struct store_attempt attempt = {.request_id = database_id(2), .number = 1};
    const struct store_open open = {.id = database_id(9), .record = SLICE("x")};
    const struct store_position position = {.generation = 1, .segment = 5};
    const struct store_audit_entry entry = {.number = 2};
    int64_t batch = 0;
    enum status status = store_batch_next(store, &batch, NULL);
    if (status == STATUS_OK)
        status = add_row(store, 2, batch);
    if (status == STATUS_OK)
        status = store_attempt_insert(store, &attempt, NULL);
    if (status == STATUS_OK)
        status = store_open_insert(store, &open, NULL);
    if (status == STATUS_OK)
        status = store_position_set(store, &position, NULL);
    return status == STATUS_OK ? store_audit_insert(store, &entry, NULL) : status;
}

static enum status run_batch(struct store *store)
{
    enum status status = store_begin(store, NULL);
    if (status != STATUS_OK)
        return status;
    status = fill_batch(store);
    if (status == STATUS_OK)
        return store_commit(store, NULL);
    store_rollback(store);
    return status;
}

static enum status run_cost(struct store *store)
{
    const struct store_usage usage = ledger_usage(1);
    return store_usage_set_cost(store, &usage, 77, SLICE("anew"), NULL);
}

static enum status run_sum(struct store *store)
{
    struct store_sum sum;
    const struct store_usage usage = ledger_usage(1);
    store_sum_of(&usage, &sum);
    return store_sum_add(store, &sum, NULL);
}

static enum status run_retention(struct store *store)
{
    uint64_t deleted = 0;
    return store_retention_delete(store, 1, 10, &deleted, NULL);
}

static enum status run_price(struct store *store)
{
    const struct store_price price = {.provider = SLICE("p"), .model = SLICE("m")};
    return store_price_set(store, &price, NULL);
}

static enum status run_open_delete(struct store *store)
{
    const struct id id = database_id(8);
    return store_open_delete(store, &id, NULL);
}

static enum status run_audit_delete(struct store *store)
{
    uint64_t deleted = 0;
    return store_audit_delete_before(store, 2, &deleted, NULL);
}

static enum status run_batch_next(struct store *store)
{
    int64_t batch = 0;
    return store_batch_next(store, &batch, NULL);
}

static enum status (*const changes[])(struct store *store) = {
    run_batch, run_cost,        run_sum,          run_retention,
    run_price, run_open_delete, run_audit_delete, run_batch_next,
};

static void prepare(void)
{
    const struct store_attempt attempt = {.request_id = database_id(1), .number = 1};
    const struct store_open open = {.id = database_id(8), .record = SLICE("x")};
    const struct store_audit_entry entry = {.number = 1};
    struct store *store = database_open();
    const struct store_usage usage = ledger_usage(1);
    ledger_add(store, &usage);
    assert_int_equal(store_attempt_insert(store, &attempt, NULL), STATUS_OK);
    assert_int_equal(store_open_insert(store, &open, NULL), STATUS_OK);
    assert_int_equal(store_audit_insert(store, &entry, NULL), STATUS_OK);
    store_close(&store);
}

/* The prepared database, which each run starts from. */
static unsigned char image[1 << 20];
static size_t image_size;

static void take_image(void)
{
    assert_int_equal(database_make_folder(NULL), 0);
    prepare();
    FILE *file = fopen(database_path(), "r");
    assert_non_null(file);
    image_size = fread(image, 1, sizeof(image), file);
    assert_in_range(image_size, 4096, sizeof(image) - 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(database_remove_folder(NULL), 0);
}

static void restore_image(void)
{
    FILE *file = fopen(database_path(), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(image, 1, image_size, file), image_size);
    assert_int_equal(fclose(file), 0);
}

/* Runs the change once with the nth call failing; false once there is no nth call. */
static bool fails_whole(size_t change, enum fault fault, int nth)
{
    char before[256];
    restore_image();
    (void)snprintf(before, sizeof(before), "%s", ledger_ask_text(PRINT));
    struct store *store = database_open();
    faults_arm(fault, nth);
    const enum status status = changes[change](store);
    const bool fired = faults.fired;
    faults_arm(FAULT_NONE, -1);
    if (status == STATUS_OK)
        assert_string_not_equal(ledger_ask_text(PRINT), before);
    else
        assert_string_equal(ledger_ask_text(PRINT), before);
    /* The store goes on working. */
    assert_int_equal(store_begin(store, NULL), STATUS_OK);
    store_rollback(store);
    store_close(&store);
    if (fault != FAULT_MEMORY)
        assert_string_equal(ledger_ask_text("PRAGMA integrity_check"), "ok");
    if (!fired)
        assert_int_equal(status, STATUS_OK);
    return fired;
}

static void check(enum fault fault, int nth_min)
{
    take_image();
    for (size_t change = 0; change < sizeof(changes) / sizeof(changes[0]); change++) {
        int nth = 0;
        bool fired = true;
        while (fired && nth < NTH_MAX) {
            assert_int_equal(database_make_folder(NULL), 0);
            fired = fails_whole(change, fault, nth);
            nth += fault == FAULT_MEMORY ? 1 + nth / MEMORY_STRIDE : 1;
            assert_int_equal(database_remove_folder(NULL), 0);
        }
        assert_false(fired);
        assert_in_range(nth, nth_min, NTH_MAX + NTH_MAX / MEMORY_STRIDE);
    }
}

static void a_disk_that_fails_once_leaves_no_half_change(void **state)
{
    (void)state;
    check(FAULT_DISK, 5);
}

static void a_full_disk_leaves_no_half_change(void **state)
{
    (void)state;
    check(FAULT_DISK_FULL, 2);
}

static void a_failed_allocation_leaves_no_half_change(void **state)
{
    (void)state;
    check(FAULT_MEMORY, 5);
}

static enum status ignore_line(void *context, const struct store_report_line *line)
{
    (void)context;
    (void)line;
    return STATUS_OK;
}

static void a_report_says_that_it_could_not_be_read(void **state)
{
    static const enum fault kinds[] = {FAULT_DISK, FAULT_MEMORY};
    const struct store_report report = {.by = STORE_GROUP_USER, .until_us = NOON_US + DAY_US};
    (void)state;
    assert_int_equal(database_make_folder(NULL), 0);
    prepare();
    for (size_t kind = 0; kind < 2; kind++) {
        bool fired = true;
        int failures = 0;
        for (int nth = 0; fired && nth < NTH_MAX; nth++) {
            struct store *store = database_open();
            struct reason reason = {""};
            faults_arm(kinds[kind], nth);
            const enum status status = store_report(store, &report, ignore_line, NULL, &reason);
            fired = faults.fired;
            faults_arm(FAULT_NONE, -1);
            if (status != STATUS_OK) {
                failures++;
                assert_true(reason.text[0] != '\0');
            }
            store_close(&store);
        }
        assert_false(fired);
        assert_in_range(failures, 1, NTH_MAX);
    }
    assert_int_equal(database_remove_folder(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_that_fails_once_leaves_no_half_change),
        cmocka_unit_test(a_full_disk_leaves_no_half_change),
        cmocka_unit_test(a_failed_allocation_leaves_no_half_change),
        cmocka_unit_test(a_report_says_that_it_could_not_be_read),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
