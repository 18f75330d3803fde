#include "admin/rerate.h"

#include "unit/admin/priced_context.h"
#include "unit/admin/entries.h"

#include "base/alloc.h"

#define PRICE_OF_GPT_X "config/openai/gpt-x@2026-01-15"
#define COST_OF_GPT_X  280000 /* 100 tokens at 2 USD, 10 at 8 USD per million */

static struct rerate *run(struct admin_context *context, bool applies)
{
    const struct rerate_config config = {
        .context = context, .snapshot = context->snapshot, .applies = applies};
    struct reason reason = {""};
    struct rerate *rerate = rerate_create(&config);
    assert_non_null(rerate);
    assert_int_equal(rerate_run(rerate, 0, PRICED_HOUR_US + STORE_HOUR_US, &reason), STATUS_OK);
    return rerate;
}

struct found {
    int64_t costs[4096];
    size_t count, priced;
};

static enum status note(void *context, const struct store_usage *usage)
{
    struct found *found = context;
    found->costs[found->count++] = usage->cost_nanousd;
    found->priced += slice_equal(usage->price_id, SLICE(PRICE_OF_GPT_X));
    return STATUS_OK;
}

static const struct found *find(struct admin_context *context)
{
    static struct found found;
    struct reason reason;
    found.count = found.priced = 0;
    assert_int_equal(store_usage_list(context->store, 0, 0, note, &found, &reason), STATUS_OK);
    return &found;
}

static void a_dry_run_changes_nothing(void **state)
{
    struct store_usage usage = priced_usage(1);
    size_t count;
    priced_add(*state, &usage);
    struct rerate *rerate = run(*state, false);
    const struct rerate_target *target = rerate_targets(rerate, &count);
    assert_int_equal(rerate_rows(rerate), 1);
    assert_int_equal(count, 1);
    assert_true(slice_equal(target->provider, SLICE("openai")));
    assert_true(slice_equal(target->model, SLICE("gpt-x")));
    assert_int_equal(target->changed, 1);
    assert_int_equal(target->unpriced, 1);
    assert_int_equal(target->old_nanousd, 0);
    assert_int_equal(target->new_nanousd, COST_OF_GPT_X);
    assert_int_equal(find(*state)->costs[0], STORE_UNKNOWN);
    rerate_destroy(&rerate);
    assert_null(rerate);
    rerate_destroy(&rerate);
}

