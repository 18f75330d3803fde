#include "loading.h"

#include "base/alloc.h"

static bool is_limit(const struct limit *limit, enum limit_kind kind, enum limit_window window,
                     uint64_t amount)
{
    return limit->kind == kind && limit->window == window && limit->amount == amount;
}

static void limits_hold_for_the_gateway_a_provider_and_a_model(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "limits: [6000req/min, 1000usd/month]\n"
                                "providers:\n"
                                "  p: { base_url: 'http://h/v1', limits: [20parallel] }\n"
                                "models:\n"
                                "  - { name: slow, targets: [p], optional: true }\n"
                                "  - { name: fast, targets: [p], limits: [1000000tok/day] }\n");
    assert_int_equal(config->limits.count, 2);
    assert_true(is_limit(&config->limits.items[0], LIMIT_REQUESTS, LIMIT_WINDOW_MINUTE, 6000));
    assert_true(is_limit(&config->limits.items[1], LIMIT_MONEY, LIMIT_WINDOW_MONTH,
                         UINT64_C(1000000000000)));
    const struct limits *of_provider = &config_provider_find(config, SLICE("p"))->limits;
    assert_int_equal(of_provider->count, 1);
    assert_true(is_limit(&of_provider->items[0], LIMIT_PARALLEL, LIMIT_WINDOW_NONE, 20));
    assert_int_equal(config_provider_find(config, SLICE("local"))->limits.count, 0);
    assert_int_equal(config->rules.count, 2);
    assert_int_equal(config->rule_limits[0].count, 0);
    assert_int_equal(config->rule_limits[1].count, 1);
    assert_true(
        is_limit(&config->rule_limits[1].items[0], LIMIT_TOKENS, LIMIT_WINDOW_DAY, 1000000));
    loading_end(&loading);
}

static void limits_of_a_model_that_is_left_out_go_with_it(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"NONE="}};
    const struct config *config = loading_sound(
        &loading, "providers: { p: { base_url: 'http://h/v1', api_key: '${NONE}' } }\n"
                  "models:\n"
                  "  - { name: a, targets: [p], optional: true, limits: [1req/min] }\n"
                  "  - { name: b, targets: [local], limits: [2req/min] }\n");
    assert_int_equal(config->rules.count, 1);
    assert_text(config->rules.items[0].name, "b");
    assert_int_equal(config->rule_limits[0].count, 1);
    assert_int_equal(config->rule_limits[0].items[0].amount, 2);
    loading_end(&loading);
}

static void there_are_no_limits_by_default(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, NULL);
    assert_int_equal(config->limits.count, 0);
    assert_int_equal(config->trusted_proxies.count, 0);
    for (size_t i = 0; i < config->rules.count; i++)
        assert_int_equal(config->rule_limits[i].count, 0);
    for (size_t i = 0; i < config->provider_count; i++)
        assert_int_equal(config->providers[i].limits.count, 0);
    loading_end(&loading);
}

static void a_single_text_may_hold_a_whole_list(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"WEIR_LIMITS=60req/min, 5parallel",
                                              "WEIR_TRUSTED_PROXIES=10.0.0.0/8,192.168.0.0/16",
                                              "WEIR_BUDGETS_ALERTS=90"}};
    const struct config *config = loading_sound(&loading, "trusted_proxies: 172.16.0.0/12\n");
    assert_int_equal(config->limits.count, 2);
    assert_int_equal(config->limits.items[1].kind, LIMIT_PARALLEL);
    assert_int_equal(config->trusted_proxies.count, 2);
    assert_int_equal(config->budgets.alerts.count, 1);
    assert_int_equal(config->budgets.alerts.items[0], 90);
    loading_end(&loading);

    struct loading none = {0};
    config = loading_sound(&none, "limits: ''\nbudgets: { alerts: '' }\ntrusted_proxies: []\n");
    assert_int_equal(config->limits.count, 0);
    assert_int_equal(config->budgets.alerts.count, 0);
    assert_int_equal(config->trusted_proxies.count, 0);
    loading_end(&none);
}

static void items_may_hold_variables(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"RATE=30", "NETWORK=10.0.0.0/8"}};
    const struct config *config = loading_sound(
        &loading, "limits: [\"${RATE}req/min\"]\ntrusted_proxies: [\"${NETWORK}\"]\n");
    assert_int_equal(config->limits.items[0].amount, 30);
    assert_int_equal(config->trusted_proxies.count, 1);
    loading_end(&loading);
}

