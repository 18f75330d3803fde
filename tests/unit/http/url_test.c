#include "http/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static bool is(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_from_text(text));
}

struct url_case {
    const char *text;
    bool tls;
    const char *host;
    uint16_t port;
    const char *authority, *path, *query;
};

static const struct url_case accepted_cases[] = {
    {"https://api.openai.com/v1", true, "api.openai.com", 443, "api.openai.com", "/v1", ""},
    {"http://localhost:1234/v1/", false, "localhost", 1234, "localhost:1234", "/v1", ""},
    {"HTTP://H", false, "H", 80, "H", "", ""},
    {"hTTpS://h/", true, "h", 443, "h", "", ""},
    {"http://h///", false, "h", 80, "h", "", ""},
    {"http://h:/a", false, "h", 80, "h:", "/a", ""},
    {"http://127.0.0.1:65535", false, "127.0.0.1", 65535, "127.0.0.1:65535", "", ""},
    {"http://[::1]:8080/x", false, "::1", 8080, "[::1]:8080", "/x", ""},
    {"https://[2001:DB8::192.0.2.1]", true, "2001:DB8::192.0.2.1", 443, "[2001:DB8::192.0.2.1]", "",
     ""},
    {"http://h/a%20b?c=d&e=%2f/", false, "h", 80, "h", "/a%20b", "c=d&e=%2f/"},
    {"http://h?q", false, "h", 80, "h", "", "q"},
    {"http://a_b-c.d~e/", false, "a_b-c.d~e", 80, "a_b-c.d~e", "", ""},
};

static void an_absolute_url_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted_cases) / sizeof(accepted_cases[0]); i++) {
        const struct url_case *it = &accepted_cases[i];
        struct url url;
        struct reason reason = {""};
        if (url_parse(slice_from_text(it->text), URL_ANY, &url, &reason) != STATUS_OK)
            fail_msg("%s: %s", it->text, reason.text);
        assert_int_equal(url.tls, it->tls);
        assert_int_equal(url.port, it->port);
        assert_true(is(url.host, it->host));
        assert_true(is(url.authority, it->authority));
        assert_true(is(url.path, it->path));
        assert_true(is(url.query, it->query));
        assert_int_equal(url.host_is_ipv6, strchr(it->text, '[') != NULL);
        assert_false(url.has_userinfo);
    }
}

static const char *const refused_cases[] = {
    "",
    "h",
    "h:80",
    "/v1",
    "//h/v1",
    "ftp://h",
    "http:/h",
    "http//h",
    "http://",
    "http:///v1",
    "http://:80",
    "https://?q",
    "http://h:0",
    "http://h:65536",
    "http://h:-1",
    "http://h:8x",
    "http://h:80:80",
    "http://::1",
    "http://[::1",
    "http://[]",
    "http://[::1]x",
    "http://[::1]80",
    "http://[1]",
    "http://[::g]",
    "http://[fe80::1%25eth0]",
    "http://h h/",
    "http://h/a b",
    "http://h/\x01",
    "http://h/\xc3\xa9",
    "http://h/#f",
    "http://h#f",
    "http://h/%",
    "http://h/%4",
    "http://h/%zz",
    "http://h/%00",
    "http://h/?%x",
    "http://h%2/",
    "http://h\\x/",
    "http://h\"/",
    "http://a@b@h/",
    "http://a:b%@h/",
    "http://a[@h/",
    " http://h",
    "http://h ",
    "http://h\n",
};

static void what_is_no_such_url_is_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++) {
        struct url url;
        struct reason reason = {""};
        if (url_parse(slice_from_text(refused_cases[i]), URL_ANY, &url, &reason) != STATUS_INVALID)
            fail_msg("%s was taken", refused_cases[i]);
        assert_true(strlen(reason.text) > 0);
    }
}

static enum status status_of(const char *text, enum url_kind kind)
{
    struct url url;
    struct reason reason = {""};
    const enum status status = url_parse(slice_from_text(text), kind, &url, &reason);
    assert_null(strstr(reason.text, "secret"));
    return status;
}

static void each_kind_of_url_has_its_own_parts(void **state)
{
    (void)state;
    assert_int_equal(status_of("https://h/v1", URL_BASE), STATUS_OK);
    assert_int_equal(status_of("https://a:secret@h/v1", URL_BASE), STATUS_INVALID);
    assert_int_equal(status_of("https://@h/v1", URL_BASE), STATUS_INVALID);
    assert_int_equal(status_of("https://h/v1?a", URL_BASE), STATUS_INVALID);
    assert_int_equal(status_of("http://a:secret@h:3128/", URL_PROXY), STATUS_OK);
    assert_int_equal(status_of("http://a:secret@h:3128/x", URL_PROXY), STATUS_INVALID);
    assert_int_equal(status_of("http://h:3128?x", URL_PROXY), STATUS_INVALID);
    assert_int_equal(status_of("http://a:sec ret@h:3128/", URL_PROXY), STATUS_INVALID);
    assert_int_equal(status_of("http://a:secret@h/x?y", URL_ANY), STATUS_OK);
}

