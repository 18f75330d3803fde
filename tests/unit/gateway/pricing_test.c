#include "gateway/pricing.h"

#include "unit/config/loading.h"

#include "base/alloc.h"
#include "base/date.h"

static const char yaml[] =
    "providers:\n"
    "  openai: { base_url: 'https://api.openai.com/v1', api_key: k }\n"
    "  ours: { base_url: http://ours/v1 }\n"
    "  gift: { base_url: http://gift/v1, free: true }\n"
    "prices:\n"
    "  - { provider: ours, model: m, input: 2usd, output: 4usd, from: 2026-01-01 }\n"
    "  - { provider: ours, model: m, input: 3usd, output: 4usd, from: 2026-02-01 }\n"
    "  - { provider: ours, model: 'big-*', input: 5usd }\n"
    "  - { provider: gift, model: 'big-*', input: 6usd }\n";

struct fixture {
    struct metrics *metrics;
    struct snapshot *snapshot;
    struct pricing pricing;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const struct metrics_config metrics = {.version = "1"};
    struct loading loading = {0};
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    fixture = (struct fixture){0};
    *state = &fixture;
    return metrics_create(&metrics, &fixture.metrics) == STATUS_OK &&
                   snapshot_create(&config, fixture.metrics, &fixture.snapshot, NULL) == STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    alloc_fail_nth(-1);
    pricing_fini(&f->pricing);
    snapshot_unref(&f->snapshot);
    metrics_destroy(&f->metrics);
    return 0;
}

static const struct provider *provider_of(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->snapshot->config->provider_count; i++) {
        if (slice_equal(f->snapshot->providers[i].config->name, slice_from_text(name)))
            return &f->snapshot->providers[i];
    }
    fail_msg("%s", name);
    return NULL;
}

static const struct price *find(struct fixture *f, const char *provider, const char *model,
                                const char *date)
{
    uint64_t time_us = 0;
    assert_int_equal(date_parse_day(slice_from_text(date), &time_us), STATUS_OK);
    return pricing_find(&f->pricing, f->snapshot, provider_of(f, provider), slice_from_text(model),
                        time_us);
}

/* Whether it is found without memory, and so was kept. */
static bool is_kept(struct fixture *f, const char *provider, const char *model, const char *date)
{
    alloc_fail_nth(0);
    const struct price *price = find(f, provider, model, date);
    alloc_fail_nth(-1);
    return price != NULL;
}

static void assert_id(struct fixture *f, const char *provider, const char *model, const char *date,
                      const char *id)
{
    const struct price *price = find(f, provider, model, date);
    assert_non_null(price);
    assert_string_equal(price->id, id);
}

/* --- Finding --- */

static void a_price_is_kept_for_as_long_as_it_holds(void **state)
{
    struct fixture *f = *state;
    assert_false(is_kept(f, "ours", "m", "2026-01-15"));
    assert_id(f, "ours", "m", "2026-01-15", "config/ours/m@2026-01-01");
    assert_true(is_kept(f, "ours", "m", "2026-01-15"));
    assert_true(is_kept(f, "ours", "m", "2026-01-31"));
    assert_true(is_kept(f, "ours", "m", "2026-01-01"));
    assert_false(is_kept(f, "ours", "m", "2026-02-01"));
    assert_false(is_kept(f, "ours", "m", "2025-12-31"));
    assert_id(f, "ours", "m", "2026-02-01", "config/ours/m@2026-02-01");
    assert_true(is_kept(f, "ours", "m", "2030-01-01"));
}

static void that_there_is_none_is_kept_until_there_is_one(void **state)
{
    struct fixture *f = *state;
    assert_id(f, "ours", "m", "2025-06-01", "");
    assert_true(find(f, "ours", "m", "2025-06-01")->rates[PRICE_INPUT] == PRICE_UNKNOWN);
    assert_true(is_kept(f, "ours", "m", "2025-12-31"));
    assert_false(is_kept(f, "ours", "m", "2026-01-01"));
    assert_id(f, "ours", "m", "2026-01-01", "config/ours/m@2026-01-01");
}

static void the_catalogues_first_price_is_kept_before_its_day_too(void **state)
{
    struct fixture *f = *state;
    assert_id(f, "openai", "gpt-4o", "2024-12-01", "catalogue/openai/gpt-4o@2025-08-13");
    assert_true(is_kept(f, "openai", "gpt-4o", "2024-12-01"));
    assert_true(is_kept(f, "openai", "gpt-4o", "2024-12-02"));
}

static void a_prefix_has_a_price_for_each_of_its_models(void **state)
{
    struct fixture *f = *state;
    assert_id(f, "ours", "big-1", "2026-01-01", "config/ours/big-*@1970-01-01");
    assert_id(f, "gift", "big-1", "2026-01-01", "config/gift/big-*@1970-01-01");
    assert_id(f, "gift", "small", "2026-01-01", "free/gift");
    assert_true(is_kept(f, "ours", "big-1", "2026-01-01"));
    assert_false(is_kept(f, "ours", "big-2", "2026-01-01"));
}

