#include "store/store_usage.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/alloc.h"
#include "store/sqlite/connection.h"
#include "unit/store/ledger.h"

static const char hash[] = "0123456789abcde\0fedcba987654321\n";

static struct store_usage full_usage(unsigned number)
{
    struct store_usage usage = ledger_usage(number);
    usage.team_id = database_id(3);
    usage.route = SLICE("/v1/chat/completions");
    usage.target_model = SLICE("gpt-4o-2024-08-06");
    usage.price_id = SLICE("catalogue-1");
    usage.estimated = true;
    usage.attempts = 3;
    usage.cache = SLICE("miss");
    usage.context = SLICE("dropped=4");
    usage.stream = true;
    usage.first_byte_us = 0;
    usage.client_request_id = SLICE("c-1");
    usage.provider_request_id = SLICE("p-1");
    usage.idempotency_hash = slice_of(hash, 32);
    usage.metadata = SLICE("{\"project\":\"x\"}");
    return usage;
}

static void assert_same_usage(const struct store_usage *a, const struct store_usage *b)
{
    assert_memory_equal(&a->id, &b->id, sizeof(a->id));
    assert_memory_equal(&a->user_id, &b->user_id, sizeof(a->id));
    assert_memory_equal(&a->key_id, &b->key_id, sizeof(a->id));
    assert_memory_equal(&a->team_id, &b->team_id, sizeof(a->id));
    assert_int_equal(a->timestamp_us, b->timestamp_us);
    assert_true(slice_equal(a->route, b->route));
    assert_true(slice_equal(a->model, b->model));
    assert_true(slice_equal(a->provider, b->provider));
    assert_true(slice_equal(a->target_model, b->target_model));
    assert_memory_equal(a->tokens, b->tokens, sizeof(a->tokens));
    assert_true(a->cost_nanousd == b->cost_nanousd);
    assert_true(slice_equal(a->price_id, b->price_id));
    assert_int_equal(a->status, b->status);
    assert_true(slice_equal(a->outcome, b->outcome));
    assert_int_equal(a->answered, b->answered);
    assert_int_equal(a->estimated, b->estimated);
    assert_int_equal(a->attempts, b->attempts);
    assert_true(slice_equal(a->cache, b->cache));
    assert_true(slice_equal(a->context, b->context));
    assert_int_equal(a->stream, b->stream);
    assert_true(a->latency_us == b->latency_us);
    assert_true(a->first_byte_us == b->first_byte_us);
    assert_true(slice_equal(a->client_request_id, b->client_request_id));
    assert_true(slice_equal(a->provider_request_id, b->provider_request_id));
    assert_true(slice_equal(a->idempotency_hash, b->idempotency_hash));
    assert_true(slice_equal(a->metadata, b->metadata));
    assert_true(a->batch == b->batch);
}

struct expectation {
    const struct store_usage *rows;
    size_t seen;
};

static enum status compare_row(void *context, const struct store_usage *usage)
{
    struct expectation *expected = context;
    assert_same_usage(usage, &expected->rows[expected->seen++]);
    return STATUS_OK;
}

static void a_row_is_read_as_it_was_written(void **state)
{
    struct store_usage empty = {.id = database_id(2), .timestamp_us = 1, .batch = 1};
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        empty.tokens[i] = STORE_UNKNOWN;
    empty.cost_nanousd = empty.latency_us = empty.first_byte_us = STORE_UNKNOWN;
    const struct store_usage rows[] = {full_usage(1), empty};
    struct expectation expected = {rows, 0};
    ledger_add(*state, &rows[1]);
    ledger_add(*state, &rows[0]);
    assert_int_equal(store_usage_list_batch(*state, 1, compare_row, &expected, NULL), STATUS_OK);
    assert_int_equal(expected.seen, 2);
    assert_int_equal(
        ledger_ask("SELECT count(*) FROM usage_logs WHERE user_id IS NULL AND route IS "
                   "NULL AND cost_nanousd IS NULL AND status IS NULL AND input_tokens "
                   "IS NULL AND cache IS NULL AND idempotency_hash IS NULL"),
        1);
}

