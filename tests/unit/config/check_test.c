#include "loading.h"

static void two_listeners_on_one_address_are_refused(void **state)
{
    (void)state;
    loading_refused("listen: [127.0.0.1:9, 127.0.0.1:9]\n", 1,
                    "two listeners have the same address");
    loading_refused("workers: 1\nlisten: 127.0.0.1:8001\n", 2,
                    "listen and admin.listen have the same address");
    loading_refused("metrics:\n  listen: 127.0.0.1:8001\n", 2,
                    "admin.listen and metrics.listen have the same address");
    loading_refused("admin:\n  listen: 127.0.0.1:8000\n", 2,
                    "listen and admin.listen have the same address");
}

static void listeners_that_differ_or_take_a_free_port_are_fine(void **state)
{
    (void)state;
    struct loading loading = {0};
    loading_sound(&loading, "listen: [127.0.0.1:0, 127.0.0.1:0, '[::1]:8001', 127.0.0.2:8001]\n"
                            "admin: {listen: 127.0.0.1:0}\n");
    loading_end(&loading);
}

static void a_clash_that_a_variable_makes_names_the_variable(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"WEIR_METRICS_LISTEN=127.0.0.1:8000"}};
    loading_text(&loading, "workers: 1\n");
    assert_int_equal(loading.status, STATUS_INVALID);
    assert_text(loading.report.mistakes[0].file, "WEIR_METRICS_LISTEN");
    assert_int_equal(loading.report.mistakes[0].line, 0);
    loading_end(&loading);
}

static void an_admin_address_that_others_reach_takes_tls_or_a_word(void **state)
{
    (void)state;
    struct loading six = {0}, metrics = {0}, insecure = {0};
    loading_refused("admin:\n  listen: 0.0.0.0:8001\n", 2, "without TLS");
    loading_refused("admin:\n  listen: '[::]:8001'\n", 2, "without TLS");
    loading_refused("admin:\n  listen: [127.0.0.1:8001, 10.0.0.1:1, 10.0.0.1:2]\n", 2,
                    "without TLS");
    loading_sound(&insecure, "admin:\n  listen: 10.0.0.1:8001\n  insecure: true\n");
    loading_sound(&six, "admin: {listen: '[::1]:8001'}\n");
    loading_sound(&metrics, "metrics: {listen: 0.0.0.0:9100}\n");
    loading_end(&six);
    loading_end(&metrics);
    loading_end(&insecure);
}

static void an_admin_token_is_as_long_as_a_key_and_is_never_quoted(void **state)
{
    (void)state;
    struct loading sound = {0};
    loading_refused("admin:\n  token: fifteen-letters\n", 2, "16 to 256");
    loading_refused("admin:\n  token: 'sixteen letters!'\n", 2, "16 to 256");
    loading_refused("admin:\n  token: 'sixteen-letters\u00e4'\n", 2, "16 to 256");
    loading_sound(&sound, "admin: {token: sixteen-letters-}\n");
    assert_text(sound.config->admin.token, "sixteen-letters-");
    loading_end(&sound);
}

static void what_no_browser_sends_is_no_origin(void **state)
{
    (void)state;
    static const char *const bad[] = {"app.example", "https://app.example/",  "https://",
                                      "://x",        "https://*.example",     "HTTPS://app.example",
                                      "https://a b", "https://app.example/x", "**"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char yaml[128];
        snprintf(yaml, sizeof(yaml), "cors:\n  origins: ['%s']\n", bad[i]);
        loading_refused(yaml, 2, "is no origin");
    }
    struct loading loading = {0};
    loading_sound(&loading, "cors: {origins: ['https://app.example:8443', 'http://localhost:3000',"
                            " 'chrome-extension://abc', '*']}\n");
    loading_end(&loading);
}

static void memory_for_bodies_must_hold_the_largest(void **state)
{
    (void)state;
    loading_refused("transport:\n  body_memory: 16MiB\n", 2, "transport.body_bytes");
    loading_refused("transport:\n  body_bytes: 1MiB\n  body_memory: 4MiB\n", 3,
                    "transport.answer_bytes");
    struct loading loading = {0};
    loading_sound(&loading, "transport: {body_memory: 32MiB}\n");
    loading_end(&loading);
}

static void names_that_stand_twice_are_found_at_every_depth(void **state)
{
    (void)state;
    loading_refused("workers: 1\nlisten: 127.0.0.1:1\nworkers: 1\n", 3,
                    "'workers' stands here twice (before in line 1)");
    loading_refused("timeouts: {idle: 5s}\ncors: {}\ntimeouts: {}\n", 3, "stands here twice");
    loading_refused("timeouts:\n  idle: 5s\n  idle: 5s\n", 3, "stands here twice");
    loading_refused("listen:\n  address: 127.0.0.1:1\n  address: 127.0.0.1:1\n", 3,
                    "stands here twice");
    loading_refused("providers:\n  p:\n    base_url: http://a\n    headers:\n      x: a\n"
                    "      x: a\n",
                    6, "stands here twice");
    loading_refused("models:\n  - name: a\n    targets:\n      - provider: local\n"
                    "        provider: local\n",
                    5, "stands here twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_listeners_on_one_address_are_refused),
        cmocka_unit_test(listeners_that_differ_or_take_a_free_port_are_fine),
        cmocka_unit_test(a_clash_that_a_variable_makes_names_the_variable),
        cmocka_unit_test(an_admin_address_that_others_reach_takes_tls_or_a_word),
        cmocka_unit_test(an_admin_token_is_as_long_as_a_key_and_is_never_quoted),
        cmocka_unit_test(what_no_browser_sends_is_no_origin),
        cmocka_unit_test(memory_for_bodies_must_hold_the_largest),
        cmocka_unit_test(names_that_stand_twice_are_found_at_every_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
