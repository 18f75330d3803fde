#include "gateway/relay.h"

#include "unit/gateway/calling_fixture.h"

#define HEAD                                                                                       \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define FIRST  "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"
#define SECOND "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}}]}\n\n"
#define FINISH "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE                                                                                      \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,"                \
    "\"total_tokens\":5}}\n\n"
#define DONE "data: [DONE]\n\n"

static void send_chunk(struct calling_fixture *fixture, const char *events)
{
    char text[2048];
    (void)snprintf(text, sizeof(text), "%zx\r\n%s\r\n", strlen(events), events);
    peer_send_text(&fixture->upstream, text);
}

static void open_stream(struct calling_fixture *fixture, const char *settings, const char *body)
{
    calling_fixture_open(fixture, settings, "");
    calling_fixture_call(fixture, "", body);
    peer_send_text(&fixture->upstream, HEAD);
}

static void events_are_passed_on_as_they_come(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    open_stream(&fixture, "", CALLING_FIXTURE_STREAM);
    assert_true(peer_has(&fixture.upstream, "\"include_usage\":true"));
    send_chunk(&fixture, FIRST);
    peer_expect(&fixture.client, FIRST);
    assert_true(peer_has(&fixture.client, "Content-Type: text/event-stream"));
    send_chunk(&fixture, SECOND);
    peer_expect(&fixture.client, SECOND);
    send_chunk(&fixture, FINISH USAGE DONE);
    peer_send_text(&fixture.upstream, "0\r\n\r\n");
    peer_expect(&fixture.client, "0\r\n\r\n");
    assert_int_equal(peer_count(&fixture.client, DONE), 1);
    assert_false(peer_has(&fixture.client, "usage")); /* nobody asked for it */
    assert_false(fixture.client.has_ended);
    calling_fixture_close(&fixture);
}

static void who_asked_for_the_usage_gets_it(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    open_stream(&fixture, "",
                "{\"model\":\"m\",\"messages\":[],\"stream\":true,"
                "\"stream_options\":{\"include_usage\":true}}");
    send_chunk(&fixture, FIRST FINISH USAGE DONE);
    peer_send_text(&fixture.upstream, "0\r\n\r\n");
    peer_expect(&fixture.client, DONE);
    assert_int_equal(peer_count(&fixture.client, USAGE), 1);
    calling_fixture_close(&fixture);
}

/* Whatever the end is: an error event, no [DONE], and no end of the chunks. */
static void assert_broken(struct calling_fixture *fixture)
{
    peer_expect_end(&fixture->client);
    assert_int_equal(peer_count(&fixture->client, FIRST), 1);
    assert_int_equal(peer_count(&fixture->client, "data: {\"error\":{"), 1);
    assert_false(peer_has(&fixture->client, "[DONE]"));
}

static void a_stream_that_breaks_never_looks_whole(void **state)
{
    (void)state;
    static const char *const ends[] = {"", "0\r\n\r\n", "xyz\r\n", "8\r\ndata: {\""};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct calling_fixture fixture;
        open_stream(&fixture, "", CALLING_FIXTURE_STREAM);
        send_chunk(&fixture, FIRST);
        peer_expect(&fixture.client, FIRST);
        peer_send_text(&fixture.upstream, ends[i]);
        loop_fixture_settle(fixture.loop);
        peer_close(&fixture.upstream);
        assert_broken(&fixture);
        calling_fixture_close(&fixture);
    }
}

static void an_error_event_of_the_upstream_ends_the_stream(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    open_stream(&fixture, "", CALLING_FIXTURE_STREAM);
    send_chunk(&fixture, FIRST "data: {\"error\":{\"message\":\"theirs\"}}\n\n" DONE);
    assert_broken(&fixture);
    calling_fixture_close(&fixture);
}

static void a_gap_that_is_too_long_ends_the_stream(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    open_stream(&fixture, ", timeouts: { event_gap: 10s }", CALLING_FIXTURE_STREAM);
    send_chunk(&fixture, FIRST);
    peer_expect(&fixture.client, FIRST);
    time_warp_forward(11000);
    assert_broken(&fixture);
    calling_fixture_close(&fixture);
}

static void a_refused_member_is_left_out_and_that_is_remembered(void **state)
{
    (void)state;
    static const char refusal[] = "{\"error\":\"unknown member stream_options\"}";
    struct calling_fixture fixture;
    char text[512];
    calling_fixture_open(&fixture, "", "");
    calling_fixture_call(&fixture, "", CALLING_FIXTURE_STREAM);
    (void)snprintf(text, sizeof(text), "HTTP/1.1 400 Bad Request\r\nContent-Length: %zu\r\n\r\n%s",
                   sizeof(refusal) - 1, refusal);
    peer_forget(&fixture.upstream);
    peer_send_text(&fixture.upstream, text);
    for (int i = 0; i < 2; i++) { /* the repeated call, and the next request's */
        peer_expect(&fixture.upstream, "\r\n\r\n{");
        assert_false(peer_has(&fixture.upstream, "stream_options"));
        peer_forget(&fixture.upstream);
        peer_send_text(&fixture.upstream, HEAD);
        send_chunk(&fixture, FIRST FINISH DONE);
        peer_send_text(&fixture.upstream, "0\r\n\r\n");
        peer_expect(&fixture.client, DONE "\r\n0\r\n\r\n");
        peer_forget(&fixture.client);
        if (i == 0)
            calling_fixture_ask(&fixture, "/v1/chat/completions", "", CALLING_FIXTURE_STREAM);
    }
    calling_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_passed_on_as_they_come),
        cmocka_unit_test(who_asked_for_the_usage_gets_it),
        cmocka_unit_test(a_stream_that_breaks_never_looks_whole),
        cmocka_unit_test(an_error_event_of_the_upstream_ends_the_stream),
        cmocka_unit_test(a_gap_that_is_too_long_ends_the_stream),
        cmocka_unit_test(a_refused_member_is_left_out_and_that_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
