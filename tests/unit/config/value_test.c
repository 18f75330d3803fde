#include "loading.h"

#define PEM "-----BEGIN CERTIFICATE-----\n"

static void numbers_are_read_into_their_fields(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, "workers: 3\n"
                                                          "transport:\n"
                                                          "  header_bytes: 16KiB\n"
                                                          "  body_bytes: \"1048576\"\n"
                                                          "  connections: 7\n"
                                                          "timeouts: { idle: 1m30s, linger: 0 }\n");
    assert_int_equal(config->workers, 3);
    assert_int_equal(config->transport.header_bytes, 16384);
    assert_int_equal(config->transport.body_bytes, 1048576);
    assert_int_equal(config->transport.connections, 7);
    assert_int_equal(config->timeouts.idle_ms, 90000);
    assert_int_equal(config->timeouts.linger_ms, 0);
    loading_end(&loading);
}

static void wrong_forms_are_refused_with_the_right_one(void **state)
{
    (void)state;
    loading_refused("store: sqlite\nworkers: -1\n", 2, "no whole number");
    loading_refused("store: sqlite\nworkers: 1.5\n", 2, "no whole number");
    loading_refused("store: sqlite\nworkers: [1]\n", 2, "one value is wanted, not a list");
    loading_refused("store: sqlite\nworkers: {a: b}\n", 2, "one value is wanted, not a mapping");
    loading_refused("store: sqlite\nworkers:\n", 2, "the value is missing");
    loading_refused("store: sqlite\nworkers: ~\n", 2, "the value is missing");
    loading_refused("timeouts:\n  idle: 5\n", 2, "write 250ms, 5s");
    loading_refused("transport:\n  body_bytes: lots\n", 2, "write 65536, 64KiB");
    loading_refused("admin:\n  insecure: yes\n", 2, "neither true nor false");
    loading_refused("workers: 1\ndata_dir: ''\n", 2, "no path");
}

static void numbers_out_of_range_are_refused_with_the_range(void **state)
{
    (void)state;
    loading_refused("store: sqlite\nworkers: 129\n", 2, "it may be 0 to 128");
    loading_refused("store: sqlite\nworkers: 4294967296\n", 2, "it may be 0 to 128");
    loading_refused("store: sqlite\nworkers: 99999999999999999999\n", 2, "workers");
    loading_refused("transport:\n  header_bytes: 33KiB\n", 2, "it may be 1KiB to 32KiB");
    loading_refused("transport:\n  header_bytes: 16777216TiB\n", 2, "it may be 1KiB to 32KiB");
    loading_refused("timeouts:\n  idle: 0s\n", 2, "it may be 1ms to 1d");
    loading_refused("timeouts:\n  idle: 99999999999999999999s\n", 2, "it may be 1ms to 1d");
}

static void the_ledger_has_the_defaults_of_the_page(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config_ledger *ledger = &loading_sound(&loading, NULL)->ledger;
    assert_true(ledger->journal_bytes == UINT64_C(4) << 30);
    assert_int_equal(ledger->when_full, CONFIG_WHEN_FULL_REFUSE);
    assert_int_equal(ledger->orphans, CONFIG_ORPHANS_ESTIMATE);
    assert_int_equal(ledger->sync_ms, 50);
    assert_int_equal(ledger->retention_ms, 0);
    loading_end(&loading);
}

static void a_period_may_be_without_end(void **state)
{
    (void)state;
    struct loading days = {0}, none = {.environment = {"EMPTY="}},
                   variable = {.environment = {"WEIR_LEDGER_RETENTION=36h"}};
    assert_true(loading_sound(&days, "ledger: {retention: 90d}\n")->ledger.retention_ms ==
                UINT64_C(7776000000));
    assert_int_equal(loading_sound(&none, "ledger: {retention: '${EMPTY}'}\n")->ledger.retention_ms,
                     0);
    assert_int_equal(loading_sound(&variable, NULL)->ledger.retention_ms, 129600000);
    loading_end(&days);
    loading_end(&none);
    loading_end(&variable);
    loading_refused("ledger:\n  retention: 59m\n", 2, "1h to 36500d");
    loading_refused("ledger:\n  retention: 0\n", 2, "1h to 36500d");
    loading_refused("ledger:\n  retention: 90\n", 2, "for no end");
    loading_refused("ledger:\n  retention: 90 days\n", 2, "write 36h or 90d");
    loading_refused("ledger:\n  retention:\n", 2, "write \"\" for an empty one");
    loading_refused("ledger:\n  retention: []\n", 2, "one value is wanted");
}

