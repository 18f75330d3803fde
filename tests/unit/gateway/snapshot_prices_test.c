#include "gateway/snapshot_prices.h"

#include "unit/config/loading.h"

#include "base/alloc.h"

static struct metrics *metrics;

static int make_metrics(void **state)
{
    (void)state;
    const struct metrics_config config = {.version = "1"};
    return metrics_create(&config, &metrics) == STATUS_OK ? 0 : -1;
}

static int destroy_metrics(void **state)
{
    (void)state;
    metrics_destroy(&metrics);
    return 0;
}

static const struct config *config_of(const char *yaml)
{
    struct loading loading = {0};
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    return config;
}

static struct snapshot *made(const char *yaml)
{
    const struct config *config = config_of(yaml);
    struct snapshot *snapshot;
    assert_int_equal(snapshot_create(&config, metrics, &snapshot, NULL), STATUS_OK);
    return snapshot;
}

/* --- The configuration's list --- */

static void each_amount_becomes_the_rate_of_its_part(void **state)
{
    (void)state;
    struct snapshot *snapshot =
        made("prices:\n"
             "  - { provider: local, model: m, input: 1usd, output: 2usd, cache_read: 3usd,\n"
             "      cache_write: 4usd, reasoning: 5usd, audio_input: 6usd, audio_output: 7usd,\n"
             "      per_request: 0.000000008usd }\n");
    static const enum price_part parts[] = {PRICE_INPUT,       PRICE_OUTPUT,    PRICE_CACHE_READ,
                                            PRICE_CACHE_WRITE, PRICE_REASONING, PRICE_AUDIO_INPUT,
                                            PRICE_AUDIO_OUTPUT};
    const struct price *price =
        price_list_find_id(snapshot->config_prices, SLICE("config/local/m@1970-01-01"));
    assert_non_null(price);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        assert_int_equal(price->rates[parts[i]], (i + 1) * 1000000000);
    assert_int_equal(price->rates[PRICE_REQUEST], 8 * 1000000); /* of a million requests */
    assert_true(price->rates[PRICE_CACHE_WRITE_1H] == PRICE_UNKNOWN);
    assert_int_equal(price->tier_count, 0);
    snapshot_unref(&snapshot);
}

static void what_is_not_stated_is_unknown_and_zero_stays_zero(void **state)
{
    (void)state;
    struct snapshot *snapshot = made("prices: [{ provider: local, model: m, output: 0usd }]\n");
    const struct price *price =
        price_list_find_id(snapshot->config_prices, SLICE("config/local/m@1970-01-01"));
    assert_non_null(price);
    for (size_t part = 0; part < PRICE_PARTS; part++)
        assert_true(price->rates[part] == (part == PRICE_OUTPUT ? 0 : PRICE_UNKNOWN));
    assert_false(price->is_free);
    snapshot_unref(&snapshot);
}

static void entries_are_found_by_name_prefix_and_time(void **state)
{
    (void)state;
    struct snapshot *snapshot =
        made("prices:\n"
             "  - { provider: local, model: m, input: 1usd, from: 2026-01-01 }\n"
             "  - { provider: local, model: 'm*', input: 2usd }\n"
             "  - { provider: openai, model: m, input: 3usd }\n");
    const struct price *price;
    uint64_t next_us;
    assert_int_equal(price_list_count(snapshot->config_prices), 3);
    assert_int_equal(
        price_list_find(snapshot->config_prices, SLICE("local"), SLICE("m"), 0, &price, &next_us),
        STATUS_OK);
    assert_string_equal(price->id, "config/local/m*@1970-01-01");
    assert_int_equal(price_list_find(snapshot->config_prices, SLICE("local"), SLICE("m"), next_us,
                                     &price, &next_us),
                     STATUS_OK);
    assert_string_equal(price->id, "config/local/m@2026-01-01");
    snapshot_unref(&snapshot);
}