static void numbers_at_the_end_of_their_range_stay_what_they_are(void **state)
{
    struct store_usage usage = full_usage(1);
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        usage.tokens[i] = INT64_MAX;
    usage.cost_nanousd = usage.latency_us = INT64_MAX;
    struct expectation expected = {&usage, 0};
    ledger_add(*state, &usage);
    assert_int_equal(store_usage_list_batch(*state, 1, compare_row, &expected, NULL), STATUS_OK);
    assert_int_equal(expected.seen, 1);
}

static void a_row_that_is_there_already_is_left_as_it_is(void **state)
{
    const struct store_usage first = full_usage(1);
    struct store_usage second = ledger_usage(1);
    struct expectation expected = {&first, 0};
    bool inserted = false;
    second.batch = 2;
    assert_int_equal(store_usage_insert(*state, &first, &inserted, NULL), STATUS_OK);
    assert_true(inserted);
    assert_int_equal(store_usage_insert(*state, &second, &inserted, NULL), STATUS_OK);
    assert_false(inserted);
    assert_int_equal(store_usage_list_batch(*state, 1, compare_row, &expected, NULL), STATUS_OK);
    assert_int_equal(expected.seen, 1);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_logs"), 1);
}

static enum status stop_at_second(void *context, const struct store_usage *usage)
{
    (void)usage;
    return ++*(int *)context == 2 ? STATUS_CANCELLED : STATUS_OK;
}

static void a_visitor_ends_the_reading_with_its_status(void **state)
{
    int seen = 0;
    for (unsigned i = 1; i < 5; i++) {
        const struct store_usage usage = ledger_usage(i);
        ledger_add(*state, &usage);
    }
    assert_int_equal(store_usage_list_batch(*state, 1, stop_at_second, &seen, NULL),
                     STATUS_CANCELLED);
    seen = 0;
    assert_int_equal(store_usage_list(*state, 0, 0, stop_at_second, &seen, NULL), STATUS_CANCELLED);
    assert_int_equal(seen, 2);
}

/* --- Attempts and open requests ----------------------------------------------------------------- */

static void an_attempt_is_kept_once(void **state)
{
    struct store_attempt attempt = {
        .request_id = database_id(1),
        .number = 1,
        .timestamp_us = 5,
        .provider = SLICE("openai"),
        .status = 503,
        .outcome = SLICE("failed"),
        .latency_us = STORE_UNKNOWN,
    };
    assert_int_equal(store_attempt_insert(*state, &attempt, NULL), STATUS_OK);
    attempt.status = 200;
    assert_int_equal(store_attempt_insert(*state, &attempt, NULL), STATUS_OK);
    attempt.number = 2;
    attempt.status = 0;
    assert_int_equal(store_attempt_insert(*state, &attempt, NULL), STATUS_OK);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_attempts"), 2);
    assert_int_equal(ledger_ask("SELECT status FROM usage_attempts WHERE number = 1"), 503);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_attempts WHERE status IS NULL "
                                "AND latency_us IS NULL AND target_model IS NULL"),
                     1);
}

static enum status keep_open(void *context, const struct store_open *open)
{
    char(*text)[64] = context;
    const size_t used = strlen(*text);
    (void)snprintf(*text + used, sizeof(*text) - used, "%u:%llx:%u:%.*s ", open->id.bytes[15],
                   (unsigned long long)open->generation, open->worker, SLICE_ARGS(open->record));
    return STATUS_OK;
}