static void a_wrong_limit_is_refused_where_it_stands(void **state)
{
    (void)state;
    loading_refused("limits:\n  - 60req/min\n  - 60foo\n", 3, "limits: ");
    loading_refused("limits:\n  - 60req/min\n  - 60foo\n", 3, "60foo");
    loading_refused("limits:\n  - 60req/min\n  - 70req/min\n", 3, "limits: ");
    loading_refused("workers: 1\nlimits: ['60req/min,5parallel']\n", 2, "limits: ");
    loading_refused("workers: 1\nlimits: 60req/min,\n", 2, "limits: ");
    loading_refused("workers: 1\nlimits: ',60req/min'\n", 2, "limits: ");
    loading_refused("workers: 1\nlimits: ['']\n", 2, "limits: ");
    loading_refused("workers: 1\nlimits: {a: b}\n", 2, "a list is wanted");
    loading_refused("workers: 1\nlimits:\n", 2, "the value is missing");
    loading_refused("limits:\n  - [60req/min]\n", 2, "");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    limits: [x]\n", 4, "limits: ");
    loading_refused("models:\n  - name: a\n    targets: [local]\n    limits: [x]\n", 4, "limits: ");
}

static void budgets_of_a_level_are_among_its_limits(void **state)
{
    (void)state;
    loading_refused("providers:\n  p:\n    base_url: http://a\n    budgets: [1usd/day]\n", 4,
                    "limits: [10usd/month]");
    loading_refused("models:\n  - name: a\n    targets: [local]\n    budgets: x\n", 4,
                    "limits: [10usd/month]");
    loading_refused("models:\n  - name: a\n    targets: [local]\n    limit: [1req/min]\n", 4,
                    "did you mean 'limits'?");
}

static void budgets_have_the_defaults_of_the_page(void **state)
{
    (void)state;
    static const uint8_t alerts[] = {50, 80, 100};
    struct loading loading = {0};
    const struct config_budgets *budgets = &loading_sound(&loading, NULL)->budgets;
    assert_int_equal(budgets->min_output_tokens, 256);
    assert_int_equal(budgets->expected_output_tokens, 1024);
    assert_int_equal(budgets->when_short, CONFIG_WHEN_SHORT_SHRINK);
    assert_int_equal(budgets->unpriced, CONFIG_UNPRICED_REFUSE);
    assert_int_equal(budgets->alerts.count, sizeof(alerts));
    assert_memory_equal(budgets->alerts.items, alerts, sizeof(alerts));
    assert_false(budgets->is_warn_only);
    loading_end(&loading);
}

static void budgets_can_be_set(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config_budgets *budgets =
        &loading_sound(&loading, "budgets:\n"
                                 "  min_output: 1\n"
                                 "  expected_output: 100000000\n"
                                 "  when_short: refuse\n"
                                 "  unpriced: allow\n"
                                 "  alerts: [1, 2, 3, 4, 5, 6, 7, 200]\n"
                                 "  warn_only: true\n")
             ->budgets;
    assert_int_equal(budgets->min_output_tokens, 1);
    assert_int_equal(budgets->expected_output_tokens, 100000000);
    assert_int_equal(budgets->when_short, CONFIG_WHEN_SHORT_REFUSE);
    assert_int_equal(budgets->unpriced, CONFIG_UNPRICED_ALLOW);
    assert_int_equal(budgets->alerts.count, 8);
    assert_int_equal(budgets->alerts.items[7], 200);
    assert_true(budgets->is_warn_only);
    loading_end(&loading);
}

static void wrong_budgets_are_refused(void **state)
{
    (void)state;
    loading_refused("budgets:\n  min_output: 0\n", 2, "1 to 100000000");
    loading_refused("budgets:\n  expected_output: 100000001\n", 2, "1 to 100000000");
    loading_refused("budgets:\n  when_short: shrnk\n", 2, "did you mean 'shrink'?");
    loading_refused("budgets:\n  unpriced: refused\n", 2, "did you mean 'refuse'?");
    loading_refused("budgets:\n  alert: [50]\n", 2, "did you mean 'alerts'?");
    loading_refused("workers: 1\nbudget: {}\n", 2, "did you mean 'budgets'?");
    loading_refused("budgets:\n  alerts: [0]\n", 2, "from 1 to 200");
    loading_refused("budgets:\n  alerts: [201]\n", 2, "from 1 to 200");
    loading_refused("budgets:\n  alerts: [80%]\n", 2, "'80%' is no whole number");
    loading_refused("budgets:\n  alerts: [99999999999999999999]\n", 2, "from 1 to 200");
    loading_refused("budgets:\n  alerts: [80, 50]\n", 2, "more than the one before it");
    loading_refused("budgets:\n  alerts: [80, 80]\n", 2, "more than the one before it");
    loading_refused("budgets:\n  alerts: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", 2, "more than 8");
}