static void more_rows_than_a_transaction_takes_are_all_changed(void **state)
{
    size_t count;
    for (uint32_t i = 1; i <= 2 * RERATE_BATCH_ROWS + 1; i++) {
        const struct store_usage usage = priced_usage(i);
        priced_add(*state, &usage);
    }
    struct rerate *rerate = run(*state, true);
    assert_int_equal(rerate_targets(rerate, &count)->changed, 2 * RERATE_BATCH_ROWS + 1);
    rerate_destroy(&rerate);
    const struct found *found = find(*state);
    assert_int_equal(found->count, 2 * RERATE_BATCH_ROWS + 1);
    assert_int_equal(found->priced, found->count);
    for (size_t i = 0; i < found->count; i++)
        assert_int_equal(found->costs[i], COST_OF_GPT_X);
    rerate = run(*state, true);
    assert_int_equal(rerate_targets(rerate, &count)->changed, 0);
    rerate_destroy(&rerate);
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

/* Two batches of more rows than a transaction takes, and a small one. */
static void each_batch_whose_rows_change_is_sealed_anew_once(void **state)
{
    struct admin_context *context = *state;
    for (uint32_t i = 0; i < 2 * RERATE_BATCH_ROWS + 201; i++) {
        struct store_usage usage = priced_usage(i + 1);
        usage.batch = 1 + i / (RERATE_BATCH_ROWS + 100);
        priced_add(*state, &usage);
    }
    context->actor = SLICE("uid=7");
    struct rerate *rerate = run(*state, true);
    rerate_destroy(&rerate);
    const char *entries = entries_of(*state);
    assert_int_equal(count_of(entries, "weir usage.rerate 1 {\"rows\":600,"), 1);
    assert_int_equal(count_of(entries, "weir usage.rerate 2 {\"rows\":600,"), 1);
    assert_int_equal(count_of(entries, "weir usage.rerate 3 {\"rows\":1,"), 1);
    assert_int_equal(count_of(entries, "usage.rerate"), 3);
    assert_int_equal(count_of(entries, "uid=7 price.rerate  {\"rows\":600}\n"), 2);
    assert_int_equal(count_of(entries, "uid=7 price.rerate  {\"rows\":1}\n"), 1);
    rerate = run(*state, true);
    rerate_destroy(&rerate);
    assert_int_equal(count_of(entries_of(*state), "usage.rerate"), 3);
}

/* Each of them would cost something else by the prices of now. */
static void what_cannot_be_told_is_left(void **state)
{
    struct store_usage rows[6];
    size_t count, left = 0;
    for (uint32_t i = 0; i < 6; i++) {
        rows[i] = priced_usage(i + 1);
        rows[i].cost_nanousd = i;
    }
    rows[0].provider = SLICE("gone");
    rows[1].target_model = SLICE("nobody-knows");
    rows[2].tokens[STORE_TOKENS_AUDIO] = 1;
    rows[3].cache = SLICE("hit");
    rows[4].outcome = SLICE("orphaned");
    rows[4].tokens[STORE_TOKENS_INPUT] = rows[4].tokens[STORE_TOKENS_OUTPUT] = STORE_UNKNOWN;
    rows[5].timestamp_us -= 20 * UINT64_C(86400) * US_PER_S; /* before its price */
    for (size_t i = 0; i < 6; i++)
        priced_add(*state, &rows[i]);
    struct rerate *rerate = run(*state, true);
    const struct rerate_target *targets = rerate_targets(rerate, &count);
    for (size_t i = 0; i < count; i++) {
        left += targets[i].left;
        assert_int_equal(targets[i].changed, 0);
        assert_int_equal(targets[i].old_nanousd, targets[i].new_nanousd);
    }
    assert_int_equal(left, 6);
    rerate_destroy(&rerate);
    const struct found *found = find(*state);
    int64_t sum = 0;
    for (size_t i = 0; i < found->count; i++)
        sum += found->costs[i];
    assert_int_equal(sum, 0 + 1 + 2 + 3 + 4 + 5);
}

static void what_a_free_provider_answered_costs_nothing(void **state)
{
    struct store_usage usage = priced_usage(1);
    size_t count;
    usage.provider = SLICE("local");
    usage.target_model = SLICE("small");
    usage.cost_nanousd = 7;
    priced_add(*state, &usage);
    struct rerate *rerate = run(*state, true);
    assert_int_equal(rerate_targets(rerate, &count)->changed, 1);
    assert_int_equal(rerate_targets(rerate, &count)->new_nanousd, 0); /* it is free */
    rerate_destroy(&rerate);
    assert_int_equal(find(*state)->costs[0], 0);
}

static void targets_beyond_the_table_are_other(void **state)
{
    size_t count;
    char name[32];
    for (uint32_t i = 1; i <= RERATE_TARGETS_MAX + 3; i++) {
        struct store_usage usage = priced_usage(i);
        (void)snprintf(name, sizeof(name), "m%u", i);
        usage.target_model = slice_from_text(name);
        priced_add(*state, &usage);
    }
    struct rerate *rerate = run(*state, false);
    const struct rerate_target *targets = rerate_targets(rerate, &count);
    assert_int_equal(count, RERATE_TARGETS_MAX + 1);
    assert_true(slice_equal(targets[RERATE_TARGETS_MAX].provider, SLICE("other")));
    assert_int_equal(targets[RERATE_TARGETS_MAX].rows, 3);
    rerate_destroy(&rerate);
}

static void a_failed_allocation_leaves_whole_transactions(void **state)
{
    struct admin_context *context = *state;
    const struct rerate_config config = {
        .context = context, .snapshot = context->snapshot, .applies = true};
    const struct store_usage usage = priced_usage(1);
    priced_add(*state, &usage);
    for (int nth = 0;; nth++) {
        struct reason reason = {""};
        enum status status = STATUS_NO_MEMORY;
        alloc_fail_nth(nth);
        struct rerate *rerate = rerate_create(&config);
        if (rerate != NULL)
            status = rerate_run(rerate, 0, PRICED_HOUR_US + STORE_HOUR_US, &reason);
        alloc_fail_nth(-1);
        rerate_destroy(&rerate);
        const int64_t cost = find(*state)->costs[0];
        if (status == STATUS_OK) {
            assert_int_equal(cost, COST_OF_GPT_X);
            assert_true(nth > 2);
            return;
        }
        assert_int_equal(cost, STORE_UNKNOWN);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dry_run_changes_nothing),
        TEST(more_rows_than_a_transaction_takes_are_all_changed),
        TEST(each_batch_whose_rows_change_is_sealed_anew_once),
        TEST(what_cannot_be_told_is_left),
        TEST(what_a_free_provider_answered_costs_nothing),
        TEST(targets_beyond_the_table_are_other),
        TEST(a_failed_allocation_leaves_whole_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