static void open_requests_are_listed_by_generation_until_they_are_closed(void **state)
{
    const struct store_open opens[] = {
        {database_id(2), UINT64_MAX, 3, SLICE("two")},
        {database_id(1), UINT64_MAX, UINT32_MAX, SLICE("")},
        {database_id(3), INT64_MAX, 0, SLICE("three")},
        {database_id(2), 1, 1, SLICE("again")},
    };
    const struct id closed = database_id(1);
    char text[64] = "";
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(store_open_insert(*state, &opens[i], NULL), STATUS_OK);
    assert_int_equal(store_opens_list(*state, UINT64_MAX, keep_open, &text, NULL), STATUS_OK);
    assert_string_equal(text, "1:ffffffffffffffff:4294967295: 2:ffffffffffffffff:3:two ");
    assert_int_equal(store_open_delete(*state, &closed, NULL), STATUS_OK);
    assert_int_equal(store_open_delete(*state, &closed, NULL), STATUS_OK);
    text[0] = '\0';
    assert_int_equal(store_opens_list(*state, UINT64_MAX, keep_open, &text, NULL), STATUS_OK);
    assert_string_equal(text, "2:ffffffffffffffff:3:two ");
}

/* --- Reading for pricing anew -------------------------------------------------------------------- */

struct order {
    struct store *store;
    int64_t batch;
    struct id id;
    size_t seen;
    bool price;
};

static enum status check_order(void *context, const struct store_usage *usage)
{
    struct order *order = context;
    assert_true(usage->batch >= order->batch);
    if (usage->batch == order->batch)
        assert_true(memcmp(&usage->id, &order->id, sizeof(usage->id)) > 0);
    order->batch = usage->batch;
    order->id = usage->id;
    order->seen++;
    if (!order->price)
        return STATUS_OK;
    return store_usage_set_cost(order->store, usage, 9, SLICE("p9"), NULL);
}

static enum status count_row(void *context, const struct store_usage *usage)
{
    struct order *order = context;
    assert_true(usage->batch >= order->batch);
    order->batch = usage->batch;
    order->seen++;
    return STATUS_OK;
}

/* 700 rows in batches of 300, the ids of each batch beside those of the others. */
static void fill_batches(struct store *store)
{
    assert_int_equal(store_begin(store, NULL), STATUS_OK);
    for (unsigned i = 0; i < 700; i++) {
        struct store_usage usage = ledger_usage(i * 7919 % 700 + 1);
        usage.batch = 1 + i / 300;
        ledger_add(store, &usage);
    }
    assert_int_equal(store_commit(store, NULL), STATUS_OK);
}

static void rows_of_a_time_come_by_batch_and_id_and_each_once(void **state)
{
    struct order all = {.store = *state};
    struct order some = {.store = *state};
    fill_batches(*state);
    assert_int_equal(store_usage_list(*state, 0, 0, check_order, &all, NULL), STATUS_OK);
    assert_int_equal(all.seen, 700);
    assert_int_equal(
        store_usage_list(*state, NOON_US + 100, NOON_US + 200, check_order, &some, NULL),
        STATUS_OK);
    assert_int_equal(some.seen, 100);
}

static void rows_are_read_whatever_their_batches_and_times_and_ids_are(void **state)
{
    struct order all = {.store = *state, .batch = INT64_MIN};
    fill_batches(*state);
    database_execute("PRAGMA ignore_check_constraints = ON;"
                     "UPDATE usage_logs SET batch = 9000000000000000000 WHERE rowid = 1;"
                     "UPDATE usage_logs SET batch = 9223372036854775807 WHERE rowid = 2;"
                     "UPDATE usage_logs SET batch = -9223372036854775808, id = zeroblob(16) "
                     "  WHERE rowid = 3;"
                     "UPDATE usage_logs SET batch = -1 WHERE rowid = 4;"
                     "UPDATE usage_logs SET batch = 0 WHERE rowid = 5;"
                     "UPDATE usage_logs SET timestamp = -1 WHERE rowid = 6;"
                     "UPDATE usage_logs SET timestamp = 9223372036854775807 WHERE rowid = 7;");
    assert_int_equal(store_usage_list(*state, 0, 0, count_row, &all, NULL), STATUS_OK);
    assert_int_equal(all.seen, 700);
}

