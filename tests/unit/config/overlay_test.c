#include "config/overlay.h"

#include "base/alloc.h"
#include "loading.h"

static const char file[] =
    "admin: { allowed_networks: [10.1.0.0/16] }\n"
    "providers:\n"
    "  main: { base_url: 'https://main.example/v1' }\n"
    "  keyed: { base_url: 'https://keyed.example/v1', api_key: of-the-file }\n"
    "models:\n"
    "  - { name: fast, targets: [main] }\n"
    "  - { name: 'wild-*', targets: [main] }\n";

struct layered {
    struct loading loading;
    struct config_entry providers[4], models[4], secrets[4];
    struct config_overlay overlay;
};

static void add(struct config_entries *entries, struct config_entry *items, const char *name,
                const char *text, bool is_new)
{
    items[entries->count] =
        (struct config_entry){slice_from_text(name), slice_from_text(text), is_new};
    entries->items = items;
    entries->count++;
}

static void add_provider(struct layered *layered, const char *name, const char *text, bool is_new)
{
    add(&layered->overlay.providers, layered->providers, name, text, is_new);
}

static void add_model(struct layered *layered, const char *name, const char *text, bool is_new)
{
    add(&layered->overlay.models, layered->models, name, text, is_new);
}

static void load(struct layered *layered, const char *yaml)
{
    layered->loading.source.overlay = &layered->overlay;
    loading_text(&layered->loading, yaml);
}

static bool has_notice(const struct config *config, const char *words)
{
    for (size_t i = 0; i < config->notices.count; i++) {
        if (strstr(config->notices.items[i].data, words) != NULL)
            return true;
    }
    return false;
}

static const struct rule *rule_of(const struct config *config, const char *name)
{
    const struct rule *rule = rules_match(&config->rules, slice_from_text(name));
    return rule != NULL && slice_equal(rule->name, slice_from_text(name)) ? rule : NULL;
}

static void what_the_store_adds_comes_after_the_file(void **state)
{
    (void)state;
    struct layered layered = {0};
    add_provider(&layered, "added", "{\"base_url\":\"https://added.example/v1\"}", false);
    add_model(&layered, "slow", "{\"name\":\"slow\",\"targets\":[\"added\"],\"window\":4096}",
              false);
    load(&layered, file);
    assert_int_equal(layered.loading.status, STATUS_OK);
    const struct config *config = layered.loading.config;
    const struct config_provider *provider = config_provider_find(config, SLICE("added"));
    assert_non_null(provider);
    assert_true(provider->is_from_api);
    assert_int_equal(provider->origin.kind, CONFIG_ORIGIN_STORE);
    assert_true(slice_equal(provider->base_url.host, SLICE("added.example")));
    assert_int_equal(config->rules.count, 3);
    assert_true(slice_equal(config->rules.items[2].name, SLICE("slow")));
    assert_int_equal(config->rules.items[2].window_tokens, 4096);
    assert_int_equal(config->rule_origins[2].kind, CONFIG_ORIGIN_STORE);
    assert_int_equal(config->notices.count, 0);
    loading_end(&layered.loading);
}

static void without_models_in_the_file_the_built_in_ones_come_last(void **state)
{
    (void)state;
    struct layered layered = {0};
    add_model(&layered, "slow", "{\"name\":\"slow\",\"targets\":[\"local\"]}", false);
    load(&layered, NULL);
    assert_int_equal(layered.loading.status, STATUS_OK);
    assert_int_equal(layered.loading.config->rules.count, 2);
    assert_true(slice_equal(layered.loading.config->rules.items[0].name, SLICE("slow")));
    assert_true(slice_equal(layered.loading.config->rules.items[1].name, SLICE("*")));
    loading_end(&layered.loading);
}

static void a_built_in_provider_or_rule_is_replaced(void **state)
{
    (void)state;
    struct layered layered = {0};
    add_provider(&layered, "local", "{\"base_url\":\"https://other.example/v1\"}", false);
    add_model(&layered, "*", "{\"name\":\"*\",\"targets\":[\"local\"]}", false);
    load(&layered, NULL);
    assert_int_equal(layered.loading.status, STATUS_OK);
    const struct config *config = layered.loading.config;
    assert_int_equal(config->provider_count, 2);
    assert_int_equal(config_provider_find(config, SLICE("local"))->api_key.size, 0);
    assert_int_equal(config->rules.count, 1);
    assert_false(config->rules.items[0].targets[0].any_listed);
    loading_end(&layered.loading);
}

