#include "ledger/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/ledger/fixture.h"

static struct store *store;
static struct batch batch;
static struct open_set open_requests;
static struct batch_result result;
static char payload[RECORD_OPENED_MAX];

static int make(void **state)
{
    if (fixture_make(state) != 0)
        return -1;
    store = fixture_open_store();
    return 0;
}

static int leave(void **state)
{
    batch_fini(&batch);
    open_set_fini(&open_requests);
    store_close(&store);
    return fixture_remove(state);
}

/* Rows borrow what is taken, so each payload stays where it is. */
static enum status take(enum record_kind kind, size_t size)
{
    static char kept[64][RECORD_CLOSED_MAX];
    static unsigned at;
    const char *bytes = payload;
    if (kind == RECORD_CLOSED || kind == RECORD_REFUSED) {
        bytes = memcpy(kept[at], payload, size);
        at = (at + 1) % 64;
    }
    const struct segment_record record = {.kind = kind, .payload = slice_of(bytes, size)};
    return batch_take(&batch, &open_requests, 1, &record);
}

static void take_opened(unsigned number)
{
    const struct record_opened opened = fixture_opened(fixture_id(number));
    assert_int_equal(take(RECORD_OPENED, record_write_opened(&opened, payload)), STATUS_OK);
}

static enum status take_closed(unsigned number, unsigned attempts)
{
    struct record_closed closed = fixture_closed(fixture_id(number), number);
    closed.attempts = attempts;
    return take(RECORD_CLOSED, record_write_closed(&closed, payload));
}

static void take_attempt(unsigned number, unsigned attempt_number)
{
    const struct record_attempt attempt = fixture_attempt(fixture_id(number), attempt_number);
    assert_int_equal(take(RECORD_ATTEMPT, record_write_attempt(&attempt, payload)), STATUS_OK);
}

static enum status apply(void)
{
    return batch_apply(&batch, store, NULL, &result, NULL);
}

static void a_request_becomes_a_row_with_the_figures_of_its_records(void **state)
{
    (void)state;
    take_opened(5);
    assert_int_equal(take_closed(5, 1), STATUS_OK);
    assert_int_equal(open_requests.count, 0);
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(result.inserted, 1);
    assert_int_equal(result.number, 1);
    assert_int_equal(
        fixture_number("SELECT count(*) FROM usage_logs WHERE timestamp = 1764000000000000 AND"
                       " model = 'gpt' AND provider = 'first' AND target_model = 'gpt-first' AND"
                       " route = '/v1/chat/completions' AND input_tokens = 5 AND output_tokens = 7"
                       " AND reasoning_tokens IS NULL AND cost_nanousd = 1005 AND price_id = 'p1'"
                       " AND status = 200 AND outcome = 'completed' AND answered = 1 AND"
                       " attempts = 1 AND latency_us = 1000 AND first_byte_us = 500 AND"
                       " client_request_id = 'client-1' AND provider_request_id = 'provider-1' AND"
                       " metadata = '{\"a\":1}' AND batch = 1"),
        1);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_attempts"), 0);
    assert_int_equal(fixture_number("SELECT sum(answered_tokens) FROM usage_hourly"), 12);
}

static void a_batch_that_was_applied_adds_nothing_when_it_is_applied_again(void **state)
{
    (void)state;
    take_opened(5);
    assert_int_equal(take_closed(5, 1), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(result.inserted, 0);
    assert_int_equal(fixture_number("SELECT sum(requests) FROM usage_hourly"), 1);
}

static void attempts_have_rows_of_their_own_where_there_were_several(void **state)
{
    (void)state;
    take_opened(5);
    take_attempt(5, 1);
    take_attempt(5, 2);
    assert_int_equal(take_closed(5, 3), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs WHERE attempts = 3 AND"
                                    " provider = 'second' AND target_model = 'gpt-second'"),
                     1);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_attempts WHERE number = 1 AND"
                                    " provider = 'first' AND status = 500 AND outcome = 'failed'"),
                     1);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_attempts WHERE number = 3 AND"
                                    " provider = 'second' AND status = 200 AND latency_us = 900"),
                     1);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_attempts"), 3);
}

static void a_close_whose_opening_was_lost_is_still_a_row(void **state)
{
    (void)state;
    assert_int_equal(take_closed(5, 1), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs WHERE input_tokens = 5 AND"
                                    " model IS NULL AND timestamp > 0"),
                     1);
}

