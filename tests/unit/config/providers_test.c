#include "loading.h"

static const struct config_provider *provider_of(const struct config *config, const char *name)
{
    const struct config_provider *provider = config_provider_find(config, slice_from_text(name));
    assert_non_null(provider);
    return provider;
}

static void a_provider_has_the_defaults_of_the_page(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "providers:\n  p: {base_url: http://a}\n");
    const struct config_provider *provider = provider_of(config, "p");
    assert_text(provider->name, "p");
    assert_null(provider->api_key.data);
    assert_true(provider->has_credential);
    assert_int_equal(provider->stream_usage, CONFIG_STREAM_USAGE_AUTO);
    assert_int_equal(provider->timeouts.connect_ms, 5000);
    assert_int_equal(provider->timeouts.first_byte_ms, 120000);
    assert_int_equal(provider->timeouts.event_gap_ms, 300000);
    assert_int_equal(provider->timeouts.total_ms, 600000);
    assert_int_equal(provider->timeouts.stream_total_ms, 3600000);
    assert_int_equal(provider->connections.max, 1024);
    assert_int_equal(provider->connections.idle_ms, 4000);
    assert_int_equal(provider->proxy.host.size, 0);
    assert_true(provider->tls_verify);
    assert_false(provider->is_free);
    assert_int_equal(provider->catalogue.size, 0);
    assert_int_equal(provider->region.size, 0);
    assert_int_equal(provider->timeouts.usage_drain_ms, 0);
    loading_end(&loading);
}

static void a_provider_says_how_it_is_priced(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "providers:\n"
                                "  p: {base_url: http://a, free: true, catalogue: bedrock,"
                                " region: eu-west-1, timeouts: {usage_drain: 30s}}\n");
    const struct config_provider *provider = provider_of(config, "p");
    assert_true(provider->is_free);
    assert_text(provider->catalogue, "bedrock");
    assert_text(provider->region, "eu-west-1");
    assert_int_equal(provider->timeouts.usage_drain_ms, 30000);
    loading_end(&loading);
    loading_refused("providers:\n  p:\n    base_url: http://a\n    region: "
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
                    4, "0 to 64 bytes");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    free: yes\n", 4,
                    "neither true nor false");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    timeouts: {usage_drain: 601s}\n",
                    4, "0 to 10m");
}

static void a_name_that_the_catalogue_does_not_have_is_a_mistake(void **state)
{
    (void)state;
    loading_refused("providers:\n  p:\n    base_url: http://a\n    catalogue: opnai\n", 4,
                    "did you mean 'openai'?");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    catalogue: OpenAI\n", 4,
                    "no provider 'OpenAI'");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    catalogue: something_else\n", 4,
                    "docs/prices.md lists");
    loading_refused("providers: { p: { base_url: http://a, catalogue: 'azure ' } }\n", 1,
                    "did you mean 'azure'?");
}

static void the_built_in_local_is_free_and_one_of_the_file_is_not(void **state)
{
    (void)state;
    struct loading none = {0}, own = {0};
    const struct config *config = loading_sound(&none, NULL);
    assert_true(provider_of(config, "local")->is_free);
    assert_false(provider_of(config, "openai")->is_free);
    config = loading_sound(&own, "providers:\n  local: {base_url: http://paid.example}\n");
    assert_false(provider_of(config, "local")->is_free);
    loading_end(&none);
    loading_end(&own);
}

static void openai_and_local_are_built_in(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"OPENAI_API_KEY=sk-1"}};
    const struct config *config = loading_sound(&loading, NULL);
    assert_int_equal(config->provider_count, 2);
    assert_text(provider_of(config, "openai")->base_url.host, "api.openai.com");
    assert_true(provider_of(config, "openai")->base_url.is_tls);
    assert_text(provider_of(config, "openai")->api_key, "sk-1");
    assert_text(provider_of(config, "local")->base_url.authority, "localhost:1234");
    assert_null(config_provider_find(config, SLICE("other")));
    loading_end(&loading);
}