static void mistakes_in_the_ledger_are_named(void **state)
{
    (void)state;
    loading_refused("ledger:\n  journal_bytes: 1048575\n", 2, "1MiB to 1TiB");
    loading_refused("ledger:\n  journal_byte: 1GiB\n", 2, "did you mean 'journal_bytes'?");
    loading_refused("ledger:\n  sync: 0s\n", 2, "1ms to 10s");
    loading_refused("ledger:\n  sync: 10001ms\n", 2, "1ms to 10s");
    loading_refused("ledger:\n  when_full: refused\n", 2, "did you mean 'refuse'?");
    loading_refused("ledger:\n  orphans: estimated\n", 2, "did you mean 'estimate'?");
    loading_refused("workers: 1\nledger: 4GiB\n", 2, "settings with their names are wanted");
    loading_refused("workers: 1\njournal_bytes: 4GiB\n", 2, "'ledger.journal_bytes'");
}

static void a_value_that_is_missing_is_refused_with_what_to_do(void **state)
{
    (void)state;
    loading_refused("store: sqlite\nworkers:\n", 2, "leave it out for the default");
    loading_refused("ledger:\n  sync: ~\n", 2, "leave it out for the default");
    loading_refused("metrics:\n  listen:\n", 2, "write \"\" for an empty one");
}

static void a_store_of_a_later_version_is_refused_without_its_password(void **state)
{
    (void)state;
    struct loading loading = {0};
    loading_refused("workers: 1\nstore: postgres://u:canary@h/db\n", 2, "is not in this version");
    loading_text(&loading, "store: postgres://u:canary@h/db\n");
    assert_false(loading_mistake_says(&loading.report.mistakes[0], "canary"));
    loading_end(&loading);
}

static void a_relative_path_counts_from_the_file_it_stands_in(void **state)
{
    (void)state;
    struct loading in_file = {0}, preset = {0}, none = {0},
                   here = {.files = {{"./weir.yaml", "{}"}}};
    struct loading variable = {.environment = {"WEIR_DATA_DIR=var"}};
    struct loading option = {.source = {.data_dir = "opt"}};
    assert_text(loading_sound(&in_file, "data_dir: ./x\n")->data_dir, "/etc/weir/x");
    assert_text(loading_sound(&preset, "workers: 1\n")->data_dir, "/etc/weir/data");
    assert_text(loading_sound(&none, NULL)->data_dir, "./data");
    assert_text(loading_sound(&here, NULL)->data_dir, "./data");
    assert_text(loading_sound(&variable, "workers: 1\n")->data_dir, "var");
    assert_text(loading_sound(&option, "workers: 1\n")->data_dir, "opt");
    loading_end(&in_file);
    loading_end(&preset);
    loading_end(&none);
    loading_end(&here);
    loading_end(&variable);
    loading_end(&option);
}

static struct slice api_key_of(struct loading *loading, const char *written)
{
    char yaml[256];
    snprintf(yaml, sizeof(yaml), "providers:\n  p: { base_url: http://a, api_key: \"%s\" }\n",
             written);
    return config_provider_find(loading_sound(loading, yaml), SLICE("p"))->api_key;
}

static void a_secret_may_stand_in_a_file(void **state)
{
    (void)state;
    struct loading relative = {.files = {{"/etc/weir/key", "sk-1\r\n\n"}}};
    struct loading absolute = {.files = {{"/run/key", " sk-2 "}}, .environment = {"P=/run/key"}};
    struct loading plain = {0};
    assert_text(api_key_of(&relative, "file:key"), "sk-1");
    assert_text(api_key_of(&absolute, "file:${P}"), " sk-2 ");
    assert_text(api_key_of(&plain, "sk-3"), "sk-3");
    loading_end(&relative);
    loading_end(&absolute);
    loading_end(&plain);
}

static void secret_refused(const struct loading_file *file, const char *said)
{
    struct loading loading = {0};
    loading.files[0] = *file;
    loading_text(&loading, "providers:\n  p:\n    base_url: http://a\n    api_key: file:key\n");
    assert_int_equal(loading.status, STATUS_INVALID);
    assert_int_equal(loading.report.count, 1);
    assert_int_equal(loading.report.mistakes[0].line, 4);
    assert_true(loading_mistake_says(&loading.report.mistakes[0], said));
    assert_false(loading_mistake_says(&loading.report.mistakes[0], "canary"));
    loading_end(&loading);
}