static void userinfo_is_split_at_its_first_colon(void **state)
{
    (void)state;
    struct url url;
    assert_int_equal(url_parse(SLICE("http://me%40x:pa:ss%21@h:3128"), URL_PROXY, &url, NULL),
                     STATUS_OK);
    assert_true(url.has_userinfo && url.has_port);
    assert_true(is(url.userinfo, "me%40x:pa:ss%21"));
    assert_true(is(url.user, "me%40x"));
    assert_true(is(url.password, "pa:ss%21"));
    assert_true(is(url.authority, "h:3128"));
    assert_int_equal(url_parse(SLICE("http://me@h"), URL_PROXY, &url, NULL), STATUS_OK);
    assert_true(is(url.user, "me") && url.password.size == 0 && !url.has_port);
}

static void a_host_field_is_a_host_and_perhaps_a_port(void **state)
{
    (void)state;
    struct slice host;
    uint16_t port;
    assert_int_equal(url_authority(SLICE(""), &host, &port), STATUS_OK);
    assert_true(host.size == 0 && port == 0);
    assert_int_equal(url_authority(SLICE("h:80"), &host, &port), STATUS_OK);
    assert_true(is(host, "h") && port == 80);
    assert_int_equal(url_authority(SLICE("[::]:"), &host, &port), STATUS_OK);
    assert_true(is(host, "::") && port == 0);
    assert_int_equal(url_authority(SLICE("a@h"), &host, &port), STATUS_INVALID);
    assert_int_equal(url_authority(SLICE("h/"), &host, &port), STATUS_INVALID);
    assert_int_equal(url_authority(SLICE("h:99999999999999999999"), &host, &port), STATUS_INVALID);
    for (unsigned value = 0; value < 256; value++) {
        const char byte = (char)value;
        const bool is_allowed = (value >= '0' && value <= '9') || (value >= 'a' && value <= 'z') ||
                                (value >= 'A' && value <= 'Z') || value == ':' ||
                                (value != 0 && strchr("-._~!$&'()*+,;=", byte) != NULL);
        assert_int_equal(url_authority(slice_of(&byte, 1), &host, &port),
                         is_allowed ? STATUS_OK : STATUS_INVALID);
    }
}

static enum status decoded(const char *text, const char *expected)
{
    struct buffer bytes;
    buffer_init(&bytes, 16);
    const enum status status = url_decode(slice_from_text(text), &bytes);
    if (status == STATUS_OK)
        assert_true(is(buffer_slice(&bytes), expected));
    assert_int_equal(url_percent_is_valid(slice_from_text(text)), status != STATUS_INVALID);
    buffer_fini(&bytes);
    return status;
}

static void percent_triplets_are_decoded_or_refused(void **state)
{
    (void)state;
    assert_int_equal(decoded("", ""), STATUS_OK);
    assert_int_equal(decoded("a%2Fb%2fc", "a/b/c"), STATUS_OK);
    assert_int_equal(decoded("%C3%a9+%25", "\xc3\xa9+%"), STATUS_OK);
    assert_int_equal(decoded("%", ""), STATUS_INVALID);
    assert_int_equal(decoded("a%4", ""), STATUS_INVALID);
    assert_int_equal(decoded("%G0", ""), STATUS_INVALID);
    assert_int_equal(decoded("%0G", ""), STATUS_INVALID);
    assert_int_equal(decoded("%%41", ""), STATUS_INVALID);
    assert_int_equal(decoded("%00", ""), STATUS_INVALID);
    assert_int_equal(decoded("01234567890123456", ""), STATUS_TOO_LARGE);
}

static void a_path_is_joined_to_the_base_by_one_slash(void **state)
{
    (void)state;
    static const char *const bases[][2] = {{"http://h", "/models"},
                                           {"http://h/", "/models"},
                                           {"http://h/v1", "/v1/models"},
                                           {"http://h/a/v1//", "/a/v1/models"}};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        struct url url;
        struct buffer text;
        buffer_init(&text, 64);
        assert_int_equal(url_parse(slice_from_text(bases[i][0]), URL_BASE, &url, NULL), STATUS_OK);
        assert_int_equal(url_join(&url, SLICE("/models"), &text), STATUS_OK);
        assert_true(is(buffer_slice(&text), bases[i][1]));
        buffer_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absolute_url_is_taken_apart),
        cmocka_unit_test(what_is_no_such_url_is_refused_with_a_reason),
        cmocka_unit_test(each_kind_of_url_has_its_own_parts),
        cmocka_unit_test(userinfo_is_split_at_its_first_colon),
        cmocka_unit_test(a_host_field_is_a_host_and_perhaps_a_port),
        cmocka_unit_test(percent_triplets_are_decoded_or_refused),
        cmocka_unit_test(a_path_is_joined_to_the_base_by_one_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
