#include "gateway/pricing.h"

#include "unit/gateway/gateway_fixture.h"

#include "base/alloc.h"

#define USD UINT64_C(1000000000) /* for a million */

static struct price price_of(uint64_t input, uint64_t output)
{
    struct price price;
    price_init_unknown(&price);
    price.rates[PRICE_INPUT] = input * USD;
    price.rates[PRICE_OUTPUT] = output * USD;
    return price;
}

/* 100 tokens of input, of which so many were cached, and 10 of output. */
static struct record_bill bill(const struct price *price, uint64_t cached,
                               enum price_class service_class)
{
    static const struct provider provider;
    const struct openai_usage usage = {
        .tokens = {[OPENAI_TOKENS_INPUT] = 100,
                   [OPENAI_TOKENS_OUTPUT] = 10,
                   [OPENAI_TOKENS_CACHED] = cached},
        .given =
            1U << OPENAI_TOKENS_INPUT | 1U << OPENAI_TOKENS_OUTPUT | 1U << OPENAI_TOKENS_CACHED,
    };
    struct record_bill bill;
    pricing_bill(price, &provider, &usage, service_class, 0, &bill);
    return bill;
}

static void cached_tokens_have_the_price_that_is_stated(void **state)
{
    (void)state;
    struct price price = price_of(2, 3);
    price.rates[PRICE_CACHE_READ] = 1 * USD;
    const struct record_bill made = bill(&price, 60, PRICE_STANDARD);
    assert_int_equal(made.cost_nanousd, 60 * 1000 + 40 * 2000 + 10 * 3000);
    assert_false(made.estimated);
}

static void cached_tokens_without_a_price_cost_what_input_does_and_are_marked(void **state)
{
    (void)state;
    const struct price price = price_of(2, 3);
    const struct record_bill made = bill(&price, 60, PRICE_STANDARD);
    assert_int_equal(made.cost_nanousd, 100 * 2000 + 10 * 3000);
    assert_true(made.estimated);
    assert_int_equal(made.tokens[RECORD_TOKENS_CACHED], 60);
    assert_false(bill(&price, 0, PRICE_STANDARD).estimated);
}

static void what_else_has_no_price_stays_unknown_and_unmarked(void **state)
{
    (void)state;
    struct price price = price_of(2, 3);
    price.rates[PRICE_OUTPUT] = PRICE_UNKNOWN;
    const struct record_bill made = bill(&price, 60, PRICE_STANDARD);
    assert_int_equal(made.cost_nanousd, RECORD_UNKNOWN);
    assert_false(made.estimated);
    assert_int_equal(bill(NULL, 60, PRICE_STANDARD).cost_nanousd, RECORD_UNKNOWN);
}

static void a_service_class_has_its_own_price_or_none(void **state)
{
    (void)state;
    struct price price = price_of(2, 3);
    struct price_tier *flex = price_tier_add(&price, PRICE_FLEX, 0);
    flex->rates[PRICE_INPUT] = 1 * USD;
    flex->rates[PRICE_OUTPUT] = 1 * USD;
    assert_int_equal(bill(&price, 0, PRICE_FLEX).cost_nanousd, 110 * 1000);
    assert_int_equal(bill(&price, 0, PRICE_PRIORITY).cost_nanousd, RECORD_UNKNOWN);
}

static void the_id_of_a_row_tells_its_service_class(void **state)
{
    (void)state;
    static const char *const ids[] = {"config/p/m@2026-01-01", "free/p", "store/p/a+b@2026-01-01"};
    char text[PRICING_ID_BYTES];
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct slice id = slice_from_text(ids[i]);
        for (int which = 0; which < PRICE_CLASSES; which++) {
            const struct slice stored = pricing_id(id, (enum price_class)which, text);
            assert_int_equal(pricing_class_of(stored), which);
            assert_true(slice_starts_with(stored, id));
        }
        assert_true(slice_equal(pricing_id(id, PRICE_STANDARD, text), id));
    }
    assert_true(slice_equal(pricing_id(SLICE("a@1"), PRICE_FLEX, text), SLICE("a@1+flex")));
    assert_int_equal(pricing_id((struct slice){0}, PRICE_FLEX, text).size, 0);
    assert_int_equal(pricing_class_of((struct slice){0}), PRICE_STANDARD);
    char longest[PRICE_ID_BYTES];
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(
        pricing_class_of(pricing_id(slice_of(longest, PRICE_ID_BYTES - 1), PRICE_ULTRAFAST, text)),
        PRICE_ULTRAFAST);
}

static void the_facts_of_the_catalogue_are_found_and_kept(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    gateway_fixture_open(
        &fixture,
        "listen: 127.0.0.1:%u\nworkers: 1\n"
        "providers:\n"
        "  openai: { base_url: 'http://127.0.0.1:1/v1', api_key: k }\n"
        "  other: { base_url: 'http://127.0.0.1:1/v1', api_key: k }\n"
        "models: [{ name: a, targets: [openai] }, { name: b, targets: [other] }]\n",
        gateway_fixture_port());
    const struct snapshot *snapshot = fixture.gateway.snapshot;
    struct pricing pricing = {{NULL}};
    for (size_t i = 0; i < snapshot->config->provider_count; i++) {
        const struct provider *provider = &snapshot->providers[i];
        const bool is_known = slice_equal(provider->config->name, SLICE("openai"));
        const struct catalogue_facts *facts =
            pricing_facts(&pricing, snapshot, provider, SLICE("gpt-4-0613"), UINT64_C(1) << 51);
        assert_int_equal(facts->context_window_tokens, is_known ? 8192 : 0);
        assert_ptr_equal(
            pricing_facts(&pricing, snapshot, provider, SLICE("gpt-4-0613"), UINT64_C(1) << 51),
            facts);
    }
    assert_int_equal(
        pricing_facts(&pricing, snapshot, &snapshot->providers[0], SLICE("no such model"), 0)
            ->context_window_tokens,
        0);
    alloc_fail_nth(0);
    assert_null(pricing_facts(&pricing, snapshot, &snapshot->providers[0], SLICE("another"), 0));
    alloc_fail_nth(-1);
    pricing_fini(&pricing);
    gateway_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_tokens_have_the_price_that_is_stated),
        cmocka_unit_test(cached_tokens_without_a_price_cost_what_input_does_and_are_marked),
        cmocka_unit_test(what_else_has_no_price_stays_unknown_and_unmarked),
        cmocka_unit_test(a_service_class_has_its_own_price_or_none),
        cmocka_unit_test(the_id_of_a_row_tells_its_service_class),
        cmocka_unit_test(the_facts_of_the_catalogue_are_found_and_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