static void a_secret_that_cannot_be_used_is_refused_and_not_repeated(void **state)
{
    (void)state;
    static char large[CONFIG_SECRET_BYTES_MAX + 2];
    memset(large, 'a', sizeof(large) - 1);
    secret_refused(&(struct loading_file){"/other", ""}, "/etc/weir/key: there is no such file");
    secret_refused(&(struct loading_file){"/etc/weir/key", NULL}, "Permission denied");
    secret_refused(&(struct loading_file){"/etc/weir/key", "\n"}, "is empty");
    secret_refused(&(struct loading_file){"/etc/weir/key", "canary\nx: y"}, "control character");
    secret_refused(&(struct loading_file){"/etc/weir/key", large}, "cannot read the secret");
}

static void a_ca_file_must_be_there_and_be_pem(void **state)
{
    (void)state;
    static const char yaml[] = "providers:\n  p:\n    base_url: https://a\n    tls: {ca: ca.pem}\n";
    struct loading sound = {.files = {{"/etc/weir/ca.pem", "# comment\n" PEM}}};
    struct loading other = {.files = {{"/etc/weir/ca.pem", "no certificate"}}};
    const struct config *config = loading_sound(&sound, yaml);
    assert_text(config_provider_find(config, SLICE("p"))->tls_ca, "/etc/weir/ca.pem");
    loading_text(&other, yaml);
    assert_int_equal(other.status, STATUS_INVALID);
    assert_true(loading_mistake_says(&other.report.mistakes[0], "nothing in PEM form"));
    loading_refused(yaml, 4, "there is no such file");
    loading_end(&sound);
    loading_end(&other);
}

static void a_list_of_texts_may_be_a_single_one(void **state)
{
    (void)state;
    struct loading one = {0}, two = {0}, none = {0}, empty = {0};
    assert_int_equal(loading_sound(&one, "cors: {origins: http://a}")->cors.origins.count, 1);
    const struct config *config = loading_sound(&two, "cors: {origins: ['http://a', http://b]}");
    assert_int_equal(config->cors.origins.count, 2);
    assert_text(config->cors.origins.items[1], "http://b");
    assert_int_equal(loading_sound(&none, "cors: {origins: []}")->cors.origins.count, 0);
    assert_int_equal(loading_sound(&empty, "cors: {origins: ''}")->cors.origins.count, 0);
    loading_refused("cors:\n  origins: {a: b}\n", 2, "a list is wanted");
    loading_refused("cors:\n  origins:\n    - [a]\n", 3, "one value is wanted, not a list");
    loading_end(&one);
    loading_end(&two);
    loading_end(&none);
    loading_end(&empty);
}

static void urls_are_kept_with_their_parts(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "providers:\n  p: { base_url: 'http://[::1]:81/v1/', proxy: "
                                "'http://u:p@proxy:3128' }\n");
    const struct config_provider *provider = config_provider_find(config, SLICE("p"));
    assert_text(provider->base_url.host, "::1");
    assert_text(provider->base_url.authority, "[::1]:81");
    assert_text(provider->base_url.path, "/v1");
    assert_text(provider->proxy.host, "proxy");
    assert_text(provider->proxy.userinfo, "u:p");
    assert_int_equal(provider->proxy.port, 3128);
    loading_end(&loading);
    loading_refused("providers:\n  p:\n    base_url: ftp://a\n", 3, "neither https:// nor http://");
    loading_refused("providers:\n  p:\n    base_url: ''\n", 3, "neither https:// nor http://");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    proxy: socks5://a\n", 4,
                    "only http:// proxies");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_into_their_fields),
        cmocka_unit_test(wrong_forms_are_refused_with_the_right_one),
        cmocka_unit_test(numbers_out_of_range_are_refused_with_the_range),
        cmocka_unit_test(the_ledger_has_the_defaults_of_the_page),
        cmocka_unit_test(a_period_may_be_without_end),
        cmocka_unit_test(mistakes_in_the_ledger_are_named),
        cmocka_unit_test(a_value_that_is_missing_is_refused_with_what_to_do),
        cmocka_unit_test(a_store_of_a_later_version_is_refused_without_its_password),
        cmocka_unit_test(a_relative_path_counts_from_the_file_it_stands_in),
        cmocka_unit_test(a_secret_may_stand_in_a_file),
        cmocka_unit_test(a_secret_that_cannot_be_used_is_refused_and_not_repeated),
        cmocka_unit_test(a_ca_file_must_be_there_and_be_pem),
        cmocka_unit_test(a_list_of_texts_may_be_a_single_one),
        cmocka_unit_test(urls_are_kept_with_their_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
