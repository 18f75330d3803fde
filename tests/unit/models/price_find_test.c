#include "models/price_find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/date.h"
#include "models/price_terms.h"
#include "support/small_catalogue.h"

struct fixture {
    struct buffer models, tiers;
    struct catalogue catalogue;
    struct price_list *config, *store;
    struct price_sources sources;
};

static uint64_t day(const char *text)
{
    uint64_t time_us = 0;
    assert_int_equal(date_parse_day(slice_from_text(text), &time_us), STATUS_OK);
    return time_us;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    buffer_init(&f->models, 1 << 16);
    buffer_init(&f->tiers, 1 << 16);
    small_catalogue_heads(&f->models, &f->tiers);
    small_catalogue_model(&f->models, "bedrock,claude,eu-west-1,,2026-01-01", "chat", "3", "15");
    small_catalogue_model(&f->models, "openai,broken,,,2026-01-01", "chat", "1e5", "2");
    small_catalogue_model(&f->models, "openai,gpt-4o,,,2026-01-01", "chat", "10", "2");
    small_catalogue_model(&f->models, "openai,gpt-4o,,,2026-06-01", "chat", "11", "2");
    small_catalogue_model(&f->models, "openai,picture,,high/1x1,2026-01-01", "image_generation",
                          "5", "6");
    f->config = price_list_create("config");
    f->store = price_list_create("store");
    f->sources = (struct price_sources){f->config, f->store, &f->catalogue};
    *state = f;
    return catalogue_open(buffer_slice(&f->models), buffer_slice(&f->tiers), &f->catalogue, NULL) ==
                   STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    price_list_destroy(&f->config);
    price_list_destroy(&f->store);
    buffer_fini(&f->models);
    buffer_fini(&f->tiers);
    return 0;
}

static void add(struct price_list *list, const char *model, const char *from, const char *terms)
{
    struct price price;
    assert_int_equal(price_read(slice_from_text(terms), &price, NULL), STATUS_OK);
    assert_int_equal(price_list_add(list, SLICE("ours"), slice_from_text(model), day(from), &price),
                     STATUS_OK);
}

static struct price_query query_of(const char *model, const char *date)
{
    return (struct price_query){.provider = SLICE("ours"),
                                .model = slice_from_text(model),
                                .catalogue_provider = SLICE("openai"),
                                .time_us = day(date)};
}

static void assert_price(const struct fixture *f, const struct price_query *query, const char *id,
                         const char *until)
{
    struct price price, again;
    assert_int_equal(price_find(&f->sources, query, &price), STATUS_OK);
    assert_string_equal(price.id, id);
    assert_true(price.until_us == (until != NULL ? day(until) : UINT64_MAX));
    /* A row that stores the id can be rated again. */
    assert_int_equal(price_find_id(&f->sources, price_id(&price), &again), STATUS_OK);
    assert_memory_equal(again.rates, price.rates, sizeof(price.rates));
    assert_int_equal(again.is_free, price.is_free);
    assert_string_equal(again.id, id);
}

static void the_configuration_goes_before_the_store_and_that_before_the_catalogue(void **state)
{
    const struct fixture *f = *state;
    const struct price_query query = query_of("gpt-4o", "2026-02-02");
    assert_price(f, &query, "catalogue/openai/gpt-4o@2026-01-01", "2026-06-01");
    add(f->store, "gpt-4o", "2026-02-01", "input=1");
    assert_price(f, &query, "store/ours/gpt-4o@2026-02-01", NULL);
    add(f->config, "gpt-4o", "2026-02-02", "input=2");
    assert_price(f, &query, "config/ours/gpt-4o@2026-02-02", NULL);
}

static void a_price_that_begins_later_does_not_hold_yet_but_ends_the_one_before(void **state)
{
    const struct fixture *f = *state;
    const struct price_query query = query_of("gpt-4o", "2026-02-02");
    add(f->config, "gpt-4o", "2026-03-01", "input=2");
    add(f->store, "gpt-4o", "2026-02-15", "input=1");
    assert_price(f, &query, "catalogue/openai/gpt-4o@2026-01-01", "2026-02-15");
    const struct price_query later = query_of("gpt-4o", "2026-02-15");
    assert_price(f, &later, "store/ours/gpt-4o@2026-02-15", "2026-03-01");
    const struct price_query last = query_of("gpt-4o", "2026-03-01");
    assert_price(f, &last, "config/ours/gpt-4o@2026-03-01", NULL);
}

