#include "loading.h"

#define CERTIFICATE {"/etc/weir/c.pem", "-----BEGIN CERTIFICATE-----\n"}
#define KEY         {"/etc/weir/k.pem", "-----BEGIN PRIVATE KEY-----\n"}

static void one_address_may_stand_alone(void **state)
{
    (void)state;
    struct loading four = {0}, six = {0};
    const struct config *config = loading_sound(&four, "listen: 0.0.0.0:80\n");
    assert_int_equal(config->listen.count, 1);
    assert_text(config->listen.items[0].address.host, "0.0.0.0");
    assert_int_equal(config->listen.items[0].address.port, 80);
    assert_int_equal(config->listen.items[0].certificate.size, 0);
    config = loading_sound(&six, "listen: \"[::1]:80\"\n");
    assert_text(config->listen.items[0].address.host, "::1");
    assert_int_equal(config->listen.items[0].address.ip.size, 16);
    loading_end(&four);
    loading_end(&six);
}

static void a_list_mixes_texts_and_mappings(void **state)
{
    (void)state;
    struct loading loading = {.files = {CERTIFICATE, KEY}, .environment = {"PORT=9000"}};
    const struct config *config =
        loading_sound(&loading, "listen:\n"
                                "  - 127.0.0.1:${PORT}\n"
                                "  - { address: 0.0.0.0:8443, tls: {certificate: c.pem, key: "
                                "k.pem} }\n");
    assert_int_equal(config->listen.count, 2);
    assert_int_equal(config->listen.items[0].address.port, 9000);
    assert_int_equal(config->listen.items[1].address.port, 8443);
    assert_text(config->listen.items[1].certificate, "/etc/weir/c.pem");
    assert_text(config->listen.items[1].key, "/etc/weir/k.pem");
    loading_end(&loading);
}

static void a_single_mapping_needs_no_list(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, "listen: {address: 127.0.0.1:1}\n");
    assert_int_equal(config->listen.count, 1);
    loading_end(&loading);
}

static void an_empty_text_is_no_listener(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, "metrics: {listen: ''}\n"
                                                          "admin: {listen: ''}\n");
    assert_int_equal(config->metrics_listen.count, 0);
    assert_int_equal(config->admin.listen.count, 0);
    loading_end(&loading);
    loading_refused("workers: 1\nlisten: ''\n", 2, "an address is wanted");
    loading_refused("workers: 1\nlisten: []\n", 2, "an address is wanted");
}

static void what_is_no_listener_is_refused(void **state)
{
    (void)state;
    loading_refused("workers: 1\nlisten: 8000\n", 2, "is no address with a port");
    loading_refused("workers: 1\nlisten: example.com:80\n", 2, "has no numeric address");
    loading_refused("listen:\n  - x\n", 2, "is no address with a port");
    loading_refused("listen:\n  - [127.0.0.1:80]\n", 2, "one value is wanted");
    loading_refused("listen:\n  - {}\n", 2, "a listener needs an address");
    loading_refused("listen:\n  - adress: 127.0.0.1:80\n", 2, "did you mean 'address'?");
    loading_refused("listen:\n  - address: [1]\n", 2, "one value is wanted");
}

static void tls_takes_both_certificate_and_key(void **state)
{
    (void)state;
    static const char *const tls[] = {"{certificate: c.pem}", "{key: k.pem}", "{}", "x", "[]", ""};
    for (size_t i = 0; i < sizeof(tls) / sizeof(tls[0]); i++) {
        char yaml[128];
        struct loading loading = {.files = {CERTIFICATE, KEY}};
        snprintf(yaml, sizeof(yaml), "listen:\n  address: 127.0.0.1:80\n  tls: %s\n", tls[i]);
        loading_text(&loading, yaml);
        assert_int_equal(loading.status, STATUS_INVALID);
        assert_int_equal(loading.report.count, 1);
        assert_int_equal(loading.report.mistakes[0].line, 3);
        assert_true(loading_mistake_says(&loading.report.mistakes[0], "both certificate and key"));
        loading_end(&loading);
    }
    loading_refused("listen:\n  address: 127.0.0.1:80\n  tls:\n    certificat: x\n", 4,
                    "did you mean 'certificate'?");
    loading_refused("listen:\n  address: 127.0.0.1:80\n  tls: {certificate: /no}\n", 3,
                    "there is no such file");
}

static void listeners_are_bounded(void **state)
{
    (void)state;
    struct buffer yaml;
    buffer_init(&yaml, 8192);
    buffer_append(&yaml, SLICE("listen:\n"));
    for (unsigned i = 0; i < 65; i++)
        buffer_printf(&yaml, "- 127.0.0.1:%u\n", 1000 + i);
    buffer_append_byte(&yaml, '\0');
    loading_refused(yaml.data, 2, "more than 64 listeners");
    buffer_fini(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_may_stand_alone),
        cmocka_unit_test(a_list_mixes_texts_and_mappings),
        cmocka_unit_test(a_single_mapping_needs_no_list),
        cmocka_unit_test(an_empty_text_is_no_listener),
        cmocka_unit_test(what_is_no_listener_is_refused),
        cmocka_unit_test(tls_takes_both_certificate_and_key),
        cmocka_unit_test(listeners_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