static void a_database_takes_no_batch_that_is_not_counted_from_1(void **state)
{
    struct store_usage usage = ledger_usage(1);
    bool inserted = true;
    usage.batch = 0;
    assert_int_equal(store_usage_insert(*state, &usage, &inserted, NULL), STATUS_INVALID);
    assert_false(inserted);
}

static enum status take_numbers(void *context, const struct store_usage *usage)
{
    unsigned *numbers = context;
    numbers[0] = usage->status;
    numbers[1] = usage->attempts;
    return STATUS_OK;
}

static void a_number_that_weir_cannot_have_written_is_read_as_the_largest(void **state)
{
    static const char *const changes[] = {
        "PRAGMA ignore_check_constraints = ON;"
        "UPDATE usage_logs SET status = 4294967496, attempts = 4294967297",
        "PRAGMA ignore_check_constraints = ON; UPDATE usage_logs SET status = -1, attempts = -1",
        "PRAGMA ignore_check_constraints = ON;"
        "UPDATE usage_logs SET status = -9223372036854775808, attempts = 9223372036854775807",
    };
    const struct store_usage usage = ledger_usage(1);
    ledger_add(*state, &usage);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        unsigned numbers[2] = {0};
        database_execute(changes[i]);
        assert_int_equal(store_usage_list_batch(*state, 1, take_numbers, numbers, NULL), STATUS_OK);
        assert_int_equal(numbers[0], UINT_MAX);
        assert_int_equal(numbers[1], UINT_MAX);
    }
}

static void rows_can_be_priced_while_they_are_read_and_others_written(void **state)
{
    struct order order = {.store = *state, .price = true};
    fill_batches(*state);
    assert_int_equal(store_usage_list(*state, 0, 0, check_order, &order, NULL), STATUS_OK);
    assert_int_equal(order.seen, 700);
    assert_int_equal(ledger_ask("SELECT sum(cost_nanousd) FROM usage_logs"), 6300);
    assert_int_equal(ledger_ask("SELECT sum(cost_nanousd) FROM usage_hourly"), 6300);
    assert_int_equal(ledger_ask("SELECT sum(cost_nanousd) FROM usage_daily"), 6300);
    assert_int_equal(ledger_ask("SELECT sum(answered_cost_nanousd) FROM usage_hourly_all"), 6300);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_logs WHERE price_id = 'p9'"), 700);
}

static void listing_survives_the_failure_of_each_allocation(void **state)
{
    struct store_usage usage = full_usage(1);
    struct reason reason = {""};
    ledger_add(*state, &usage);
    for (int nth = 0;; nth++) {
        struct expectation expected = {&usage, 0};
        alloc_fail_nth(nth);
        const enum status status = store_usage_list(*state, 0, 0, compare_row, &expected, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_in_range(nth, 2, 20);
            assert_int_equal(expected.seen, 1);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(expected.seen, 0);
    }
}

/* --- Prices of requests --------------------------------------------------------------------------- */

#define COSTS "SELECT unpriced || ' ' || cost_nanousd || ' ' || answered_cost_nanousd FROM "

static const char *const costs_of[] = {
    COSTS "usage_hourly",
    COSTS "usage_daily",
    COSTS "usage_hourly_all",
};

static void a_price_moves_every_sum_by_the_difference(void **state)
{
    struct store_usage usage = ledger_usage(1);
    struct store_usage other = ledger_usage(2);
    usage.cost_nanousd = STORE_UNKNOWN;
    other.answered = false;
    ledger_add(*state, &usage);
    ledger_add(*state, &other);
    static const struct {
        int64_t cost;
        const char *sums;
    } steps[] = {
        {700, "0 2200 700"},
        {0, "0 1500 0"},
        {STORE_UNKNOWN, "1 1500 0"},
        {INT64_MAX, "0 9223372036854775807 9223372036854775807"},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(store_usage_set_cost(*state, &usage, steps[i].cost, SLICE("anew"), NULL),
                         STATUS_OK);
        for (size_t table = 0; table < 3; table++)
            assert_string_equal(ledger_ask_text(costs_of[table]), steps[i].sums);
    }
}

static void a_price_within_a_transaction_finds_the_sums_that_are_not_written_yet(void **state)
{
    const struct store_usage usage = ledger_usage(1);
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    ledger_add(*state, &usage);
    assert_int_equal(store_usage_set_cost(*state, &usage, 5, SLICE(""), NULL), STATUS_OK);
    assert_int_equal(store_commit(*state, NULL), STATUS_OK);
    assert_int_equal(ledger_ask("SELECT cost_nanousd FROM usage_hourly_all"), 5);
    assert_string_equal(ledger_ask_text("SELECT price_id FROM usage_logs"), "NULL");
}

static void a_request_that_is_not_there_cannot_be_priced(void **state)
{
    const struct store_usage usage = ledger_usage(1);
    struct reason reason = {""};
    assert_int_equal(store_usage_set_cost(*state, &usage, 5, SLICE("p"), &reason),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "no such request"));
    /* The failed call left no transaction open. */
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    store_rollback(*state);
}