static void a_request_that_stays_open_waits_in_the_store_with_its_attempts(void **state)
{
    (void)state;
    const struct id id = fixture_id(5);
    take_opened(5);
    struct open_request *request = open_set_find(&open_requests, &id);
    assert_int_equal(batch_store_open(&batch, request, 7, 3), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    batch_clear(&batch);
    assert_true(request->is_stored);
    const int64_t size = fixture_number("SELECT length(record) FROM usage_open");
    take_attempt(5, 1);
    assert_int_not_equal(request->attempts_stored, request->attempt_count);
    assert_int_equal(batch_store_open(&batch, request, 7, 3), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    batch_clear(&batch);
    assert_int_equal(request->attempts_stored, 1);
    assert_true(fixture_number("SELECT length(record) FROM usage_open WHERE worker = 3") > size);
    assert_int_equal(take_closed(5, 2), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_open"), 0);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_attempts"), 2);
}

static void an_orphan_is_charged_or_not_and_says_that_it_is_an_estimate(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 2; number++) {
        const struct id id = fixture_id(number);
        take_opened(number);
        assert_int_equal(batch_take_orphan(&batch, &open_requests, &id, number == 1), STATUS_OK);
    }
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs WHERE outcome = 'orphaned' AND"
                                    " estimated = 1 AND answered = 0 AND latency_us IS NULL AND"
                                    " status IS NULL AND attempts = 1"),
                     2);
    assert_int_equal(fixture_number("SELECT sum(cost_nanousd) FROM usage_logs"), 1011);
    assert_int_equal(fixture_number("SELECT count(input_tokens) FROM usage_logs"), 1);
}

static void refused_requests_are_counted_by_their_reason(void **state)
{
    (void)state;
    const struct record_refused refused = fixture_refused();
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(RECORD_REFUSED, record_write_refused(&refused, payload)), STATUS_OK);
    assert_int_equal(apply(), STATUS_OK);
    assert_int_equal(result.number, 0); /* no rows, no batch */
    assert_int_equal(
        fixture_number("SELECT requests FROM usage_hourly WHERE reason = 'rate_limit'"), 5);
}

static enum status begin_seal(void *context, struct store *of, int64_t number,
                              struct reason *reason)
{
    (void)of;
    (void)number;
    (void)reason;
    ++*(int *)context;
    return STATUS_OK;
}

static enum status refuse_row(void *context, const struct store_usage *usage, struct reason *reason)
{
    (void)usage;
    (void)reason;
    return ++*(int *)context == 4 ? STATUS_IO : STATUS_OK;
}

static enum status finish_seal(void *context, struct store *of, struct reason *reason)
{
    (void)context;
    (void)of;
    (void)reason;
    return STATUS_OK;
}

static void a_batch_that_fails_leaves_nothing_and_is_applied_again_as_it_is(void **state)
{
    (void)state;
    int calls = 0;
    const struct batch_seal seal = {begin_seal, refuse_row, finish_seal, &calls};
    const struct store_position position = {7, 3, 1, 8192, 99};
    struct store_position found;
    for (unsigned i = 0; i < 5; i++) {
        take_opened(i);
        assert_int_equal(take_closed(i, 1), STATUS_OK);
    }
    assert_int_equal(batch_set_position(&batch, &position), STATUS_OK);
    assert_int_equal(batch_apply(&batch, store, &seal, &result, NULL), STATUS_IO);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs"), 0);
    assert_int_equal(store_position_find(store, 7, 3, &found, NULL), STATUS_NOT_FOUND);
    assert_int_equal(batch_apply(&batch, store, &seal, &result, NULL), STATUS_OK);
    assert_int_equal(result.inserted, 5);
    assert_int_equal(store_position_find(store, 7, 3, &found, NULL), STATUS_OK);
    assert_int_equal(found.sequence, 99);
    assert_int_equal(fixture_number("SELECT sum(requests) FROM usage_hourly"), 5);
}

static void what_weir_does_not_write_is_refused(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 10; kind++) {
        memset(payload, 0x55, 10);
        assert_int_equal(take(kind, 10), kind == RECORD_PAD ? STATUS_OK : STATUS_INVALID);
    }
    assert_int_equal(batch.row_count, 0);
    assert_int_equal(open_requests.count, 0);
}

static void without_memory_a_record_may_be_taken_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        for (int nth = 0;; nth++) {
            alloc_fail_nth(nth);
            const enum status status = take_closed(i, 1);
            alloc_fail_nth(-1);
            if (status == STATUS_OK)
                break;
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_int_equal(batch.row_count, i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, leave)
        TEST(a_request_becomes_a_row_with_the_figures_of_its_records),
        TEST(a_batch_that_was_applied_adds_nothing_when_it_is_applied_again),
        TEST(attempts_have_rows_of_their_own_where_there_were_several),
        TEST(a_close_whose_opening_was_lost_is_still_a_row),
        TEST(a_request_that_stays_open_waits_in_the_store_with_its_attempts),
        TEST(an_orphan_is_charged_or_not_and_says_that_it_is_an_estimate),
        TEST(refused_requests_are_counted_by_their_reason),
        TEST(a_batch_that_fails_leaves_nothing_and_is_applied_again_as_it_is),
        TEST(what_weir_does_not_write_is_refused),
        TEST(without_memory_a_record_may_be_taken_again),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
