#include "gateway/relay.h"

#include "unit/gateway/calling_fixture.h"

#define ANSWER                                                                                     \
    "{\"id\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,"         \
    "\"total_tokens\":7}}"

static void send_answer(struct calling_fixture *fixture, const char *status, const char *headers,
                        const char *body)
{
    char text[4096];
    (void)snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                   headers, strlen(body), body);
    peer_send_text(&fixture->upstream, text);
}

static void an_answer_is_the_upstreams_byte_for_byte(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    calling_fixture_call(&fixture, "", CALLING_FIXTURE_CHAT);
    send_answer(&fixture, "200 OK",
                "Content-Type: application/json\r\nopenai-version: 1\r\nX-Request-Id: theirs\r\n"
                "Set-Cookie: c=1\r\nx-ratelimit-limit-requests: 5\r\n",
                ANSWER);
    peer_expect(&fixture.client, "\r\n\r\n" ANSWER);
    assert_true(peer_has(&fixture.client, "HTTP/1.1 200 OK\r\n"));
    assert_true(peer_has(&fixture.client, "x-weir-target: p/n\r\n"));
    assert_true(peer_has(&fixture.client, "x-weir-attempts: 1\r\n"));
    assert_true(peer_has(&fixture.client, "openai-version: 1\r\n"));
    assert_false(peer_has(&fixture.client, "theirs"));
    assert_false(peer_has(&fixture.client, "Cookie"));
    assert_false(peer_has(&fixture.client, "ratelimit-limit-requests: 5"));
    calling_fixture_close(&fixture);
}

static void an_answer_that_breaks_before_its_end_is_an_error(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    calling_fixture_call(&fixture, "", CALLING_FIXTURE_CHAT);
    peer_send_text(&fixture.upstream, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"id\":1,");
    loop_fixture_settle(fixture.loop);
    peer_read(&fixture.client);
    assert_int_equal(fixture.client.received.size, 0); /* it is held until it is whole */
    peer_close(&fixture.upstream);
    peer_expect(&fixture.client, "\"code\":\"upstream_broken\"");
    assert_false(peer_has(&fixture.client, "{\"id\":1"));
    calling_fixture_close(&fixture);
}

static void an_error_of_the_provider_is_its_own(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    calling_fixture_call(&fixture, "", CALLING_FIXTURE_CHAT);
    send_answer(&fixture, "429 Too Many Requests", "Retry-After: 7\r\n", "{\"error\":\"busy\"}");
    peer_expect(&fixture.client, "\r\n\r\n{\"error\":\"busy\"}");
    assert_true(peer_has(&fixture.client, "HTTP/1.1 429 "));
    assert_true(peer_has(&fixture.client, "Retry-After: 7\r\n"));
    calling_fixture_close(&fixture);
}

static char long_answer[3 << 20];

/* Beyond what is held whole, the answer is passed on as it comes. */
static void begin_long(struct calling_fixture *fixture)
{
    memset(long_answer, 'y', sizeof(long_answer));
    calling_fixture_open(fixture, "", "transport: { answer_bytes: 1MiB }\n");
    calling_fixture_call(fixture, "", CALLING_FIXTURE_CHAT);
    peer_send_text(&fixture->upstream, "HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n");
    peer_send(&fixture->upstream, slice_of(long_answer, 2 << 20));
    peer_expect(&fixture->client, "\r\n\r\nyyyy");
    assert_true(peer_has(&fixture->client, "content-length: 3145728\r\n"));
}

static void a_long_answer_is_relayed_as_it_comes(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    begin_long(&fixture);
    peer_send(&fixture.upstream, slice_of(long_answer, 1 << 20));
    const struct slice received = buffer_slice(&fixture.client.received);
    const size_t head = slice_find(received, SLICE("\r\n\r\n")) + 4;
    peer_expect_size(&fixture.client, head + sizeof(long_answer));
    assert_int_equal(fixture.client.received.size, head + sizeof(long_answer));
    assert_false(fixture.client.has_ended);
    calling_fixture_close(&fixture);
}

static void a_long_answer_that_breaks_is_no_whole_one(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    begin_long(&fixture);
    peer_close(&fixture.upstream);
    peer_expect_end(&fixture.client);
    assert_true(fixture.client.received.size < sizeof(long_answer));
    calling_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_the_upstreams_byte_for_byte),
        cmocka_unit_test(an_answer_that_breaks_before_its_end_is_an_error),
        cmocka_unit_test(an_error_of_the_provider_is_its_own),
        cmocka_unit_test(a_long_answer_is_relayed_as_it_comes),
        cmocka_unit_test(a_long_answer_that_breaks_is_no_whole_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