/* --- Positions, batches --------------------------------------------------------------------------- */

static void a_position_is_found_as_it_was_last_set(void **state)
{
    struct store_position position = {UINT64_MAX, 7, UINT64_MAX - 1, 1, UINT64_MAX};
    struct store_position found;
    assert_int_equal(store_position_find(*state, UINT64_MAX, 7, &found, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_position_set(*state, &position, NULL), STATUS_OK);
    position.offset = 4096;
    assert_int_equal(store_position_set(*state, &position, NULL), STATUS_OK);
    position.generation = INT64_MAX;
    position.offset = 9;
    assert_int_equal(store_position_set(*state, &position, NULL), STATUS_OK);
    assert_int_equal(store_position_find(*state, UINT64_MAX, 7, &found, NULL), STATUS_OK);
    assert_true(found.generation == UINT64_MAX && found.segment == UINT64_MAX - 1);
    assert_true(found.offset == 4096 && found.sequence == UINT64_MAX && found.worker == 7);
    assert_int_equal(store_positions_delete(*state, UINT64_MAX, NULL), STATUS_OK);
    assert_int_equal(store_position_find(*state, UINT64_MAX, 7, &found, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_position_find(*state, INT64_MAX, 7, &found, NULL), STATUS_OK);
}

static void numbers_of_batches_grow_and_never_come_again(void **state)
{
    struct store_usage usage = ledger_usage(1);
    int64_t batch = 0;
    uint64_t deleted = 0;
    assert_int_equal(store_batch_next(*state, &batch, NULL), STATUS_OK);
    assert_int_equal(batch, 1);
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    assert_int_equal(store_batch_next(*state, &batch, NULL), STATUS_OK);
    assert_int_equal(batch, 2);
    store_rollback(*state);
    usage.batch = 41;
    ledger_add(*state, &usage);
    assert_int_equal(store_batch_next(*state, &batch, NULL), STATUS_OK);
    assert_int_equal(batch, 42);
    assert_int_equal(store_retention_delete(*state, 41, 10, &deleted, NULL), STATUS_OK);
    assert_int_equal(deleted, 1);
    assert_int_equal(store_batch_next(*state, &batch, NULL), STATUS_OK);
    assert_int_equal(batch, 43);
}

/* --- Retention --------------------------------------------------------------------------------------- */

static void the_oldest_batch_is_due_once_all_its_rows_are_old(void **state)
{
    int64_t batch = 0;
    uint64_t rows = 0;
    assert_int_equal(store_retention_next(*state, INT64_MAX, &batch, &rows, NULL),
                     STATUS_NOT_FOUND);
    fill_batches(*state);
    const uint64_t newest = NOON_US + (uint64_t)ledger_ask("SELECT max(timestamp - "
                                                           "1728043200000000) FROM usage_logs "
                                                           "WHERE batch = 1");
    assert_int_equal(store_retention_next(*state, newest, &batch, &rows, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_retention_next(*state, newest + 1, &batch, &rows, NULL), STATUS_OK);
    assert_int_equal(batch, 1);
    assert_int_equal(rows, 300);
}

static void rows_are_deleted_in_pieces_with_their_attempts_and_the_sums_stay(void **state)
{
    uint64_t deleted = 0;
    fill_batches(*state);
    for (unsigned i = 1; i <= 700; i++) {
        const struct store_attempt attempt = {.request_id = database_id(i), .number = 1};
        assert_int_equal(store_attempt_insert(*state, &attempt, NULL), STATUS_OK);
    }
    assert_int_equal(store_retention_delete(*state, 1, 200, &deleted, NULL), STATUS_OK);
    assert_int_equal(deleted, 200);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_attempts"), 500);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_logs AS l JOIN usage_attempts AS a "
                                "ON a.request_id = l.id"),
                     500);
    assert_int_equal(store_retention_delete(*state, 1, 200, &deleted, NULL), STATUS_OK);
    assert_int_equal(deleted, 100);
    assert_int_equal(store_retention_delete(*state, 1, 200, &deleted, NULL), STATUS_OK);
    assert_int_equal(deleted, 0);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_logs"), 400);
    assert_int_equal(ledger_ask("SELECT sum(requests) FROM usage_hourly"), 700);
}

/* --- Prices ------------------------------------------------------------------------------------------- */

static enum status keep_price(void *context, const struct store_price *price)
{
    char(*text)[128] = context;
    const size_t used = strlen(*text);
    (void)snprintf(*text + used, sizeof(*text) - used, "%.*s %.*s %llu %.*s %llu;",
                   SLICE_ARGS(price->provider), SLICE_ARGS(price->model),
                   (unsigned long long)price->from_us, SLICE_ARGS(price->definition),
                   (unsigned long long)price->created_at_us);
    return STATUS_OK;
}

static void prices_are_listed_in_order_and_replaced_and_deleted(void **state)
{
    const struct store_price prices[] = {
        {SLICE("openai"), SLICE("gpt"), 20, SLICE("{}"), 1},
        {SLICE("openai"), SLICE("gpt"), 10, SLICE("{}"), 1},
        {SLICE(""), SLICE("gpt"), 30, SLICE("{}"), 1},
        {SLICE("openai"), SLICE("gpt"), 20, SLICE("{1}"), 2},
    };
    char text[128] = "";
    struct reason reason = {""};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(store_price_set(*state, &prices[i], NULL), STATUS_OK);
    assert_int_equal(store_prices_list(*state, keep_price, &text, NULL), STATUS_OK);
    assert_string_equal(text, " gpt 30 {} 1;openai gpt 10 {} 1;openai gpt 20 {1} 2;");
    assert_int_equal(store_price_delete(*state, SLICE(""), SLICE("gpt"), 30, NULL), STATUS_OK);
    assert_int_equal(store_price_delete(*state, SLICE(""), SLICE("gpt"), 30, &reason),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "gpt"));
}

