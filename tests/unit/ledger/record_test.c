#include "ledger/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/ledger/fixture.h"

static char payload[RECORD_OPENED_MAX];

static void an_opened_record_says_what_was_written(void **state)
{
    (void)state;
    struct record_opened opened = fixture_opened(fixture_id(1)), found;
    opened.stream = true;
    opened.team_id = fixture_id(3);
    opened.idempotency_hash = SLICE("0123456789abcdef0123456789abcdef");
    opened.orphan.estimated = true;
    const size_t size = record_write_opened(&opened, payload);
    assert_int_equal(record_read_opened(slice_of(payload, size), &found), STATUS_OK);
    assert_memory_equal(&found.id, &opened.id, sizeof(found.id));
    assert_int_equal(found.time_us, opened.time_us);
    assert_memory_equal(&found.user_id, &opened.user_id, sizeof(found.id));
    assert_memory_equal(&found.key_id, &opened.key_id, sizeof(found.id));
    assert_memory_equal(&found.team_id, &opened.team_id, sizeof(found.id));
    assert_true(found.stream);
    assert_memory_equal(found.orphan.tokens, opened.orphan.tokens, sizeof(found.orphan.tokens));
    assert_int_equal(found.orphan.cost_nanousd, opened.orphan.cost_nanousd);
    assert_true(found.orphan.estimated);
    assert_true(slice_equal(found.orphan.price_id, opened.orphan.price_id));
    assert_true(slice_equal(found.idempotency_hash, opened.idempotency_hash));
    assert_true(slice_equal(found.route, opened.route));
    assert_true(slice_equal(found.model, opened.model));
    assert_true(slice_equal(found.provider, opened.provider));
    assert_true(slice_equal(found.target_model, opened.target_model));
    assert_true(slice_equal(found.client_request_id, opened.client_request_id));
    assert_true(slice_equal(found.metadata, opened.metadata));
}

static void an_attempt_says_what_was_written(void **state)
{
    (void)state;
    const struct record_attempt attempt = fixture_attempt(fixture_id(1), 3);
    struct record_attempt found;
    const size_t size = record_write_attempt(&attempt, payload);
    assert_int_equal(record_read_attempt(slice_of(payload, size), &found), STATUS_OK);
    assert_memory_equal(&found.id, &attempt.id, sizeof(found.id));
    assert_int_equal(found.number, 3);
    assert_int_equal(found.time_us, attempt.time_us);
    assert_int_equal(found.status, 500);
    assert_int_equal(found.latency_us, 42);
    assert_true(slice_equal(found.outcome, attempt.outcome));
    assert_true(slice_equal(found.next_provider, attempt.next_provider));
    assert_true(slice_equal(found.next_target_model, attempt.next_target_model));
}

static void a_closed_record_says_what_was_written(void **state)
{
    (void)state;
    struct record_closed closed = fixture_closed(fixture_id(1), 77), found;
    closed.cache = SLICE("miss");
    closed.context = SLICE("dropped=4");
    const size_t size = record_write_closed(&closed, payload);
    assert_int_equal(record_read_closed(slice_of(payload, size), &found), STATUS_OK);
    assert_memory_equal(&found.id, &closed.id, sizeof(found.id));
    assert_memory_equal(found.bill.tokens, closed.bill.tokens, sizeof(found.bill.tokens));
    assert_int_equal(found.status, 200);
    assert_true(found.answered);
    assert_int_equal(found.attempts, 1);
    assert_int_equal(found.last_status, 200);
    assert_int_equal(found.latency_us, 1000);
    assert_int_equal(found.first_byte_us, 500);
    assert_int_equal(found.last_latency_us, 900);
    assert_true(slice_equal(found.outcome, closed.outcome));
    assert_true(slice_equal(found.last_outcome, closed.last_outcome));
    assert_true(slice_equal(found.cache, closed.cache));
    assert_true(slice_equal(found.context, closed.context));
    assert_true(slice_equal(found.provider_request_id, closed.provider_request_id));
}

static void a_refused_record_says_what_was_written(void **state)
{
    (void)state;
    const struct record_refused refused = fixture_refused();
    struct record_refused found;
    const size_t size = record_write_refused(&refused, payload);
    assert_int_equal(record_read_refused(slice_of(payload, size), &found), STATUS_OK);
    assert_int_equal(found.time_us, refused.time_us);
    assert_memory_equal(&found.key_id, &refused.key_id, sizeof(found.key_id));
    assert_true(slice_equal(found.model, refused.model));
    assert_true(slice_equal(found.reason, refused.reason));
}