static void a_prefix_is_found_again_by_its_id_and_gives_way_when_a_name_begins(void **state)
{
    const struct fixture *f = *state;
    const struct price_query query = query_of("gpt-4o", "2026-02-02");
    add(f->config, "gpt-*", "2026-02-01", "input=2");
    add(f->config, "gpt-4o", "2026-03-01", "input=3");
    add(f->store, "gpt-4o", "2026-02-15", "input=1");
    assert_price(f, &query, "config/ours/gpt-*@2026-02-01", "2026-03-01");
    const struct price_query before = query_of("gpt-4o", "2026-01-31");
    assert_price(f, &before, "catalogue/openai/gpt-4o@2026-01-01", "2026-02-01");
    const struct price_query later = query_of("gpt-4o", "2026-03-01");
    assert_price(f, &later, "config/ours/gpt-4o@2026-03-01", NULL);
    const struct price_query other = query_of("gpt-5", "2026-03-01");
    assert_price(f, &other, "config/ours/gpt-*@2026-02-01", NULL);
}

static void the_catalogue_has_a_history_and_its_first_price_was_before_it(void **state)
{
    const struct fixture *f = *state;
    const struct price_query long_ago = query_of("gpt-4o", "2020-01-01");
    const struct price_query today = query_of("gpt-4o", "2026-11-24");
    assert_price(f, &long_ago, "catalogue/openai/gpt-4o@2026-01-01", "2026-06-01");
    assert_price(f, &today, "catalogue/openai/gpt-4o@2026-06-01", NULL);
}

static void a_free_provider_costs_nothing_unless_a_price_list_says_otherwise(void **state)
{
    const struct fixture *f = *state;
    struct price_query query = query_of("gpt-4o", "2026-02-02");
    query.is_free = true;
    assert_price(f, &query, "free/ours", NULL);
    add(f->config, "gpt-4o", "2026-02-03", "input=2");
    assert_price(f, &query, "free/ours", "2026-02-03");
    query.time_us = day("2026-02-03");
    assert_price(f, &query, "config/ours/gpt-4o@2026-02-03", NULL);
}

static void regions_and_variants_are_part_of_the_id(void **state)
{
    const struct fixture *f = *state;
    struct price_query query = query_of("claude", "2026-02-02");
    query.catalogue_provider = SLICE("bedrock");
    query.region = SLICE("eu-west-1");
    assert_price(f, &query, "catalogue/bedrock:eu-west-1/claude@2026-01-01", NULL);
    query = query_of("picture", "2026-02-02");
    query.variant = SLICE("high/1x1");
    assert_price(f, &query, "catalogue/openai/picture#high/1x1@2026-01-01", NULL);
}

static void what_nobody_prices_is_unknown_and_may_become_known(void **state)
{
    const struct fixture *f = *state;
    struct price price;
    struct price_query query = query_of("nothing", "2026-02-02");
    assert_int_equal(price_find(&f->sources, &query, &price), STATUS_NOT_FOUND);
    assert_true(price.rates[PRICE_INPUT] == PRICE_UNKNOWN && price.until_us == UINT64_MAX);
    assert_string_equal(price.id, "");
    add(f->store, "nothing", "2026-03-01", "input=1");
    assert_int_equal(price_find(&f->sources, &query, &price), STATUS_NOT_FOUND);
    assert_true(price.until_us == day("2026-03-01"));

    query = query_of("gpt-4o", "2026-02-02");
    query.catalogue_provider = (struct slice){0};
    assert_int_equal(price_find(&f->sources, &query, &price), STATUS_NOT_FOUND);
    query = query_of("broken", "2026-02-02");
    assert_int_equal(price_find(&f->sources, &query, &price), STATUS_NOT_FOUND);
    const struct price_sources nothing = {0};
    query = query_of("gpt-4o", "2026-02-02");
    assert_int_equal(price_find(&nothing, &query, &price), STATUS_NOT_FOUND);
}

static void ids_that_are_none_are_not_found(void **state)
{
    const struct fixture *f = *state;
    const char *ids[] = {
        "",
        "catalogue/",
        "catalogue/openai",
        "catalogue/openai/gpt-4o",
        "catalogue/openai/gpt-4o@",
        "catalogue/openai/gpt-4o@2026-01-02",
        "catalogue/openai/gpt-4o@2025-12-31",
        "catalogue/openai:eu/gpt-4o@2026-01-01",
        "catalogue/openai/gpt-4o#high@2026-01-01",
        "catalogue//gpt-4o@2026-01-01",
        "catalogue/openai/broken@2026-01-01",
        "catalogue/openai/@2026-01-01",
        "config/ours/gpt-4o@2026-01-01",
        "other/openai/gpt-4o@2026-01-01",
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct price price;
        if (price_find_id(&f->sources, slice_from_text(ids[i]), &price) != STATUS_NOT_FOUND)
            fail_msg("%s", ids[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_configuration_goes_before_the_store_and_that_before_the_catalogue, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            a_price_that_begins_later_does_not_hold_yet_but_ends_the_one_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_prefix_is_found_again_by_its_id_and_gives_way_when_a_name_begins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_catalogue_has_a_history_and_its_first_price_was_before_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_free_provider_costs_nothing_unless_a_price_list_says_otherwise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(regions_and_variants_are_part_of_the_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_prices_is_unknown_and_may_become_known, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ids_that_are_none_are_not_found, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
