#include "store/sqlite/sums.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/store/ledger.h"

static const char *const tables[] = {"usage_hourly", "usage_daily", "usage_hourly_all"};

static int64_t ask_table(const char *question, const char *table)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "%s %s", question, table);
    return ledger_ask(sql);
}

static void a_request_says_what_it_adds(void **state)
{
    (void)state;
    struct store_sum sum;
    struct store_usage usage = ledger_usage(1);
    store_sum_of(&usage, &sum);
    assert_true(sum.hour_us == NOON_US);
    assert_int_equal(sum.requests, 1);
    assert_int_equal(sum.answered, 1);
    assert_int_equal(sum.unpriced, 0);
    assert_int_equal(sum.tokens[STORE_TOKENS_INPUT], 100);
    assert_int_equal(sum.tokens[STORE_TOKENS_CACHED], 0);
    assert_int_equal(sum.answered_tokens, 120);
    assert_int_equal(sum.answered_cost_nanousd, 1500);
    assert_int_equal(sum.reason.size, 0);
    usage.answered = false;
    usage.cost_nanousd = STORE_UNKNOWN;
    store_sum_of(&usage, &sum);
    assert_int_equal(sum.answered, 0);
    assert_int_equal(sum.unpriced, 1);
    assert_int_equal(sum.cost_nanousd, 0);
    assert_int_equal(sum.answered_tokens, 0);
}

static void merged_sums_add_up_and_stop_at_the_end_of_their_range(void **state)
{
    (void)state;
    struct store_sum sum;
    struct store_sum into;
    struct store_usage usage = ledger_usage(1);
    usage.tokens[STORE_TOKENS_OUTPUT] = INT64_MAX;
    store_sum_of(&usage, &sum);
    assert_true(sum.answered_tokens == INT64_MAX);
    into = sum;
    store_sum_merge(&into, &sum);
    assert_int_equal(into.requests, 2);
    assert_int_equal(into.tokens[STORE_TOKENS_INPUT], 200);
    assert_int_equal(into.cost_nanousd, 3000);
    assert_true(into.tokens[STORE_TOKENS_OUTPUT] == INT64_MAX);
    assert_true(into.answered_tokens == INT64_MAX);
}

static void requests_add_up_in_each_table(void **state)
{
    for (unsigned i = 1; i <= 4; i++) {
        struct store_usage usage = ledger_usage(i);
        usage.timestamp_us += (i % 2) * STORE_HOUR_US;
        ledger_add(*state, &usage);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask_table("SELECT sum(requests) FROM", tables[i]), 4);
        assert_int_equal(ask_table("SELECT sum(cost_nanousd) FROM", tables[i]), 6000);
        assert_int_equal(ask_table("SELECT sum(input_tokens) FROM", tables[i]), 400);
        assert_int_equal(ask_table("SELECT sum(reasoning_tokens) FROM", tables[i]), 28);
        assert_int_equal(ask_table("SELECT sum(answered_tokens) FROM", tables[i]), 480);
    }
    assert_int_equal(ask_table("SELECT count(*) FROM", "usage_hourly"), 2);
    assert_int_equal(ask_table("SELECT count(*) FROM", "usage_daily"), 1);
}

static void sums_are_known_by_each_part_of_their_key(void **state)
{
    struct store_sum sums[8];
    struct store_usage usage = ledger_usage(1);
    for (size_t i = 0; i < 8; i++)
        store_sum_of(&usage, &sums[i]);
    sums[1].hour_us += STORE_HOUR_US;
    sums[2].key_id = database_id(9);
    sums[3].user_id = (struct id){{0}};
    sums[4].team_id = database_id(9);
    sums[5].model = SLICE("");
    sums[6].provider = SLICE("other");
    sums[7].reason = SLICE("rate_limit");
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(store_sum_add(*state, &sums[i], NULL), STATUS_OK);
    assert_int_equal(ask_table("SELECT count(*) FROM", "usage_hourly"), 8);
    assert_int_equal(ask_table("SELECT count(*) FROM", "usage_daily"), 6);
    assert_int_equal(ask_table("SELECT count(*) FROM", "usage_hourly_all"), 4);
    assert_int_equal(ask_table("SELECT sum(refused) FROM", "usage_daily"), 1);
    assert_int_equal(ask_table("SELECT sum(requests) FROM", "usage_daily"), 7);
    assert_int_equal(ask_table("SELECT requests FROM", "usage_hourly WHERE reason <> ''"), 1);
}

