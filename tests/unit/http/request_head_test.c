#include "http/request_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

static const struct http_head_limits limits = {.headers_max = 20};

/* A parsed head with the memory that it lies in. */
struct parsed {
    enum status status;
    unsigned http_status;
    struct reason reason;
    struct http_request_head head;
    struct arena arena;
    char memory[2048];
};

static void parse(struct parsed *parsed, struct slice bytes)
{
    memset(parsed, 0, sizeof(*parsed));
    arena_init(&parsed->arena, parsed->memory, sizeof(parsed->memory), 0);
    parsed->status = http_request_head_parse(bytes, &limits, &parsed->arena, &parsed->head,
                                             &parsed->http_status, &parsed->reason);
}

static void parse_text(struct parsed *parsed, const char *text)
{
    parse(parsed, slice_from_text(text));
}

static bool is(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_from_text(text));
}

static void a_chat_request_is_read_whole(void **state)
{
    (void)state;
    struct parsed parsed;
    parse_text(&parsed, "POST /v1/chat/completions?a=b?c HTTP/1.1\r\n"
                        "Host: localhost:8000\r\n"
                        "authorization:Bearer sk\r\n"
                        "X-Empty:\r\n"
                        "Content-Type:  \t application/json \t \r\n"
                        "Content-Length: 312\r\n\r\n");
    const struct http_request_head *head = &parsed.head;
    assert_int_equal(parsed.status, STATUS_OK);
    assert_int_equal(head->method, HTTP_METHOD_POST);
    assert_true(is(head->method_text, "POST"));
    assert_true(is(head->target, "/v1/chat/completions?a=b?c"));
    assert_true(is(head->path, "/v1/chat/completions"));
    assert_true(is(head->query, "a=b?c"));
    assert_true(is(head->host, "localhost:8000"));
    assert_int_equal(head->minor, 1);
    assert_int_equal(head->framing, HTTP_FRAMING_LENGTH);
    assert_true(head->has_content_length && !head->is_chunked);
    assert_int_equal(head->content_length, 312);
    assert_true(head->keep_alive && !head->expects_continue);
    assert_int_equal(head->fields.count, 5);
    assert_true(is(http_request_head_get(head, HTTP_HEADER_AUTHORIZATION), "Bearer sk"));
    assert_true(is(http_request_head_get(head, HTTP_HEADER_CONTENT_TYPE), "application/json"));
    assert_true(is(http_fields_find(&head->fields, SLICE("x-empty"))->value, ""));
}

struct accepted_case {
    const char *text;
    enum http_method method;
    const char *path, *query, *host;
    enum http_framing framing;
    bool keep_alive, expects_continue;
};

static const struct accepted_case accepted_cases[] = {
    {"GET / HTTP/1.0\r\n\r\n", HTTP_METHOD_GET, "/", "", "", HTTP_FRAMING_NONE, false, false},
    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", HTTP_METHOD_GET, "/", "", "",
     HTTP_FRAMING_NONE, true, false},
    {"\r\n\r\nHEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", HTTP_METHOD_HEAD, "/a", "",
     "h", HTTP_FRAMING_NONE, false, false},
    {"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", HTTP_METHOD_OPTIONS, "*", "", "", HTTP_FRAMING_NONE,
     true, false},
    {"DELETE /a%2Fb HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", HTTP_METHOD_DELETE, "/a%2Fb", "",
     "[::1]:80", HTTP_FRAMING_NONE, true, false},
    {"PUT HTTP://user.example:81/p?q HTTP/1.1\r\nHost: other\r\n\r\n", HTTP_METHOD_PUT, "/p", "q",
     "user.example:81", HTTP_FRAMING_NONE, true, false},
    {"PATCH https://h HTTP/1.1\r\nHost: h\r\n\r\n", HTTP_METHOD_PATCH, "/", "", "h",
     HTTP_FRAMING_NONE, true, false},
    {"GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n", HTTP_METHOD_GET, "/", "q", "h",
     HTTP_FRAMING_NONE, true, false},
    {"PROPFIND //a/../b HTTP/1.1\r\nHost: h\r\n\r\n", HTTP_METHOD_OTHER, "//a/../b", "", "h",
     HTTP_FRAMING_NONE, true, false},
    {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked \r\nExpect: 100-Continue\r\n\r\n",
     HTTP_METHOD_POST, "/", "", "h", HTTP_FRAMING_CHUNKED, true, true},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", HTTP_METHOD_POST, "/", "", "h",
     HTTP_FRAMING_NONE, true, false},
    {"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n", HTTP_METHOD_POST, "/",
     "", "", HTTP_FRAMING_LENGTH, false, false},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n", HTTP_METHOD_POST,
     "/", "", "h", HTTP_FRAMING_LENGTH, true, false},
    {"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
     HTTP_METHOD_GET, "/", "", "h", HTTP_FRAMING_NONE, true, false},
    {"GET / HTTP/1.1\r\nHost: h\r\nX: \x80\xff caf\xc3\xa9\r\n\r\n", HTTP_METHOD_GET, "/", "", "h",
     HTTP_FRAMING_NONE, true, false},
};