static void without_prices_there_is_no_list(void **state)
{
    (void)state;
    struct snapshot *snapshot = made("workers: 1\n");
    assert_null(snapshot->config_prices);
    assert_true(snapshot->catalogue.models.size > 0);
    snapshot_unref(&snapshot);
}

/* --- Where providers stand in the catalogue --- */

static void assert_place(const char *settings, const char *name, const char *region,
                         enum cost_pin pin)
{
    char yaml[512];
    (void)snprintf(yaml, sizeof(yaml),
                   "providers: { groq: { %s } }\nmodels: [{ name: '*', targets: [groq] }]\n",
                   settings);
    struct snapshot *snapshot = made(yaml);
    const struct catalogue_provider *place = &snapshot->providers[0].catalogue;
    assert_true(slice_equal(place->name, slice_from_text(name)));
    assert_true(slice_equal(place->region, slice_from_text(region)));
    assert_int_equal(place->pin, pin);
    snapshot_unref(&snapshot);
}

static void a_provider_is_placed_by_what_it_says_else_by_its_host_else_by_its_name(void **state)
{
    (void)state;
    assert_place("base_url: http://h/v1", "groq", "", COST_PIN_NONE);
    assert_place("base_url: 'http://eu.api.openai.com/v1'", "openai", "", COST_PIN_EU);
    assert_place("base_url: 'http://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1'", "bedrock",
                 "eu-west-1", COST_PIN_NONE);
    assert_place("base_url: 'http://api.openai.com/v1', catalogue: mistral", "mistral", "",
                 COST_PIN_NONE);
    assert_place("base_url: http://h/v1, catalogue: azure, region: eu", "azure", "eu",
                 COST_PIN_NONE);
}

static void a_provider_that_nobody_knows_has_no_place(void **state)
{
    (void)state;
    struct snapshot *snapshot = made("providers: { p: { base_url: http://h/v1 } }\n"
                                     "models: [{ name: '*', targets: [p] }]\n");
    assert_int_equal(snapshot->providers[0].catalogue.name.size, 0);
    snapshot_unref(&snapshot);
}

/* --- What goes wrong --- */

static void an_entry_that_is_none_is_named_with_its_line(void **state)
{
    (void)state;
    const struct config_price entry = {
        .provider = SLICE("p/q"), .model = SLICE("m"), .input_nanousd = 1, .origin.line = 7};
    struct config config = {.prices = {&entry, 1}};
    struct snapshot snapshot = {.config = &config};
    struct reason reason = {""};
    assert_int_equal(snapshot_prices_make(&snapshot, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "p/q/m (line 7)"));
    price_list_destroy(&snapshot.config_prices);
}

static void every_failed_allocation_leaves_nothing(void **state)
{
    (void)state;
    const struct config *config =
        config_of("prices:\n  - { provider: local, model: m, input: 1usd }\n"
                  "  - { provider: local, model: 'm*', input: 1usd }\n");
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status == STATUS_NO_MEMORY; nth++) {
        struct provider providers[2] = {{.config = &config->providers[0]},
                                        {.config = &config->providers[1]}};
        struct snapshot snapshot = {.config = config, .providers = providers};
        struct reason reason = {""};
        assert_int_equal(config->provider_count, 2);
        alloc_fail_nth(nth);
        status = snapshot_prices_make(&snapshot, &reason);
        alloc_fail_nth(-1);
        price_list_destroy(&snapshot.config_prices);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(nth > 3);
    config_unref(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_amount_becomes_the_rate_of_its_part),
        cmocka_unit_test(what_is_not_stated_is_unknown_and_zero_stays_zero),
        cmocka_unit_test(entries_are_found_by_name_prefix_and_time),
        cmocka_unit_test(without_prices_there_is_no_list),
        cmocka_unit_test(a_provider_is_placed_by_what_it_says_else_by_its_host_else_by_its_name),
        cmocka_unit_test(a_provider_that_nobody_knows_has_no_place),
        cmocka_unit_test(an_entry_that_is_none_is_named_with_its_line),
        cmocka_unit_test(every_failed_allocation_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_metrics, destroy_metrics);
}