static void one_of_the_file_takes_the_place_of_the_built_in_one_whole(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"OPENAI_API_KEY=sk-1"}};
    const struct config *config =
        loading_sound(&loading, "providers:\n  openai: {base_url: http://elsewhere}\n");
    assert_int_equal(config->provider_count, 2);
    assert_text(provider_of(config, "openai")->base_url.host, "elsewhere");
    assert_null(provider_of(config, "openai")->api_key.data); /* the key does not go elsewhere */
    loading_end(&loading);
    loading_refused("workers: 1\nproviders: {openai: {api_key: x}}\n", 2, "has no base_url");
}

static void a_key_that_is_configured_and_empty_is_no_credential(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "providers:\n"
                                "  empty: {base_url: http://a, api_key: '${NO_KEY:-}'}\n"
                                "  none: {base_url: http://a}\n"
                                "  some: {base_url: http://a, api_key: x}\n");
    assert_false(provider_of(config, "empty")->has_credential);
    assert_non_null(provider_of(config, "empty")->api_key.data);
    assert_true(provider_of(config, "none")->has_credential);
    assert_true(provider_of(config, "some")->has_credential);
    loading_end(&loading);
}

static const char two_schemes[] = "providers:\n"
                                  "  safe: {base_url: 'https://a.example/v1'}\n"
                                  "  plain: {base_url: 'http://b.example/v1'}\n"
                                  "  direct: {base_url: 'https://c.example/v1', proxy: ''}\n"
                                  "  own: {base_url: 'https://d.example/v1', proxy: mine:1}\n";

static void https_goes_through_the_proxy_of_the_environment(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"HTTPS_PROXY=http://u:p@proxy:3128"}};
    const struct config *config = loading_sound(&loading, two_schemes);
    assert_text(provider_of(config, "safe")->proxy.host, "proxy");
    assert_text(provider_of(config, "safe")->proxy.userinfo, "u:p");
    assert_int_equal(provider_of(config, "plain")->proxy.host.size, 0);
    assert_int_equal(provider_of(config, "direct")->proxy.host.size, 0);
    assert_text(provider_of(config, "own")->proxy.host, "mine");
    loading_end(&loading);
}

static void no_proxy_and_the_lower_case_names_are_heeded(void **state)
{
    (void)state;
    struct loading upper = {.environment = {"https_proxy=proxy:1", "NO_PROXY=x,a.example"}};
    struct loading lower = {.environment = {"HTTPS_PROXY=proxy:1", "no_proxy=.example"}};
    struct loading none = {.environment = {"HTTPS_PROXY=", "HTTP_PROXY=proxy:1"}};
    const struct config *config = loading_sound(&upper, two_schemes);
    assert_int_equal(provider_of(config, "safe")->proxy.host.size, 0);
    assert_int_equal(provider_of(config, "openai")->proxy.port, 1);
    config = loading_sound(&lower, two_schemes);
    assert_int_equal(provider_of(config, "safe")->proxy.host.size, 0);
    config = loading_sound(&none, two_schemes);
    assert_int_equal(provider_of(config, "safe")->proxy.host.size, 0);
    loading_end(&upper);
    loading_end(&lower);
    loading_end(&none);
}

static void a_proxy_of_the_environment_that_cannot_be_used_is_a_mistake(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"HTTPS_PROXY=socks5://u:canary@proxy"}};
    loading_text(&loading, two_schemes);
    assert_int_equal(loading.status, STATUS_INVALID);
    assert_text(loading.report.mistakes[0].file, "HTTPS_PROXY");
    assert_false(loading_mistake_says(&loading.report.mistakes[0], "canary"));
    loading_end(&loading);
}