static void names_that_join_to_the_same_text_are_different_models(void **state)
{
    struct store_sum sum;
    struct store_usage usage = ledger_usage(1);
    store_sum_of(&usage, &sum);
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    sum.model = SLICE("ab");
    sum.provider = SLICE("c");
    assert_int_equal(store_sum_add(*state, &sum, NULL), STATUS_OK);
    sum.model = SLICE("a");
    sum.provider = SLICE("bc");
    assert_int_equal(store_sum_add(*state, &sum, NULL), STATUS_OK);
    assert_int_equal(store_commit(*state, NULL), STATUS_OK);
    assert_int_equal(ask_table("SELECT count(*) FROM",
                               "usage_hourly_all WHERE model || provider = 'abc' AND requests = 1"),
                     2);
}

static void a_row_with_absurd_counts_does_not_break_the_sums(void **state)
{
    for (unsigned i = 1; i <= 3; i++) {
        struct store_usage usage = ledger_usage(i);
        for (int token = 0; token < STORE_TOKENS_COUNT; token++)
            usage.tokens[token] = INT64_MAX;
        usage.cost_nanousd = INT64_MAX;
        ledger_add(*state, &usage);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(ask_table("SELECT input_tokens FROM", tables[i]) == INT64_MAX);
        assert_true(ask_table("SELECT answered_tokens FROM", tables[i]) == INT64_MAX);
        assert_true(ask_table("SELECT answered_cost_nanousd FROM", tables[i]) == INT64_MAX);
        assert_int_equal(ask_table("SELECT requests FROM", tables[i]), 3);
    }
    const struct store_report report = {.by = STORE_GROUP_NONE};
    const struct ledger_lines lines = ledger_report(*state, &report);
    assert_string_equal(lines.text[0], "/ 3 3 0 9223372036854775807");
}

static void sums_are_undone_with_their_transaction(void **state)
{
    const struct store_usage first = ledger_usage(1);
    const struct store_usage second = ledger_usage(2);
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    ledger_add(*state, &first);
    store_rollback(*state);
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    ledger_add(*state, &second);
    assert_int_equal(store_commit(*state, NULL), STATUS_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ask_table("SELECT sum(requests) FROM", tables[i]), 1);
}

static void a_name_that_is_too_long_is_refused_whole(void **state)
{
    static char name[70000];
    struct reason reason = {""};
    struct store_sum sum;
    struct store_usage usage = ledger_usage(1);
    memset(name, 'a', sizeof(name));
    usage.model = slice_of(name, sizeof(name));
    store_sum_of(&usage, &sum);
    assert_int_equal(store_sum_add(*state, &sum, &reason), STATUS_TOO_LARGE);
    assert_non_null(strstr(reason.text, "too long"));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ask_table("SELECT count(*) FROM", tables[i]), 0);
}

static void adding_survives_the_failure_of_each_allocation(void **state)
{
    struct store_sum sum;
    const struct store_usage usage = ledger_usage(1);
    struct reason reason = {""};
    store_sum_of(&usage, &sum);
    for (int nth = 0;; nth++) {
        alloc_fail_nth(nth);
        const enum status status = store_sum_add(*state, &sum, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_in_range(nth, 1, 10);
            assert_int_equal(ask_table("SELECT requests FROM", "usage_hourly_all"), 1);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(ask_table("SELECT count(*) FROM", "usage_hourly"), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_open, ledger_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_says_what_it_adds),
        TEST(merged_sums_add_up_and_stop_at_the_end_of_their_range),
        TEST(requests_add_up_in_each_table),
        TEST(sums_are_known_by_each_part_of_their_key),
        TEST(names_that_join_to_the_same_text_are_different_models),
        TEST(a_row_with_absurd_counts_does_not_break_the_sums),
        TEST(sums_are_undone_with_their_transaction),
        TEST(a_name_that_is_too_long_is_refused_whole),
        TEST(adding_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
