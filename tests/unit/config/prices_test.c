#include "loading.h"

#include "base/alloc.h"

#define PROVIDERS "providers: {ours: {base_url: http://a}, other: {base_url: http://b}}\n"

static void a_price_has_what_stands_there_and_nothing_else(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(
        &loading, PROVIDERS "prices:\n"
                            "  - {provider: ours, model: tuned, input: 0.40usd, output: 1.60usd,"
                            " cache_read: 0.10usd, from: 2026-01-01}\n"
                            "  - {provider: openai, model: 'gpt*', per_request: 0usd}\n");
    assert_int_equal(config->prices.count, 2);
    const struct config_price *tuned = &config->prices.items[0];
    assert_text(tuned->provider, "ours");
    assert_text(tuned->model, "tuned");
    assert_int_equal(tuned->input_nanousd, 400000000);
    assert_int_equal(tuned->output_nanousd, 1600000000);
    assert_int_equal(tuned->cache_read_nanousd, 100000000);
    assert_true(tuned->cache_write_nanousd == CONFIG_PRICE_UNSET);
    assert_true(tuned->per_request_nanousd == CONFIG_PRICE_UNSET);
    assert_true(tuned->from_us == UINT64_C(1767225600000000));
    assert_int_equal(tuned->origin.line, 3);
    const struct config_price *wide = &config->prices.items[1];
    assert_text(wide->model, "gpt*");
    assert_int_equal(wide->per_request_nanousd, 0);
    assert_true(wide->input_nanousd == CONFIG_PRICE_UNSET);
    assert_int_equal(wide->from_us, 0);
    loading_end(&loading);
}

static void each_amount_goes_to_its_own_field(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config_price *price =
        loading_sound(&loading, "prices:\n"
                                "  - {provider: local, model: m, input: 1usd, output: 2usd,"
                                " cache_read: 3usd, cache_write: 4usd, reasoning: 5usd,"
                                " audio_input: 6usd, audio_output: 7usd, per_request: 8usd}\n")
            ->prices.items;
    const int64_t amounts[] = {price->input_nanousd,        price->output_nanousd,
                               price->cache_read_nanousd,   price->cache_write_nanousd,
                               price->reasoning_nanousd,    price->audio_input_nanousd,
                               price->audio_output_nanousd, price->per_request_nanousd};
    for (int i = 0; i < 8; i++)
        assert_true(amounts[i] == (i + 1) * INT64_C(1000000000));
    loading_end(&loading);
}

static void there_need_be_no_prices(void **state)
{
    (void)state;
    static const char *const texts[] = {"workers: 1\n", "prices:\n", "prices: ~\n", "prices: []\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct loading loading = {0};
        assert_int_equal(loading_sound(&loading, texts[i])->prices.count, 0);
        loading_end(&loading);
    }
}

static void refused_price(const char *members, const char *said)
{
    char yaml[512];
    snprintf(yaml, sizeof(yaml), "workers: 1\nprices:\n  - {%s}\n", members);
    loading_refused(yaml, 3, said);
}

static void a_price_needs_provider_model_and_an_amount(void **state)
{
    (void)state;
    loading_refused("workers: 1\nprices: {a: b}\n", 2, "a list is wanted");
    loading_refused("workers: 1\nprices: x\n", 2, "a list is wanted");
    loading_refused("prices:\n  - local\n", 2, "a price is a mapping");
    refused_price("", "needs a provider");
    refused_price("model: m, input: 1usd", "needs a provider");
    refused_price("provider: local, input: 1usd", "needs a model");
    refused_price("provider: local, model: m", "needs an amount");
    refused_price("provider: local, model: m, from: 2026-01-01", "needs an amount");
}

static void the_provider_is_one_that_there_is(void **state)
{
    (void)state;
    refused_price("provider: lcoal, model: m, input: 1usd", "did you mean 'local'?");
    refused_price("provider: openia, model: m, input: 1usd", "did you mean 'openai'?");
    refused_price("provider: xxxxxxxxxx, model: m, input: 1usd", "no provider 'xxxxxxxxxx'");
    refused_price("provider: '', model: m, input: 1usd", "1 to 64 bytes");
}

static void the_model_is_a_name_or_a_prefix(void **state)
{
    (void)state;
    char members[400], name[258];
    refused_price("provider: local, model: '', input: 1usd", "1 to 256 bytes");
    refused_price("provider: local, model: 'a*b', input: 1usd", "is no model's name");
    refused_price("provider: local, model: 'a**', input: 1usd", "is no model's name");
    refused_price("provider: local, model: [m], input: 1usd", "one value is wanted, not a list");
    memset(name, 'a', 257);
    name[257] = '\0';
    snprintf(members, sizeof(members), "provider: local, model: %s, input: 1usd", name);
    refused_price(members, "1 to 256 bytes");
}