static void trusted_proxies_are_networks_or_addresses(void **state)
{
    (void)state;
    static const unsigned char inside[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 2, 3};
    static const unsigned char outside[16] = {[10] = 0xff, [11] = 0xff, 11, 1, 2, 3};
    struct loading loading = {0};
    const struct config_networks *networks =
        &loading_sound(&loading, "trusted_proxies: [10.0.0.0/8, '2001:db8::/32', 192.0.2.1]\n")
             ->trusted_proxies;
    assert_int_equal(networks->count, 3);
    assert_true(cidr_contains(&networks->items[0], inside));
    assert_false(cidr_contains(&networks->items[0], outside));
    assert_int_equal(networks->items[1].prefix, 32);
    assert_int_equal(networks->items[2].prefix, 128);
    loading_end(&loading);
    loading_refused("trusted_proxies:\n  - 10.0.0.0/8\n  - 10.0.0.0/33\n", 3, "10.0.0.0/33");
    loading_refused("trusted_proxies:\n  - 10.0.0.1/8\n", 2, "10.0.0.1/8");
    loading_refused("trusted_proxies:\n  - proxy.example\n", 2, "proxy.example");
    loading_refused("workers: 1\ntrusted_proxy: []\n", 2, "did you mean 'trusted_proxies'?");
}

static void networks_of_the_guard_are_read_from_a_list_or_a_text(void **state)
{
    (void)state;
    struct loading list = {0}, text = {0}, empty = {0};
    const struct config_networks *networks =
        &loading_sound(&list, "admin: { allowed_networks: [10.0.0.0/8, '::1'] }\n")
             ->admin.allowed_networks;
    assert_int_equal(networks->count, 2);
    assert_int_equal(networks->items[0].prefix, 104);
    loading_end(&list);
    networks =
        &loading_sound(&text, "admin: { allowed_networks: 10.0.0.0/8 }\n")->admin.allowed_networks;
    assert_int_equal(networks->count, 1);
    loading_end(&text);
    assert_int_equal(
        loading_sound(&empty, "admin: { allowed_networks: [] }\n")->admin.allowed_networks.count,
        0);
    loading_end(&empty);
    loading_refused("admin: { allowed_networks: [10.0.0.1/8] }\n", 1, "bits behind its prefix");
    loading_refused("admin:\n  allowed_networks: {a: b}\n", 2, "a list is wanted");
}

static void too_many_networks_are_refused(void **state)
{
    (void)state;
    char yaml[8192];
    size_t size = (size_t)snprintf(yaml, sizeof(yaml), "trusted_proxies: [");
    for (unsigned i = 0; i < 256; i++)
        size += (size_t)snprintf(yaml + size, sizeof(yaml) - size, "10.0.0.%u,", i);
    snprintf(yaml + size, sizeof(yaml) - size, "]\n");
    struct loading loading = {0};
    assert_int_equal(loading_sound(&loading, yaml)->trusted_proxies.count, 256);
    loading_end(&loading);
    snprintf(yaml + size, sizeof(yaml) - size, "10.0.1.0]\n");
    loading_refused(yaml, 1, "more than 256");
}

static void to_trust_everybody_is_warned_of(void **state)
{
    (void)state;
    static const char *const texts[] = {"trusted_proxies: [0.0.0.0/0]\n",
                                        "trusted_proxies: ['::/0']\n"};
    for (size_t i = 0; i < 2; i++) {
        struct loading loading = {0};
        loading_sound(&loading, texts[i]);
        assert_int_equal(loading.report.count, 1);
        assert_true(loading_mistake_says(&loading.report.mistakes[0], "says what it likes"));
        loading_end(&loading);
    }
}

static void a_failed_allocation_is_said_and_nothing_leaks(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct loading loading = {0};
        alloc_fail_nth(nth);
        loading_text(&loading, "limits: [1req/min]\ntrusted_proxies: [10.0.0.0/8]\n"
                               "models: [{ name: a, targets: [local], limits: [1req/min] }]\n");
        alloc_fail_nth(-1);
        const enum status status = loading.status;
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        loading_end(&loading);
        if (status == STATUS_OK) {
            assert_in_range(nth, 5, 1000);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold_for_the_gateway_a_provider_and_a_model),
        cmocka_unit_test(limits_of_a_model_that_is_left_out_go_with_it),
        cmocka_unit_test(there_are_no_limits_by_default),
        cmocka_unit_test(a_single_text_may_hold_a_whole_list),
        cmocka_unit_test(items_may_hold_variables),
        cmocka_unit_test(a_wrong_limit_is_refused_where_it_stands),
        cmocka_unit_test(budgets_of_a_level_are_among_its_limits),
        cmocka_unit_test(budgets_have_the_defaults_of_the_page),
        cmocka_unit_test(budgets_can_be_set),
        cmocka_unit_test(wrong_budgets_are_refused),
        cmocka_unit_test(trusted_proxies_are_networks_or_addresses),
        cmocka_unit_test(networks_of_the_guard_are_read_from_a_list_or_a_text),
        cmocka_unit_test(too_many_networks_are_refused),
        cmocka_unit_test(to_trust_everybody_is_warned_of),
        cmocka_unit_test(a_failed_allocation_is_said_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