static void requests_of_every_allowed_shape_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted_cases) / sizeof(accepted_cases[0]); i++) {
        const struct accepted_case *it = &accepted_cases[i];
        struct parsed parsed;
        parse_text(&parsed, it->text);
        if (parsed.status != STATUS_OK)
            fail_msg("%s: %s", it->text, parsed.reason.text);
        assert_int_equal(parsed.head.method, it->method);
        assert_true(is(parsed.head.path, it->path));
        assert_true(is(parsed.head.query, it->query));
        assert_true(is(parsed.head.host, it->host));
        assert_int_equal(parsed.head.framing, it->framing);
        assert_int_equal(parsed.head.keep_alive, it->keep_alive);
        assert_int_equal(parsed.head.expects_continue, it->expects_continue);
    }
}

struct refused_case {
    const char *what;
    struct slice bytes;
    unsigned http_status;
};

#define REFUSED(what, literal, http_status) {what, {literal, sizeof(literal) - 1}, http_status}
#define AFTER_HOST(what, fields)                                                                   \
    REFUSED(what, "POST / HTTP/1.1\r\nHost: h\r\n" fields "\r\n\r\n", 400)

/* What two readers of the same bytes could take for different requests. */
static const struct refused_case smuggling_cases[] = {
    AFTER_HOST("CL before TE", "Content-Length: 4\r\nTransfer-Encoding: chunked"),
    AFTER_HOST("TE before CL", "Transfer-Encoding: chunked\r\nContent-Length: 4"),
    AFTER_HOST("CL of 0 and TE", "Content-Length: 0\r\nTransfer-Encoding: chunked"),
    AFTER_HOST("two different CL", "Content-Length: 4\r\nContent-Length: 5"),
    AFTER_HOST("two equal CL", "Content-Length: 4\r\nContent-Length: 4"),
    AFTER_HOST("two CL far apart", "Content-Length: 4\r\nA: b\r\nc: d\r\ncontent-length: 4"),
    AFTER_HOST("a list of CL", "Content-Length: 4, 4"),
    AFTER_HOST("CL with a sign", "Content-Length: +4"),
    AFTER_HOST("a negative CL", "Content-Length: -4"),
    AFTER_HOST("CL in hexadecimal", "Content-Length: 0x4"),
    AFTER_HOST("CL with a fraction", "Content-Length: 4.0"),
    AFTER_HOST("CL with a space inside", "Content-Length: 1 2"),
    AFTER_HOST("CL in quotes", "Content-Length: \"4\""),
    AFTER_HOST("an empty CL", "Content-Length:"),
    AFTER_HOST("a CL of white space", "Content-Length:  \t "),
    AFTER_HOST("CL of 2^63", "Content-Length: 9223372036854775808"),
    AFTER_HOST("CL of 2^64", "Content-Length: 18446744073709551616"),
    AFTER_HOST("CL of 2^64 + 4", "Content-Length: 18446744073709551620"),
    AFTER_HOST("CL of 40 digits and a letter",
               "Content-Length: 0000000000000000000000000000000000000004x"),
    AFTER_HOST("a space before the colon", "Content-Length : 4"),
    AFTER_HOST("HTAB before the colon", "Transfer-Encoding\t: chunked"),
    AFTER_HOST("a space before a name", "A: b\r\n Content-Length: 4"),
    AFTER_HOST("HTAB before a name", "A: b\r\n\tContent-Length: 4"),
    AFTER_HOST("a space before the first name", " Content-Length: 4"),
    AFTER_HOST("a name with a space", "Content Length: 4"),
    AFTER_HOST("no name", ": 4"),
    AFTER_HOST("no colon", "Content-Length"),
    AFTER_HOST("a byte from 0x80 on in a name", "Content-Length\x80: 4"),
    AFTER_HOST("a vertical tab in a value", "Transfer-Encoding: \x0b"
                                            "chunked"),
    AFTER_HOST("a form feed before a value", "Content-Length:\x0c"
                                             "4"),
    AFTER_HOST("NUL in a value", "A: b\0c"),
    AFTER_HOST("NUL in a name", "A\0B: c"),
    AFTER_HOST("DEL in a value", "A: b\x7f"),
    AFTER_HOST("a bare CR in a value", "A: b\rContent-Length: 4"),
    AFTER_HOST("a bare LF in a value", "A: b\nContent-Length: 4"),
    AFTER_HOST("TE other than chunked", "Transfer-Encoding: gzip"),
    AFTER_HOST("TE with identity", "Transfer-Encoding: identity"),
    AFTER_HOST("TE with another before", "Transfer-Encoding: gzip, chunked"),
    AFTER_HOST("TE with another after", "Transfer-Encoding: chunked, identity"),
    AFTER_HOST("chunked twice in one TE", "Transfer-Encoding: chunked, chunked"),
    AFTER_HOST("chunked in two TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    AFTER_HOST("TE, then another", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
    AFTER_HOST("TE with an empty member", "Transfer-Encoding: ,chunked"),
    AFTER_HOST("TE with a parameter", "Transfer-Encoding: chunked;a=b"),
    AFTER_HOST("TE in quotes", "Transfer-Encoding: \"chunked\""),
    AFTER_HOST("TE with a letter more", "Transfer-Encoding: xchunked"),
    AFTER_HOST("an empty TE", "Transfer-Encoding:"),
    AFTER_HOST("a second Host", "Host: h"),
    AFTER_HOST("a second Host of another case", "A: b\r\nHOST: i"),
    REFUSED("TE in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    REFUSED("no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400),
    REFUSED("no Host but an absolute target", "GET http://h/ HTTP/1.1\r\n\r\n", 400),
    REFUSED("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", 400),
    REFUSED("a list of hosts", "GET / HTTP/1.1\r\nHost: h, i j\r\n\r\n", 400),
    REFUSED("userinfo in Host", "GET / HTTP/1.1\r\nHost: a@h\r\n\r\n", 400),
    REFUSED("a path in Host", "GET / HTTP/1.1\r\nHost: h/p\r\n\r\n", 400),
    REFUSED("a bad port in Host", "GET / HTTP/1.1\r\nHost: h:80x\r\n\r\n", 400),
    REFUSED("an open bracket in Host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
};

static const struct refused_case malformed_cases[] = {
    REFUSED("nothing", "", 400),
    REFUSED("an empty line", "\r\n\r\n", 400),
    REFUSED("three empty lines before", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("an empty target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("two spaces before the target", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("two spaces before the version", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a space at the front", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a space at the end", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
    REFUSED("HTAB after the method", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("HTAB before the version", "GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("HTAB in the target", "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a byte from 0x80 on in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a relative target", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("* with GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("another scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("an absolute target without a host", "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("userinfo in the target", "GET http://a@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("half a percent triplet", "GET /a%2 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("no hexadecimal digits after %", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("an encoded NUL", "GET /a%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("no version", "GET /\r\nHost: h\r\n\r\n", 400),
    REFUSED("a version in lower case", "GET / http/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a version of two digits", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400),
    REFUSED("a version without a point", "GET / HTTP/1\r\nHost: h\r\n\r\n", 400),
    REFUSED("another protocol", "OPTIONS / RTSP/1.0\r\nHost: h\r\n\r\n", 400),
    REFUSED("another protocol of llhttp's", "SOURCE /a ICE/1.0\r\nHost: h\r\n\r\n", 400),
    REFUSED("a method that is no token", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("no method", " / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("a colon in the method", "GET: / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    REFUSED("bytes after the head", "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET", 400),
    REFUSED("bytes of the body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab", 400),
    REFUSED("half a head", "GET / HTTP/1.1\r\nHost: h\r\n", 400),
    REFUSED("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    REFUSED("HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505),
    REFUSED("HTTP/0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505),
    REFUSED("HTTP/2.1", "GET / HTTP/2.1\r\nHost: h\r\n\r\n", 505),
    REFUSED("an unknown method", "FOO / HTTP/1.1\r\nHost: h\r\n\r\n", 501),
    REFUSED("a method in lower case", "get / HTTP/1.1\r\nHost: h\r\n\r\n", 501),
    REFUSED("a method with a letter more", "GETS / HTTP/1.1\r\nHost: h\r\n\r\n", 501),
    REFUSED("CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 501),
    REFUSED("an expectation", "GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417),
    REFUSED("another expectation too",
            "GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nExpect: x\r\n\r\n", 417),
    REFUSED("21 fields",
            "GET / HTTP/1.1\r\nHost: h\r\n"
            "a:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n"
            "a:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n",
            431),
};

static void check_refused(const struct refused_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct parsed parsed;
        parse(&parsed, cases[i].bytes);
        if (parsed.status == STATUS_OK || parsed.http_status != cases[i].http_status)
            fail_msg("%s: %s, %u", cases[i].what, status_name(parsed.status), parsed.http_status);
        const enum status expected = cases[i].http_status == 400   ? STATUS_PROTOCOL
                                     : cases[i].http_status == 431 ? STATUS_TOO_LARGE
                                                                   : STATUS_UNSUPPORTED;
        assert_int_equal(parsed.status, expected);
        assert_true(strlen(parsed.reason.text) > 0);
    }
}

static void a_request_that_could_be_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    check_refused(smuggling_cases, sizeof(smuggling_cases) / sizeof(smuggling_cases[0]));
}

static void a_malformed_request_is_refused_with_its_own_status(void **state)
{
    (void)state;
    check_refused(malformed_cases, sizeof(malformed_cases) / sizeof(malformed_cases[0]));
}

static const char sample[] =
    "POST /v1/chat HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nA: b\r\n\r\n";

static void a_head_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(sample) - 1; size++) {
        struct parsed parsed;
        char *copy = alloc_bytes(size + 1);
        memcpy(copy, sample, size);
        parse(&parsed, slice_of(copy, size));
        assert_int_not_equal(parsed.status, STATUS_OK);
        alloc_free(copy);
    }
}

/* No control byte gets through at any place, not even where http_head_find_end() was not asked. */
static void a_control_byte_is_refused_at_any_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(sample) - 1; at++) {
        if (sample[at] == '\r' || sample[at] == '\n')
            continue;
        for (unsigned value = 0; value < 128; value = value == 31 ? 127 : value + 1) {
            char copy[sizeof(sample)];
            struct parsed parsed;
            memcpy(copy, sample, sizeof(sample));
            copy[at] = (char)value;
            parse(&parsed, slice_of(copy, sizeof(sample) - 1));
            const bool is_near_value = at > 24 && (sample[at - 1] == ':' || sample[at - 1] == ' ');
            if (value == '\t' && is_near_value)
                continue; /* white space, which may stand around a value */
            if (parsed.status == STATUS_OK)
                fail_msg("byte %u at %zu was taken", value, at);
        }
    }
}

static void a_head_without_memory_for_its_fields_is_answered_with_503(void **state)
{
    (void)state;
    struct http_request_head head;
    struct arena arena;
    struct reason reason;
    unsigned http_status = 0;
    const struct slice bytes = slice_of(sample, sizeof(sample) - 1);
    arena_init(&arena, NULL, 0, 4096);
    alloc_fail_nth(0);
    assert_int_equal(http_request_head_parse(bytes, &limits, &arena, &head, &http_status, &reason),
                     STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_int_equal(http_status, 503);
    assert_int_equal(http_request_head_parse(bytes, &limits, &arena, &head, &http_status, &reason),
                     STATUS_OK);
    arena_fini(&arena);
}

static void methods_have_the_names_they_are_read_from(void **state)
{
    (void)state;
    assert_true(is(http_method_name(HTTP_METHOD_DELETE), "DELETE"));
    assert_true(is(http_method_name(HTTP_METHOD_OTHER), ""));
    for (unsigned method = HTTP_METHOD_GET; method <= HTTP_METHOD_TRACE; method++) {
        char text[64];
        struct parsed parsed;
        const struct slice name = http_method_name((enum http_method)method);
        snprintf(text, sizeof(text), "%.*s / HTTP/1.1\r\nHost: h\r\n\r\n", SLICE_ARGS(name));
        parse_text(&parsed, text);
        assert_int_equal(parsed.head.method, method);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chat_request_is_read_whole),
        cmocka_unit_test(requests_of_every_allowed_shape_are_accepted),
        cmocka_unit_test(a_request_that_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(a_malformed_request_is_refused_with_its_own_status),
        cmocka_unit_test(a_head_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_control_byte_is_refused_at_any_place),
        cmocka_unit_test(a_head_without_memory_for_its_fields_is_answered_with_503),
        cmocka_unit_test(methods_have_the_names_they_are_read_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
