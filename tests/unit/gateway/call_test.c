#include "gateway/call.h"

#include "unit/gateway/calling_fixture.h"

/* --- The request's head --- */

static void what_is_sent_upstream_is_its_own(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    calling_fixture_call(&fixture,
                         "User-Agent: sdk\r\nAccept: text/x\r\ntraceparent: 00-1\r\n"
                         "Cookie: c=1\r\nX-Other: o\r\nOpenAI-Organization: org\r\n"
                         "anthropic-version: 1\r\n",
                         CALLING_FIXTURE_CHAT);
    const struct peer *upstream = &fixture.upstream;
    assert_true(peer_has(upstream, "POST /v1/chat/completions HTTP/1.1\r\n"));
    assert_true(peer_has(upstream, "authorization: Bearer secret\r\n"));
    assert_true(peer_has(upstream, "User-Agent: sdk\r\n"));
    assert_true(peer_has(upstream, "Accept: text/x\r\n"));
    assert_true(peer_has(upstream, "traceparent: 00-1\r\n"));
    assert_true(peer_has(upstream, "anthropic-version: 1\r\n"));
    assert_true(peer_has(upstream, "content-type: application/json\r\n"));
    assert_true(peer_has(upstream, "\"model\":\"n\""));
    assert_false(peer_has(upstream, "Cookie"));
    assert_false(peer_has(upstream, "X-Other"));
    assert_false(peer_has(upstream, "Organization"));
    assert_false(peer_has(upstream, fixture.key));
    calling_fixture_close(&fixture);
}

static void what_the_configuration_sets_replaces_the_clients(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture,
                         ", headers: { User-Agent: mine, x-session: fixed },"
                         " forward_headers: [x-session, x-other]",
                         "");
    calling_fixture_call(&fixture,
                         "USER-AGENT: sdk\r\nX-Session: s\r\nX-Session: t\r\nX-Other: o\r\n",
                         CALLING_FIXTURE_CHAT);
    assert_int_equal(peer_count(&fixture.upstream, "user-agent: mine\r\n"), 1);
    assert_int_equal(peer_count(&fixture.upstream, "x-session: fixed\r\n"), 1);
    assert_int_equal(peer_count(&fixture.upstream, "X-Other: o\r\n"), 1);
    assert_false(peer_has(&fixture.upstream, "sdk"));
    assert_false(peer_has(&fixture.upstream, "X-Session"));
    calling_fixture_close(&fixture);
}

/* --- Failures --- */

static void expect_error(struct calling_fixture *fixture, const char *status, const char *code)
{
    peer_expect(&fixture->client, code);
    assert_true(peer_has(&fixture->client, status));
    assert_false(peer_has(&fixture->client, "127.0.0.1")); /* our own names stay here */
}

static void who_cannot_be_reached_is_a_502(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    close(fixture.listening_fd);
    fixture.listening_fd = -1;
    calling_fixture_ask(&fixture, "/v1/chat/completions", "", CALLING_FIXTURE_CHAT);
    expect_error(&fixture, "HTTP/1.1 502 ", "\"code\":\"upstream_unreachable\"");
    calling_fixture_close(&fixture);
}

static void who_says_nothing_is_a_504(void **state)
{
    (void)state;
    static const char *const bodies[] = {CALLING_FIXTURE_CHAT, CALLING_FIXTURE_STREAM};
    for (size_t i = 0; i < 2; i++) {
        struct calling_fixture fixture;
        calling_fixture_open(&fixture, ", timeouts: { total: 20s, first_byte: 20s }", "");
        calling_fixture_call(&fixture, "", bodies[i]);
        time_warp_forward(21000);
        expect_error(&fixture, "HTTP/1.1 504 ", "\"code\":\"upstream_timeout\"");
        calling_fixture_close(&fixture);
    }
}

static void who_ends_too_early_or_speaks_otherwise_is_a_502(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
    } cases[] = {
        {"", "\"code\":\"upstream_broken\""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "\"code\":\"upstream_broken\""},
        {"SSH-2.0\r\n\r\n", "\"code\":\"upstream_invalid_response\""},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: x\r\nContent-Length: 2\r\n\r\n{}",
         "\"code\":\"upstream_invalid_response\""},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
         "\"code\":\"upstream_invalid_response\""},
        {"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
         "\"code\":\"upstream_invalid_response\""},
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nsecret",
         "\"code\":\"upstream_refused\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calling_fixture fixture;
        calling_fixture_open(&fixture, "", "");
        calling_fixture_call(&fixture, "", CALLING_FIXTURE_CHAT);
        peer_send_text(&fixture.upstream, cases[i].text);
        peer_close(&fixture.upstream);
        expect_error(&fixture, "HTTP/1.1 502 ", cases[i].code);
        assert_false(peer_has(&fixture.client, "secret"));
        calling_fixture_close(&fixture);
    }
}

static void beyond_the_connections_that_may_be_it_is_a_503(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    struct peer first;
    calling_fixture_open(&fixture, ", connections: { max: 1 }", "");
    calling_fixture_call(&fixture, "", CALLING_FIXTURE_CHAT);
    first = fixture.client;
    fixture.client = (struct peer){.fd = -1};
    calling_fixture_ask(&fixture, "/v1/chat/completions", "", CALLING_FIXTURE_CHAT);
    expect_error(&fixture, "HTTP/1.1 503 ", "\"code\":\"overloaded\"");
    peer_close(&first);
    calling_fixture_close(&fixture);
}

static void a_client_that_goes_away_ends_the_call(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    calling_fixture_call(&fixture, "", CALLING_FIXTURE_STREAM);
    peer_close(&fixture.client);
    peer_expect_end(&fixture.upstream);
    calling_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_upstream_is_its_own),
        cmocka_unit_test(what_the_configuration_sets_replaces_the_clients),
        cmocka_unit_test(who_cannot_be_reached_is_a_502),
        cmocka_unit_test(who_says_nothing_is_a_504),
        cmocka_unit_test(who_ends_too_early_or_speaks_otherwise_is_a_502),
        cmocka_unit_test(beyond_the_connections_that_may_be_it_is_a_503),
        cmocka_unit_test(a_client_that_goes_away_ends_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