static void texts_that_are_too_long_are_cut_so_that_no_record_exceeds_its_maximum(void **state)
{
    (void)state;
    static char text[70000];
    memset(text, 'x', sizeof(text));
    const struct slice longest = slice_of(text, sizeof(text));
    const struct id id = fixture_id(1);
    const struct record_bill bill = {.price_id = longest};
    const struct record_opened opened = {.id = id,
                                         .route = longest,
                                         .model = longest,
                                         .provider = longest,
                                         .target_model = longest,
                                         .client_request_id = longest,
                                         .metadata = longest,
                                         .idempotency_hash = longest,
                                         .orphan = bill};
    const struct record_attempt attempt = {
        .id = id, .outcome = longest, .next_provider = longest, .next_target_model = longest};
    const struct record_closed closed = {.id = id,
                                         .bill = bill,
                                         .outcome = longest,
                                         .last_outcome = longest,
                                         .cache = longest,
                                         .context = longest,
                                         .provider_request_id = longest};
    const struct record_refused refused = {.model = longest, .reason = longest};
    struct record_opened found;
    assert_in_range(record_write_opened(&opened, payload), 1, RECORD_OPENED_MAX);
    assert_in_range(record_write_attempt(&attempt, payload), 1, RECORD_ATTEMPT_MAX);
    assert_in_range(record_write_closed(&closed, payload), 1, RECORD_CLOSED_MAX);
    assert_in_range(record_write_refused(&refused, payload), 1, RECORD_REFUSED_MAX);
    const size_t size = record_write_opened(&opened, payload);
    assert_int_equal(record_read_opened(slice_of(payload, size), &found), STATUS_OK);
    assert_int_equal(found.model.size, RECORD_NAME_MAX);
    assert_int_equal(found.metadata.size, RECORD_METADATA_MAX);
}

static void a_payload_cut_or_drawn_out_is_none(void **state)
{
    (void)state;
    const struct record_opened opened = fixture_opened(fixture_id(1));
    const struct record_closed closed = fixture_closed(fixture_id(1), 5);
    struct record_opened found_opened;
    struct record_closed found_closed;
    struct id id;
    size_t size = record_write_opened(&opened, payload);
    for (size_t cut = 0; cut <= size + 1; cut++)
        assert_int_equal(record_read_opened(slice_of(payload, cut), &found_opened),
                         cut == size ? STATUS_OK : STATUS_INVALID);
    size = record_write_closed(&closed, payload);
    for (size_t cut = 0; cut <= size + 1; cut++)
        assert_int_equal(record_read_closed(slice_of(payload, cut), &found_closed),
                         cut == size ? STATUS_OK : STATUS_INVALID);
    for (size_t cut = 0; cut <= 16; cut++)
        assert_int_equal(record_read_id(slice_of(payload, cut), &id),
                         cut == 16 ? STATUS_OK : STATUS_INVALID);
    assert_memory_equal(&id, &closed.id, sizeof(id));
}

static void rubbish_is_read_within_its_bounds(void **state)
{
    (void)state;
    struct record_opened opened;
    struct record_attempt attempt;
    struct record_closed closed;
    struct record_refused refused;
    uint64_t random = 7;
    for (int i = 0; i < 20000; i++) {
        char bytes[600];
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        const size_t size = (random >> 33) % sizeof(bytes);
        for (size_t at = 0; at < size; at++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[at] = (char)(random >> 62 == 0 ? random >> 40 : 0);
        }
        const struct slice slice = slice_of(bytes, size);
        (void)!record_read_opened(slice, &opened);
        (void)!record_read_attempt(slice, &attempt);
        (void)!record_read_closed(slice, &closed);
        if (record_read_refused(slice, &refused) == STATUS_OK)
            assert_true(refused.reason.size <= 32 && refused.model.size <= RECORD_NAME_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_opened_record_says_what_was_written),
        cmocka_unit_test(an_attempt_says_what_was_written),
        cmocka_unit_test(a_closed_record_says_what_was_written),
        cmocka_unit_test(a_refused_record_says_what_was_written),
        cmocka_unit_test(texts_that_are_too_long_are_cut_so_that_no_record_exceeds_its_maximum),
        cmocka_unit_test(a_payload_cut_or_drawn_out_is_none),
        cmocka_unit_test(rubbish_is_read_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
