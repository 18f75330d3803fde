#include "models/price.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct price_rates rates_at(const struct price *price, enum price_class service_class,
                                   uint64_t prompt_tokens)
{
    const struct price_situation situation = {service_class, prompt_tokens, 0};
    struct price_rates rates;
    price_rates_at(price, &situation, &rates);
    return rates;
}

static void add_tier(struct price *price, enum price_class service_class, uint64_t above_tokens,
                     uint64_t input)
{
    struct price_tier *tier = price_tier_add(price, service_class, above_tokens);
    assert_non_null(tier);
    tier->rates[PRICE_INPUT] = input;
}

static struct price tiered(void)
{
    struct price price;
    price_init_unknown(&price);
    price.rates[PRICE_INPUT] = 1;
    /* Not in their order. */
    add_tier(&price, PRICE_STANDARD, 1000, 3);
    add_tier(&price, PRICE_STANDARD, 100, 2);
    add_tier(&price, PRICE_BATCH, 100, 20);
    add_tier(&price, PRICE_BATCH, 0, 10);
    add_tier(&price, PRICE_FLEX, 0, 30);
    return price;
}

static void an_unknown_price_knows_nothing_but_that_a_request_itself_is_free(void **state)
{
    (void)state;
    struct price price;
    price_init_unknown(&price);
    const struct price_rates rates = rates_at(&price, PRICE_STANDARD, 0);
    for (size_t part = 0; part < PRICE_PARTS; part++)
        assert_true(rates.of[part] == (part == PRICE_REQUEST ? 0 : PRICE_UNKNOWN));
    assert_true(price.until_us == UINT64_MAX);
    assert_int_equal(price_id(&price).size, 0);
}

static void a_free_price_is_zero_in_every_class(void **state)
{
    (void)state;
    struct price price;
    price_init_free(&price);
    for (size_t i = 0; i < PRICE_CLASSES; i++) {
        const struct price_rates rates = rates_at(&price, (enum price_class)i, 1000000);
        for (size_t part = 0; part < PRICE_PARTS; part++)
            assert_int_equal(rates.of[part], 0);
    }
}

static void the_highest_tier_below_the_prompt_holds(void **state)
{
    (void)state;
    const struct price price = tiered();
    const uint64_t prompts[][3] = {{0, 1, 0},      {100, 1, 0},     {101, 2, 100},
                                   {1000, 2, 100}, {1001, 3, 1000}, {UINT64_MAX, 3, 1000}};
    for (size_t i = 0; i < sizeof(prompts) / sizeof(prompts[0]); i++) {
        const struct price_rates rates = rates_at(&price, PRICE_STANDARD, prompts[i][0]);
        assert_int_equal(rates.of[PRICE_INPUT], prompts[i][1]);
        assert_int_equal(rates.above_tokens, prompts[i][2]);
    }
}

static void a_class_has_its_own_tiers(void **state)
{
    (void)state;
    const struct price price = tiered();
    assert_int_equal(rates_at(&price, PRICE_BATCH, 0).of[PRICE_INPUT], 10);
    assert_int_equal(rates_at(&price, PRICE_BATCH, 100).of[PRICE_INPUT], 10);
    assert_int_equal(rates_at(&price, PRICE_BATCH, 101).of[PRICE_INPUT], 20);
    assert_int_equal(rates_at(&price, PRICE_FLEX, 100).of[PRICE_INPUT], 30);
}

static void a_class_without_a_tier_that_the_standard_one_has_is_unknown_there(void **state)
{
    (void)state;
    const struct price price = tiered();
    assert_true(rates_at(&price, PRICE_BATCH, 1001).of[PRICE_INPUT] == PRICE_UNKNOWN);
    assert_true(rates_at(&price, PRICE_FLEX, 101).of[PRICE_INPUT] == PRICE_UNKNOWN);
    assert_true(rates_at(&price, PRICE_PRIORITY, 1).of[PRICE_INPUT] == PRICE_UNKNOWN);
}