static void prices_that_share_a_slot_are_never_mistaken_for_each_other(void **state)
{
    struct fixture *f = *state;
    char model[16];
    for (unsigned i = 0; i < 4 * PRICING_SLOTS; i++) {
        (void)snprintf(model, sizeof(model), i % 2 == 0 ? "big-%u" : "other-%u", i);
        assert_id(f, "ours", model, "2026-01-01", i % 2 == 0 ? "config/ours/big-*@1970-01-01" : "");
        assert_id(f, "gift", model, "2026-01-01",
                  i % 2 == 0 ? "config/gift/big-*@1970-01-01" : "free/gift");
    }
    assert_id(f, "ours", "", "2026-01-01", "");
}

static void without_memory_there_is_no_price_and_nothing_is_lost(void **state)
{
    struct fixture *f = *state;
    assert_id(f, "ours", "m", "2026-01-15", "config/ours/m@2026-01-01");
    assert_false(is_kept(f, "ours", "m", "2026-02-15"));
    assert_true(is_kept(f, "ours", "m", "2026-01-15"));
}

static void what_was_cleared_is_looked_for_again(void **state)
{
    struct fixture *f = *state;
    assert_id(f, "ours", "m", "2026-01-15", "config/ours/m@2026-01-01");
    pricing_clear(&f->pricing);
    assert_false(is_kept(f, "ours", "m", "2026-01-15"));
    assert_id(f, "ours", "m", "2026-01-15", "config/ours/m@2026-01-01");
}

/* --- Bills --- */

static struct openai_usage usage_of(uint64_t input, uint64_t output)
{
    struct openai_usage usage = {
        .given = 1u << OPENAI_TOKENS_INPUT | 1u << OPENAI_TOKENS_OUTPUT,
    };
    usage.tokens[OPENAI_TOKENS_INPUT] = input;
    usage.tokens[OPENAI_TOKENS_OUTPUT] = output;
    return usage;
}

static struct record_bill bill_by(const struct price *price, const struct provider *provider,
                                  const struct openai_usage *usage)
{
    struct record_bill bill;
    pricing_bill(price, provider, usage, PRICE_STANDARD, 0, &bill);
    return bill;
}

static struct record_bill bill_of(struct fixture *f, const char *provider, const char *model)
{
    const struct openai_usage usage = usage_of(1000, 10);
    return bill_by(find(f, provider, model, "2026-01-15"), provider_of(f, provider), &usage);
}

static void a_bill_says_what_was_used_what_it_costs_and_by_which_price(void **state)
{
    struct fixture *f = *state;
    const struct record_bill bill = bill_of(f, "ours", "m");
    assert_int_equal(bill.tokens[RECORD_TOKENS_INPUT], 1000);
    assert_int_equal(bill.tokens[RECORD_TOKENS_OUTPUT], 10);
    assert_int_equal(bill.tokens[RECORD_TOKENS_CACHED], RECORD_UNKNOWN);
    assert_int_equal(bill.tokens[RECORD_TOKENS_AUDIO], RECORD_UNKNOWN);
    assert_int_equal(bill.cost_nanousd, 1000 * 2000 + 10 * 4000);
    assert_true(slice_equal(bill.price_id, SLICE("config/ours/m@2026-01-01")));
}

static void what_has_no_price_has_an_unknown_cost_and_what_is_free_costs_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(bill_of(f, "ours", "other").cost_nanousd, RECORD_UNKNOWN);
    assert_int_equal(bill_of(f, "ours", "other").price_id.size, 0);
    assert_int_equal(bill_of(f, "ours", "big-1").cost_nanousd, RECORD_UNKNOWN); /* its output */
    assert_int_equal(bill_of(f, "gift", "other").cost_nanousd, 0);
    assert_true(slice_equal(bill_of(f, "gift", "other").price_id, SLICE("free/gift")));
}

static void without_a_price_at_all_the_tokens_stand_in_the_bill(void **state)
{
    struct fixture *f = *state;
    const struct openai_usage usage = usage_of(7, 0);
    const struct record_bill bill = bill_by(NULL, provider_of(f, "ours"), &usage);
    assert_int_equal(bill.tokens[RECORD_TOKENS_INPUT], 7);
    assert_int_equal(bill.tokens[RECORD_TOKENS_OUTPUT], 0);
    assert_int_equal(bill.cost_nanousd, RECORD_UNKNOWN);
    assert_int_equal(bill.price_id.size, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_price_is_kept_for_as_long_as_it_holds),
        CASE(that_there_is_none_is_kept_until_there_is_one),
        CASE(the_catalogues_first_price_is_kept_before_its_day_too),
        CASE(a_prefix_has_a_price_for_each_of_its_models),
        CASE(prices_that_share_a_slot_are_never_mistaken_for_each_other),
        CASE(without_memory_there_is_no_price_and_nothing_is_lost),
        CASE(what_was_cleared_is_looked_for_again),
        CASE(a_bill_says_what_was_used_what_it_costs_and_by_which_price),
        CASE(what_has_no_price_has_an_unknown_cost_and_what_is_free_costs_nothing),
        CASE(without_a_price_at_all_the_tokens_stand_in_the_bill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
