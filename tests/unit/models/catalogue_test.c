#include "models/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/price_day.h"

static uint64_t day(const char *text)
{
    uint64_t time_us = 0;
    assert_int_equal(price_day_parse(slice_from_text(text), &time_us), STATUS_OK);
    return time_us;
}

static void every_row_and_tier_of_the_embedded_catalogue_can_be_read(void **state)
{
    (void)state;
    struct catalogue catalogue;
    struct reason reason = {""};
    catalogue_embedded(&catalogue);
    if (catalogue_check(&catalogue, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
}

static void the_embedded_catalogue_knows_a_well_known_model(void **state)
{
    (void)state;
    struct catalogue catalogue;
    struct catalogue_row row;
    struct catalogue_facts facts;
    struct price price;
    catalogue_embedded(&catalogue);
    const struct catalogue_query query = {
        SLICE("openai"), SLICE("gpt-4o-mini"), {0}, {0}, day("2026-11-24")};

    assert_int_equal(catalogue_find(&catalogue, &query, &row), STATUS_OK);
    assert_int_equal(catalogue_read_price(&catalogue, &row, &price), STATUS_OK);
    assert_int_equal(catalogue_read_facts(&row, &facts), STATUS_OK);
    assert_int_equal(price.rates[PRICE_INPUT], 150000000);
    assert_int_equal(price.rates[PRICE_OUTPUT], 600000000);
    assert_int_equal(facts.mode, CATALOGUE_CHAT);
    assert_int_equal(facts.context_window_tokens, 128000);
    assert_int_equal(facts.max_output_tokens, 16384);
    assert_true((facts.abilities >> CATALOGUE_TOOLS & 1) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_and_tier_of_the_embedded_catalogue_can_be_read),
        cmocka_unit_test(the_embedded_catalogue_knows_a_well_known_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
