#include "config/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct config_url url_of(const char *text)
{
    struct config_url url = {0};
    struct reason reason = {""};
    if (config_url_parse(slice_from_text(text), &url, &reason) != STATUS_OK)
        fail_msg("%s: %s", text, reason.text);
    return url;
}

static struct config_url proxy_of(const char *text)
{
    struct config_url url = {0};
    struct reason reason = {""};
    if (config_proxy_parse(slice_from_text(text), &url, &reason) != STATUS_OK)
        fail_msg("%s: %s", text, reason.text);
    return url;
}

static void check(const struct config_url *url, const char *host, uint16_t port, const char *path)
{
    assert_true(slice_equal(url->host, slice_from_text(host)));
    assert_int_equal(url->port, port);
    assert_true(slice_equal(url->path, slice_from_text(path)));
}

static void a_url_is_taken_apart(void **state)
{
    (void)state;
    const struct config_url openai = url_of("https://api.openai.com/v1");
    const struct config_url local = url_of("HTTP://localhost:1234/v1/");
    const struct config_url six = url_of("http://[::1]:8080");

    assert_true(openai.is_tls);
    check(&openai, "api.openai.com", 443, "/v1");
    assert_true(slice_equal(openai.authority, SLICE("api.openai.com")));
    assert_false(local.is_tls);
    check(&local, "localhost", 1234, "/v1");
    assert_true(slice_equal(local.authority, SLICE("localhost:1234")));
    check(&six, "::1", 8080, "");
    assert_true(slice_equal(six.authority, SLICE("[::1]:8080")));
}

static void slashes_at_the_end_are_dropped_and_others_stay(void **state)
{
    (void)state;
    const struct config_url none = url_of("http://a");
    const struct config_url one = url_of("http://a/");
    const struct config_url many = url_of("http://a/x//y///");
    const struct config_url escaped = url_of("http://a/x%2Fy");
    check(&none, "a", 80, "");
    check(&one, "a", 80, "");
    check(&many, "a", 80, "/x//y");
    check(&escaped, "a", 80, "/x%2Fy");
}

static void what_is_no_base_url_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "api.openai.com",
                                        "ftp://x",
                                        "https:/x",
                                        "https://",
                                        "https:///v1",
                                        "http://a:0",
                                        "http://a:65536",
                                        "http://a:",
                                        "http://a:8x",
                                        "http://[::1",
                                        "http://[::g]",
                                        "http://[1.2.3.4]",
                                        "http://a b",
                                        "http://a/b c",
                                        "http://a?x=1",
                                        "http://a/v1?x=1",
                                        "http://a/#f",
                                        "http://u@a/v1",
                                        "http://u:p@a/v1",
                                        "http://a/%",
                                        "http://a/%4",
                                        "http://a/%zz",
                                        "http://a\r\nx: y",
                                        "http://a/\x01",
                                        "http://::1/",
                                        "http://a/\xc3\xa9"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct config_url url;
        struct reason reason = {""};
        const enum status status = config_url_parse(slice_from_text(texts[i]), &url, &reason);
        if (status != STATUS_INVALID)
            fail_msg("'%s' was read", texts[i]);
        assert_string_not_equal(reason.text, "");
    }
    assert_int_equal(config_url_parse(SLICE("x"), &(struct config_url){0}, NULL), STATUS_INVALID);
}

static void a_host_may_be_253_bytes_and_no_more(void **state)
{
    (void)state;
    char text[sizeof("http://") + CONFIG_HOST_BYTES_MAX + 1] = "http://";
    struct config_url url;
    memset(text + 7, 'a', CONFIG_HOST_BYTES_MAX + 1);
    assert_int_equal(config_url_parse(slice_of(text, 7 + CONFIG_HOST_BYTES_MAX), &url, NULL),
                     STATUS_OK);
    assert_int_equal(config_url_parse(slice_of(text, 8 + CONFIG_HOST_BYTES_MAX), &url, NULL),
                     STATUS_INVALID);
}

static void a_proxy_may_have_a_user_and_needs_no_scheme(void **state)
{
    (void)state;
    const struct config_url plain = proxy_of("proxy.example:3128");
    const struct config_url user = proxy_of("http://me:p%40ss@proxy.example:3128/");
    const struct config_url at = proxy_of("me:p@ss@proxy.example");
    check(&plain, "proxy.example", 3128, "");
    assert_int_equal(plain.userinfo.size, 0);
    check(&user, "proxy.example", 3128, "");
    assert_true(slice_equal(user.userinfo, SLICE("me:p%40ss")));
    assert_true(slice_equal(user.authority, SLICE("proxy.example:3128")));
    check(&at, "proxy.example", 80, "");
    assert_true(slice_equal(at.userinfo, SLICE("me:p@ss")));
}

static void proxies_of_other_kinds_are_not_supported_and_no_password_is_repeated(void **state)
{
    (void)state;
    static const char *const texts[] = {"https://u:canary@proxy",  "socks5://u:canary@proxy:1080",
                                        "http://u:canary@proxy:x", "http://u:canary@proxy/path",
                                        "http://u:canary@",        "http://u:canary@a b"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct config_url url;
        struct reason reason = {""};
        const enum status status = config_proxy_parse(slice_from_text(texts[i]), &url, &reason);
        assert_int_equal(status, i < 2 ? STATUS_UNSUPPORTED : STATUS_INVALID);
        assert_null(strstr(reason.text, "canary"));
    }
}

static bool is_direct(const char *no_proxy, const char *url)
{
    const struct config_url target = url_of(url);
    return config_no_proxy_matches(slice_from_text(no_proxy), &target);
}

static void no_proxy_names_domains_addresses_networks_and_ports(void **state)
{
    (void)state;
    assert_true(is_direct("*", "https://a.example"));
    assert_true(is_direct("a.example", "https://A.Example/v1"));
    assert_true(is_direct("example", "https://a.example"));
    assert_true(is_direct(".example", "https://a.example"));
    assert_true(is_direct("*.example", "https://a.example"));
    assert_true(is_direct("x, a.example ,y", "https://a.example"));
    assert_true(is_direct("a.example:443", "https://a.example"));
    assert_true(is_direct("10.0.0.0/8", "http://10.1.2.3"));
    assert_true(is_direct("::1", "http://[::1]:80"));

    assert_false(is_direct("", "https://a.example"));
    assert_false(is_direct(",, ,", "https://a.example"));
    assert_false(is_direct("ample", "https://a.example"));
    assert_false(is_direct("a.example.com", "https://a.example"));
    assert_false(is_direct("a.example:80", "https://a.example"));
    assert_false(is_direct("a.example:x", "https://a.example"));
    assert_false(is_direct("10.0.0.0/8", "http://11.1.2.3"));
    assert_false(is_direct("10.0.0.0/8", "http://a.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(slashes_at_the_end_are_dropped_and_others_stay),
        cmocka_unit_test(what_is_no_base_url_is_refused),
        cmocka_unit_test(a_host_may_be_253_bytes_and_no_more),
        cmocka_unit_test(a_proxy_may_have_a_user_and_needs_no_scheme),
        cmocka_unit_test(proxies_of_other_kinds_are_not_supported_and_no_password_is_repeated),
        cmocka_unit_test(no_proxy_names_domains_addresses_networks_and_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