static void some_parts_stand_in_for_others(void **state)
{
    (void)state;
    struct price price;
    price_init_unknown(&price);
    price.rates[PRICE_INPUT] = 1;
    price.rates[PRICE_OUTPUT] = 2;
    price.rates[PRICE_CACHE_READ] = 3;
    price.rates[PRICE_WEB_SEARCH] = 4;
    struct price_rates rates = rates_at(&price, PRICE_STANDARD, 0);
    assert_int_equal(rates.of[PRICE_IMAGE_INPUT], 1);
    assert_int_equal(rates.of[PRICE_REASONING], 2);
    assert_int_equal(rates.of[PRICE_IMAGE_CACHE_READ], 3);
    assert_int_equal(rates.of[PRICE_WEB_SEARCH_LOW], 4);
    assert_int_equal(rates.of[PRICE_WEB_SEARCH_HIGH], 4);
    assert_true(rates.of[PRICE_AUDIO_INPUT] == PRICE_UNKNOWN);
    assert_true(rates.of[PRICE_CACHE_WRITE_1H] == PRICE_UNKNOWN);
    price.rates[PRICE_REASONING] = 0;
    rates = rates_at(&price, PRICE_STANDARD, 0);
    assert_int_equal(rates.of[PRICE_REASONING], 0);
}

static void reasoning_that_costs_what_output_does_follows_it_off_peak(void **state)
{
    (void)state;
    struct price price;
    price_init_unknown(&price);
    price.rates[PRICE_OUTPUT] = price.rates[PRICE_REASONING] = 10;
    price.offpeak_rates[PRICE_OUTPUT] = 5;
    assert_int_equal(price_offpeak_parse(SLICE("4 00:00-00:00"), &price.offpeak), STATUS_OK);
    assert_int_equal(rates_at(&price, PRICE_STANDARD, 0).of[PRICE_REASONING], 5);
    price.rates[PRICE_REASONING] = 11;
    assert_int_equal(rates_at(&price, PRICE_STANDARD, 0).of[PRICE_REASONING], 11);
    price.offpeak_rates[PRICE_REASONING] = 7;
    assert_int_equal(rates_at(&price, PRICE_STANDARD, 0).of[PRICE_REASONING], 7);
}

static void cheap_hours_are_for_the_standard_class_below_the_first_tier(void **state)
{
    (void)state;
    struct price price = tiered();
    price.offpeak_rates[PRICE_INPUT] = 0;
    assert_int_equal(price_offpeak_parse(SLICE("4 00:00-00:00"), &price.offpeak), STATUS_OK);
    assert_int_equal(rates_at(&price, PRICE_STANDARD, 100).of[PRICE_INPUT], 0);
    assert_int_equal(rates_at(&price, PRICE_STANDARD, 101).of[PRICE_INPUT], 2);
    assert_int_equal(rates_at(&price, PRICE_BATCH, 1).of[PRICE_INPUT], 10);
}

static void tiers_are_found_added_once_and_limited(void **state)
{
    (void)state;
    struct price price = tiered();
    const struct price_tier *tier = price_tier_find(&price, PRICE_BATCH, 100);
    assert_non_null(tier);
    assert_ptr_equal(price_tier_add(&price, PRICE_BATCH, 100), tier);
    assert_null(price_tier_find(&price, PRICE_BATCH, 99));
    for (uint64_t i = price.tier_count; i < PRICE_TIERS_MAX; i++)
        assert_non_null(price_tier_add(&price, PRICE_PRIORITY, i));
    assert_null(price_tier_add(&price, PRICE_PRIORITY, 0));
}

static void classes_are_found_by_the_names_that_providers_use(void **state)
{
    (void)state;
    enum price_class found;
    for (size_t i = 0; i < PRICE_CLASSES; i++) {
        const char *name = price_class_name((enum price_class)i);
        assert_int_equal(price_class_find(slice_from_text(name), &found), STATUS_OK);
        assert_int_equal(found, i);
    }
    const char *standard[] = {"default", "auto", "on_demand", "standard_only"};
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        assert_int_equal(price_class_find(slice_from_text(standard[i]), &found), STATUS_OK);
        assert_int_equal(found, PRICE_STANDARD);
    }
    assert_int_equal(price_class_find(SLICE("Batch"), &found), STATUS_NOT_FOUND);
    assert_int_equal(price_class_find(SLICE(""), &found), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_price_knows_nothing_but_that_a_request_itself_is_free),
        cmocka_unit_test(a_free_price_is_zero_in_every_class),
        cmocka_unit_test(the_highest_tier_below_the_prompt_holds),
        cmocka_unit_test(a_class_has_its_own_tiers),
        cmocka_unit_test(a_class_without_a_tier_that_the_standard_one_has_is_unknown_there),
        cmocka_unit_test(some_parts_stand_in_for_others),
        cmocka_unit_test(reasoning_that_costs_what_output_does_follows_it_off_peak),
        cmocka_unit_test(cheap_hours_are_for_the_standard_class_below_the_first_tier),
        cmocka_unit_test(tiers_are_found_added_once_and_limited),
        cmocka_unit_test(classes_are_found_by_the_names_that_providers_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