static void a_name_in_both_is_the_files(void **state)
{
    (void)state;
    struct layered layered = {0};
    add_provider(&layered, "main", "{\"base_url\":\"https://other.example/v1\"}", false);
    add_model(&layered, "fast", "{\"name\":\"fast\",\"targets\":[\"keyed\"]}", false);
    load(&layered, file);
    assert_int_equal(layered.loading.status, STATUS_OK);
    const struct config *config = layered.loading.config;
    assert_true(slice_equal(config_provider_find(config, SLICE("main"))->base_url.host,
                            SLICE("main.example")));
    assert_int_equal(rule_of(config, "fast")->targets[0].provider, 0);
    assert_true(has_notice(config, "provider main of the API is not used"));
    assert_true(has_notice(config, "model 'fast' of the API is not used"));
    loading_end(&layered.loading);
}

static void the_file_cannot_rely_on_what_the_store_adds(void **state)
{
    (void)state;
    struct layered layered = {0};
    add_provider(&layered, "added", "{\"base_url\":\"https://added.example/v1\"}", false);
    load(&layered, "models:\n  - { name: a, targets: [added] }\n");
    assert_int_equal(layered.loading.status, STATUS_INVALID);
    assert_int_equal(layered.loading.report.mistakes[0].line, 2);
    assert_non_null(strstr(layered.loading.report.mistakes[0].message.data, "no provider 'added'"));
    loading_end(&layered.loading);
}

static void a_mistake_of_an_old_entry_leaves_it_out_and_one_of_a_new_entry_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "an object is wanted"},
        {"[]", "an object is wanted"},
        {"{", ""},
        {"{\"base_url\":\"ftp://x\"}", "base_url"},
        {"{}", "no base_url"},
        {"{\"base_url\":\"https://x\",\"base_url\":\"https://y\"}", "twice"},
        {"{\"base_url\":\"https://x\",\"api_key\":\"k\"}", "set it as a secret"},
        {"{\"base_url\":\"https://x\",\"proxy\":\"\"}", "configuration file"},
        {"{\"base_url\":\"https://x\",\"tls\":{\"ca\":\"ca.pem\"}}", "configuration file"},
        {"{\"base_url\":\"https://x\",\"region\":\"${HOME}\"}", "environment"},
        {"{\"base_url\":\"https://x\",\"headers\":{\"x-a\":\"file:secret\"}}", "no files"},
        {"{\"base_url\":\"https://x\",\"headers\":{\"X-Api-Key\":\"k\"}}", "set it as a secret"},
        {"{\"base_url\":\"https://x\",\"headers\":{\"Host\":\"k\"}}", "configuration file"},
        {"{\"base_url\":\"https://10.0.0.1\"}", "no public address (private)"},
        {"{\"base_url\":\"https://[::1]\"}", "no public address (loopback)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct layered old = {0}, new = {0};
        add_provider(&old, "p", cases[i].text, false);
        load(&old, file);
        assert_int_equal(old.loading.status, STATUS_OK);
        assert_null(config_provider_find(old.loading.config, SLICE("p")));
        assert_true(has_notice(old.loading.config, "provider 'p' of the API is left out"));
        assert_true(has_notice(old.loading.config, cases[i].said));
        loading_end(&old.loading);
        add_provider(&new, "p", cases[i].text, true);
        load(&new, file);
        assert_int_equal(new.loading.status, STATUS_INVALID);
        assert_true(slice_equal(new.loading.report.mistakes[0].file, SLICE("provider 'p'")));
        assert_int_equal(new.loading.report.mistakes[0].line, 0);
        assert_true(loading_mistake_says(&new.loading.report.mistakes[0], cases[i].said));
        loading_end(&new.loading);
    }
}

static void an_allowed_network_may_be_pointed_to(void **state)
{
    (void)state;
    struct layered layered = {0};
    add_provider(&layered, "p", "{\"base_url\":\"https://10.1.2.3\"}", true);
    load(&layered, file);
    assert_int_equal(layered.loading.status, STATUS_OK);
    loading_end(&layered.loading);
}

static void an_entry_that_is_left_out_leaves_nothing_behind(void **state)
{
    (void)state;
    struct layered layered = {0};
    add_model(&layered, "a", "{\"name\":\"a\",\"window\":7,\"targets\":[\"nobody\"]}", false);
    add_model(&layered, "b", "{\"name\":\"b\",\"targets\":[\"local\"]}", false);
    add_model(&layered, "c", "{\"name\":\"c\",\"window\":7,\"targets\":[\"nobody\"]}", false);
    load(&layered, NULL);
    assert_int_equal(layered.loading.status, STATUS_OK);
    const struct config *config = layered.loading.config;
    assert_int_equal(config->rules.count, 2);
    assert_int_equal(config->rules.items[0].window_tokens, 0);
    assert_int_equal(config->rules.items[1].window_tokens, 0);
    assert_int_equal(config->rule_origins[1].kind, CONFIG_ORIGIN_DEFAULT);
    loading_end(&layered.loading);
}