static void a_key_of_the_environment_with_a_line_end_is_a_mistake(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"OPENAI_API_KEY=sk-canary\r"}};
    loading_text(&loading, NULL);
    assert_int_equal(loading.status, STATUS_INVALID);
    assert_int_equal(loading.report.count, 1);
    assert_text(loading.report.mistakes[0].file, "OPENAI_API_KEY");
    assert_false(loading_mistake_says(&loading.report.mistakes[0], "canary"));
    loading_end(&loading);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    loading_refused("workers: 1\nproviders: [a]\n", 2, "names with their settings are wanted");
    loading_refused("providers:\n  p: x\n", 2, "settings are wanted");
    loading_refused("providers:\n  p:\n", 2, "settings are wanted");
    loading_refused("providers:\n  p: {dialect: openai}\n", 2, "has no base_url");
    loading_refused("providers:\n  p: {base_url: ftp://a}\n", 2, "neither https:// nor http://");
    loading_refused("providers:\n  p: {base_url: ''}\n", 2, "neither https:// nor http://");
    loading_refused("providers:\n  a/b: {base_url: http://a}\n", 2, "is no provider's name");
    loading_refused("providers:\n  'a b': {base_url: http://a}\n", 2, "is no provider's name");
    loading_refused("providers:\n  '': {base_url: http://a}\n", 2, "is no provider's name");
    loading_refused("providers:\n  p: {base_url: http://a}\n  p: {base_url: http://b}\n", 3,
                    "'p' stands here twice (before in line 2)");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    base_urll: x\n", 4,
                    "did you mean 'base_url'?");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    connect: 5s\n", 4,
                    "did you mean 'timeouts.connect'?");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    dialect: anthropic\n", 4,
                    "'anthropic' is not in this version");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    stream_usage: sometimes\n", 4,
                    "is none of its values");
}

static void keys_of_later_versions_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"breaker", "cache"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char yaml[128];
        snprintf(yaml, sizeof(yaml), "providers:\n  p:\n    base_url: http://a\n    %s: x\n",
                 names[i]);
        loading_refused(yaml, 4, "is not in this version");
    }
}

static void certificates_are_always_verified(void **state)
{
    (void)state;
    loading_refused("providers:\n  p:\n    base_url: https://a\n    tls:\n      verify: false\n", 5,
                    "certificates are always verified");
    struct loading loading = {.files = {{"/etc/weir/ca", "-----BEGIN CERTIFICATE-----"}}};
    loading_text(&loading, "providers:\n  p:\n    base_url: http://a\n    tls: {ca: ca}\n");
    assert_int_equal(loading.status, STATUS_INVALID);
    assert_int_equal(loading.report.mistakes[0].line, 4);
    assert_true(loading_mistake_says(&loading.report.mistakes[0], "base_url is in the clear"));
    loading_end(&loading);
}

static void providers_are_bounded_and_an_empty_section_is_none(void **state)
{
    (void)state;
    struct loading empty = {0};
    struct buffer yaml;
    assert_int_equal(loading_sound(&empty, "providers:\n#  p: x\n")->provider_count, 2);
    loading_end(&empty);
    buffer_init(&yaml, 1 << 16);
    buffer_append(&yaml, SLICE("workers: 1\nproviders:\n"));
    for (unsigned i = 0; i < 257; i++)
        buffer_printf(&yaml, "  p%u: {base_url: http://a}\n", i);
    buffer_append_byte(&yaml, '\0');
    loading_refused(yaml.data, 2, "more than 256 providers");
    buffer_fini(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_provider_has_the_defaults_of_the_page),
        cmocka_unit_test(a_provider_says_how_it_is_priced),
        cmocka_unit_test(a_name_that_the_catalogue_does_not_have_is_a_mistake),
        cmocka_unit_test(the_built_in_local_is_free_and_one_of_the_file_is_not),
        cmocka_unit_test(openai_and_local_are_built_in),
        cmocka_unit_test(one_of_the_file_takes_the_place_of_the_built_in_one_whole),
        cmocka_unit_test(a_key_that_is_configured_and_empty_is_no_credential),
        cmocka_unit_test(https_goes_through_the_proxy_of_the_environment),
        cmocka_unit_test(no_proxy_and_the_lower_case_names_are_heeded),
        cmocka_unit_test(a_proxy_of_the_environment_that_cannot_be_used_is_a_mistake),
        cmocka_unit_test(a_key_of_the_environment_with_a_line_end_is_a_mistake),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(keys_of_later_versions_are_refused),
        cmocka_unit_test(certificates_are_always_verified),
        cmocka_unit_test(providers_are_bounded_and_an_empty_section_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