static void an_amount_is_money(void **state)
{
    (void)state;
    refused_price("provider: local, model: m, input: 0.40", "write 0.40usd");
    refused_price("provider: local, model: m, input: 1000001", "write 1000001usd");
    refused_price("provider: local, model: m, input: $1", "write 10usd or 0.40usd");
    refused_price("provider: local, model: m, input: 1eur", "write 10usd or 0.40usd");
    refused_price("provider: local, model: m, input: -1usd", "is no money");
    refused_price("provider: local, model: m, input: 0.0000000001usd", "billionth");
    refused_price("provider: local, model: m, input: 1000000.000000001usd", "0usd to 1000000usd");
    refused_price("provider: local, model: m, input: 99999999999999999999usd",
                  "0usd to 1000000usd");
    refused_price("provider: local, model: m, input: 1usd, output: ", "leave it out");
    refused_price("provider: local, model: m, inptu: 1usd", "did you mean 'input'?");
}

/* Rates are kept of a million of anything, requests too. */
static void the_price_of_a_million_requests_is_a_number_too(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(
        &loading, "prices:\n  - {provider: local, model: m, per_request: 10000usd}\n");
    assert_true((uint64_t)config->prices.items[0].per_request_nanousd <= UINT64_MAX / 1000000);
    loading_end(&loading);
    refused_price("provider: local, model: m, per_request: 10000.000000001usd", "0usd to 10000usd");
}

static void a_day_is_a_day(void **state)
{
    (void)state;
    refused_price("provider: local, model: m, input: 1usd, from: 2026-02-29", "2026-01-31");
    refused_price("provider: local, model: m, input: 1usd, from: soon", "2026-01-31");
    refused_price("provider: local, model: m, input: 1usd, from: ''", "2026-01-31");
}

static void two_of_the_same_day_are_a_mistake(void **state)
{
    (void)state;
    struct loading loading = {0};
    loading_refused("prices:\n"
                    "  - {provider: local, model: m, input: 1usd, from: 2026-01-01}\n"
                    "  - {provider: local, model: n, input: 1usd, from: 2026-01-01}\n"
                    "  - {provider: local, model: m, input: 2usd, from: '2026-01-01T00:00:00Z'}\n",
                    4, "before in line 2");
    const struct config *config =
        loading_sound(&loading, "prices:\n"
                                "  - {provider: local, model: m, input: 1usd}\n"
                                "  - {provider: local, model: 'm*', input: 1usd}\n"
                                "  - {provider: openai, model: m, input: 1usd}\n"
                                "  - {provider: local, model: m, input: 1usd, from: 2026-01-01}\n");
    assert_int_equal(config->prices.count, 4);
    loading_end(&loading);
}

static void values_may_come_from_the_environment(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"RATE=0.25"}};
    const struct config *config =
        loading_sound(&loading, "prices:\n"
                                "  - {provider: local, model: '${M:-m}', input: '${RATE}usd'}\n");
    assert_text(config->prices.items[0].model, "m");
    assert_int_equal(config->prices.items[0].input_nanousd, 250000000);
    loading_end(&loading);
    loading_refused("prices:\n  - {provider: local, model: m, input: '${NOPE}usd'}\n", 2, "NOPE");
}

static void prices_are_bounded(void **state)
{
    (void)state;
    struct buffer yaml;
    buffer_init(&yaml, 1 << 20);
    buffer_append(&yaml, SLICE("workers: 1\nprices:\n"));
    for (unsigned i = 0; i < 4097; i++)
        buffer_printf(&yaml, "  - {provider: local, model: m%u, input: 1usd}\n", i);
    buffer_append_byte(&yaml, '\0');
    loading_refused(yaml.data, 2, "more than 4096 prices");
    buffer_fini(&yaml);
}

static void loading_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct buffer yaml; /* more than the first blocks of the arenas hold */
    buffer_init(&yaml, 1 << 20);
    buffer_append(&yaml, SLICE("prices:\n"));
    for (unsigned i = 0; i < 200; i++)
        buffer_printf(&yaml, "  - {provider: local, model: m%u, input: 1usd}\n", i);
    buffer_append(&yaml, SLICE("models: [{name: a, targets: [local], window: 5}]\n"));
    buffer_append_byte(&yaml, '\0');
    for (int nth = 0;; nth++) {
        struct loading loading = {.files = {{"/etc/weir/weir.yaml", yaml.data}}};
        alloc_fail_nth(nth);
        loading_run(&loading);
        alloc_fail_nth(-1);
        const enum status status = loading.status;
        assert_true(status == STATUS_OK || (status == STATUS_NO_MEMORY && loading.config == NULL));
        if (status == STATUS_OK)
            assert_int_equal(loading.config->prices.count, 200);
        loading_end(&loading);
        if (status == STATUS_OK)
            break;
    }
    buffer_fini(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_has_what_stands_there_and_nothing_else),
        cmocka_unit_test(each_amount_goes_to_its_own_field),
        cmocka_unit_test(there_need_be_no_prices),
        cmocka_unit_test(a_price_needs_provider_model_and_an_amount),
        cmocka_unit_test(the_provider_is_one_that_there_is),
        cmocka_unit_test(the_model_is_a_name_or_a_prefix),
        cmocka_unit_test(an_amount_is_money),
        cmocka_unit_test(the_price_of_a_million_requests_is_a_number_too),
        cmocka_unit_test(a_day_is_a_day),
        cmocka_unit_test(two_of_the_same_day_are_a_mistake),
        cmocka_unit_test(values_may_come_from_the_environment),
        cmocka_unit_test(prices_are_bounded),
        cmocka_unit_test(loading_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