static struct slice key_with_secret(struct layered *layered, const char *yaml, const char *name)
{
    add(&layered->overlay.secrets, layered->secrets, name, "of-the-store", false);
    load(layered, yaml);
    assert_int_equal(layered->loading.status, STATUS_OK);
    const struct config_provider *provider =
        config_provider_find(layered->loading.config, slice_from_text(name));
    assert_true(provider->has_credential);
    return provider->api_key;
}

static void a_secret_is_the_credential_where_nothing_else_gives_one(void **state)
{
    (void)state;
    struct layered none = {0}, keyed = {0}, empty = {0}, built_in = {0}, variable = {0};
    assert_text(key_with_secret(&none, file, "main"), "of-the-store");
    assert_int_equal(
        config_provider_key_origin(config_provider_find(none.loading.config, SLICE("main"))).kind,
        CONFIG_ORIGIN_STORE);
    loading_end(&none.loading);
    assert_text(key_with_secret(&keyed, file, "keyed"), "of-the-file");
    assert_true(has_notice(keyed.loading.config, "secret of provider keyed is not used"));
    loading_end(&keyed.loading);
    assert_text(
        key_with_secret(&empty, "providers:\n  p: {base_url: http://a, api_key: ''}\n", "p"),
        "of-the-store");
    loading_end(&empty.loading);
    assert_text(key_with_secret(&built_in, NULL, "openai"), "of-the-store");
    assert_non_null(rule_of(built_in.loading.config, "gpt*"));
    loading_end(&built_in.loading);
    char name[] = "OPENAI_API_KEY=of-the-environment";
    variable.loading.environment[0] = name;
    assert_text(key_with_secret(&variable, NULL, "openai"), "of-the-environment");
    assert_true(has_notice(variable.loading.config, "OPENAI_API_KEY gives"));
    loading_end(&variable.loading);
}

static void a_proxy_of_the_environment_is_not_for_the_apis_providers(void **state)
{
    (void)state;
    struct layered layered = {0};
    char name[] = "HTTPS_PROXY=http://proxy.example:3128";
    layered.loading.environment[0] = name;
    add_provider(&layered, "added", "{\"base_url\":\"https://added.example/v1\"}", false);
    load(&layered, file);
    const struct config *config = layered.loading.config;
    assert_int_equal(config_provider_find(config, SLICE("added"))->proxy.host.size, 0);
    assert_int_not_equal(config_provider_find(config, SLICE("main"))->proxy.host.size, 0);
    loading_end(&layered.loading);
}

static void every_cut_of_a_definition_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "{\"base_url\":\"https://added.example/v1\",\"free\":true}";
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        struct layered layered = {0};
        add_provider(&layered, "p", whole, true);
        layered.providers[0].text.size = size;
        load(&layered, file);
        assert_int_equal(layered.loading.status, STATUS_INVALID);
        loading_end(&layered.loading);
    }
}

static void a_load_with_an_overlay_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct layered layered = {0};
        add_provider(&layered, "added", "{\"base_url\":\"https://added.example/v1\"}", false);
        add_provider(&layered, "wrong", "{\"base_url\":7}", false);
        add_model(&layered, "slow", "{\"name\":\"slow\",\"targets\":[\"added\"]}", false);
        alloc_fail_nth(nth);
        load(&layered, file);
        const bool is_over = layered.loading.status == STATUS_OK &&
                             layered.loading.config->rules.count == 3 &&
                             has_notice(layered.loading.config, "base_url");
        alloc_fail_nth(-1);
        if (!is_over)
            assert_true(layered.loading.status == STATUS_NO_MEMORY ||
                        layered.loading.config != NULL);
        loading_end(&layered.loading);
        if (is_over)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_store_adds_comes_after_the_file),
        cmocka_unit_test(without_models_in_the_file_the_built_in_ones_come_last),
        cmocka_unit_test(a_built_in_provider_or_rule_is_replaced),
        cmocka_unit_test(a_name_in_both_is_the_files),
        cmocka_unit_test(the_file_cannot_rely_on_what_the_store_adds),
        cmocka_unit_test(a_mistake_of_an_old_entry_leaves_it_out_and_one_of_a_new_entry_is_told),
        cmocka_unit_test(an_allowed_network_may_be_pointed_to),
        cmocka_unit_test(an_entry_that_is_left_out_leaves_nothing_behind),
        cmocka_unit_test(a_secret_is_the_credential_where_nothing_else_gives_one),
        cmocka_unit_test(a_proxy_of_the_environment_is_not_for_the_apis_providers),
        cmocka_unit_test(every_cut_of_a_definition_is_refused),
        cmocka_unit_test(a_load_with_an_overlay_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
