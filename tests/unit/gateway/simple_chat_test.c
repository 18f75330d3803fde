#include "gateway/simple_chat.h"

#include "unit/gateway/calling_fixture.h"

#define BODY "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"model\":\"m\"}"

static void ask(struct calling_fixture *fixture, const char *route)
{
    calling_fixture_open(fixture, "", "");
    calling_fixture_ask(fixture, route, "", BODY);
    peer_accept(&fixture->upstream, fixture->loop, fixture->listening_fd);
    peer_expect(&fixture->upstream, "\r\n\r\n{");
}

static void answer(struct calling_fixture *fixture, const char *status, const char *body)
{
    char text[1024];
    (void)snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
                   strlen(body), body);
    peer_send_text(&fixture->upstream, text);
}

static void a_chat_is_answered_in_the_simple_form(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    ask(&fixture, "/v1/chat");
    assert_true(peer_has(&fixture.upstream, "POST /v1/chat/completions HTTP/1.1\r\n"));
    answer(&fixture, "200 OK",
           "{\"choices\":[{\"message\":{\"content\":\"Hello \\u00e9\"}}],\"usage\":"
           "{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}");
    peer_expect(&fixture.client, "\"created_at\":\"20");
    assert_true(peer_has(&fixture.client, "HTTP/1.1 200 OK\r\n"));
    assert_true(peer_has(&fixture.client, "{\"id\":\"chat-"));
    assert_true(peer_has(&fixture.client, "\"content\":\"Hello "));
    assert_true(peer_has(&fixture.client, "\"model\":\"m\"")); /* the name asked for */
    assert_true(peer_has(&fixture.client, "\"usage\":{\"input_tokens\":3,\"output_tokens\":4,"
                                          "\"total_tokens\":7}"));
    calling_fixture_close(&fixture);
}

static void whatever_fails_upstream_is_a_500(void **state)
{
    (void)state;
    static const struct {
        const char *route, *status, *body;
    } cases[] = {
        {"/v1/chat", "200 OK", "{\"choices\":[]}"},
        {"/v1/chat", "200 OK", "no JSON"},
        {"/v1/chat", "429 Too Many Requests", "{\"error\":\"secret\"}"},
        {"/v1/chat", "500 Oh", "{\"error\":\"secret\"}"},
        {"/v1/chat/stream", "200 OK", "{\"choices\":[{\"message\":{\"content\":\"secret\"}}]}"},
        {"/v1/chat/stream", "401 Unauthorized", "secret"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calling_fixture fixture;
        ask(&fixture, cases[i].route);
        answer(&fixture, cases[i].status, cases[i].body);
        peer_expect(&fixture.client, "{\"detail\":\"Internal server error\"}");
        assert_true(peer_has(&fixture.client, "HTTP/1.1 500 "));
        assert_false(peer_has(&fixture.client, "secret"));
        calling_fixture_close(&fixture);
    }
}

static void the_stream_route_streams_and_ends_with_done(void **state)
{
    (void)state;
    static const char events[] = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},"
                                 "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    struct calling_fixture fixture;
    ask(&fixture, "/v1/chat/stream");
    assert_true(peer_has(&fixture.upstream, "\"stream\":true"));
    peer_send_text(&fixture.upstream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    peer_send_text(&fixture.upstream, events);
    peer_close(&fixture.upstream);
    peer_expect(&fixture.client, "data: [DONE]\n\n");
    peer_expect(&fixture.client, "0\r\n\r\n");
    assert_int_equal(peer_count(&fixture.client, "[DONE]"), 1);
    calling_fixture_close(&fixture);
}

static void a_body_that_is_wrong_is_a_422_and_calls_nobody(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    calling_fixture_ask(&fixture, "/v1/chat", "", "{\"messages\":1}");
    peer_expect(&fixture.client, "{\"detail\":[{\"loc\":[");
    assert_true(peer_has(&fixture.client, "HTTP/1.1 422 "));
    calling_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chat_is_answered_in_the_simple_form),
        cmocka_unit_test(whatever_fails_upstream_is_a_500),
        cmocka_unit_test(the_stream_route_streams_and_ends_with_done),
        cmocka_unit_test(a_body_that_is_wrong_is_a_422_and_calls_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