/* --- Two stores ----------------------------------------------------------------------------------------- */

#define TURNS 50

struct writer {
    unsigned first; /* number of its requests */
    enum status status;
};

static void *write_turns(void *argument)
{
    struct writer *writer = argument;
    struct store_config config = database_config();
    struct store *store = NULL;
    config.busy_timeout_ms = 30000;
    writer->status = store_open(&config, &store, NULL);
    for (unsigned i = 0; i < TURNS && writer->status == STATUS_OK; i++) {
        const struct store_usage usage = ledger_usage(writer->first + i);
        writer->status = store_begin(store, NULL);
        if (writer->status != STATUS_OK)
            break;
        ledger_add(store, &usage);
        writer->status = store_commit(store, NULL);
        if (writer->status == STATUS_OK && i % 10 == 0)
            writer->status = store_sync(store, NULL);
    }
    store_close(&store);
    return NULL;
}

static void two_threads_with_a_store_each_take_turns(void **state)
{
    (void)state;
    struct writer writers[2] = {{.first = 1}, {.first = 1001}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_turns, &writers[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].status, STATUS_OK);
    }
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_logs"), 2 * TURNS);
    assert_int_equal(ledger_ask("SELECT sum(requests) FROM usage_hourly_all"), 2 * TURNS);
    assert_int_equal(ledger_ask("SELECT sum(requests) FROM usage_daily"), 2 * TURNS);
}

static void users_and_keys_change_within_a_transaction_too(void **state)
{
    const struct id ada = database_id(1);
    const struct store_use use = {database_id(3), 99};
    uint64_t keys = 0;
    database_add_user(*state, 1, "ada");
    database_add_user(*state, 2, "bob");
    database_add_key(*state, 3, 2, "laptop");
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    assert_int_equal(store_user_delete(*state, &ada, &keys, NULL), STATUS_OK);
    assert_int_equal(store_keys_used(*state, &use, 1, NULL), STATUS_OK);
    store_rollback(*state);
    assert_int_equal(ledger_ask("SELECT count(*) FROM users"), 2);
    assert_int_equal(ledger_ask("SELECT count(*) FROM api_keys WHERE last_used_at = 99"), 0);
}

static void what_sqlite_gave_up_is_not_committed_in_part(void **state)
{
    const struct store_usage first = ledger_usage(1);
    const struct store_usage second = ledger_usage(2);
    struct reason reason = {""};
    bool inserted = true;
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    ledger_add(*state, &first);
    /* As SQLite itself does after some errors. */
    assert_int_equal(sqlite3_exec(connection_of(*state)->database, "ROLLBACK", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(store_usage_insert(*state, &second, &inserted, &reason), STATUS_IO);
    assert_false(inserted);
    assert_non_null(strstr(reason.text, "begin it anew"));
    assert_int_equal(store_commit(*state, NULL), STATUS_IO);
    assert_int_equal(ledger_ask("SELECT count(*) FROM usage_logs"), 0);
    ledger_add(*state, &second);
    assert_int_equal(ledger_ask("SELECT sum(requests) FROM usage_hourly_all"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_open, ledger_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_is_read_as_it_was_written),
        TEST(numbers_at_the_end_of_their_range_stay_what_they_are),
        TEST(a_row_that_is_there_already_is_left_as_it_is),
        TEST(a_visitor_ends_the_reading_with_its_status),
        TEST(an_attempt_is_kept_once),
        TEST(open_requests_are_listed_by_generation_until_they_are_closed),
        TEST(rows_of_a_time_come_by_batch_and_id_and_each_once),
        TEST(rows_are_read_whatever_their_batches_and_times_and_ids_are),
        TEST(a_database_takes_no_batch_that_is_not_counted_from_1),
        TEST(a_number_that_weir_cannot_have_written_is_read_as_the_largest),
        TEST(rows_can_be_priced_while_they_are_read_and_others_written),
        TEST(listing_survives_the_failure_of_each_allocation),
        TEST(a_price_moves_every_sum_by_the_difference),
        TEST(a_price_within_a_transaction_finds_the_sums_that_are_not_written_yet),
        TEST(a_request_that_is_not_there_cannot_be_priced),
        TEST(a_position_is_found_as_it_was_last_set),
        TEST(numbers_of_batches_grow_and_never_come_again),
        TEST(the_oldest_batch_is_due_once_all_its_rows_are_old),
        TEST(rows_are_deleted_in_pieces_with_their_attempts_and_the_sums_stay),
        TEST(prices_are_listed_in_order_and_replaced_and_deleted),
        TEST(two_threads_with_a_store_each_take_turns),
        TEST(users_and_keys_change_within_a_transaction_too),
        TEST(what_sqlite_gave_up_is_not_committed_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
