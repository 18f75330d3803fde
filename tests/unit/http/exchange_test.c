#include "http/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "http/answer.h"
#include "support/http_fixture.h"
#include "support/time_warp.h"

/* --- Heads in pieces --- */

static const char requests[] = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                               "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                               "\r\nPOST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                               "\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
                               "HEAD /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

static const char *const answers[] = {"\r\n\r\nGET /1\n", "\r\n\r\nPOST /2\nhello",
                                      "\r\n\r\nPOST /3\nabcde", "content-length: 8\r\n"};

static void assert_all_answered(struct http_fixture *fixture)
{
    peer_expect_end(&fixture->client);
    assert_int_equal(fixture->handled, 4);
    assert_int_equal(fixture->refused, 0);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        assert_int_equal(peer_count(&fixture->client, answers[i]), 1);
    assert_int_equal(peer_count(&fixture->client, "HTTP/1.1 200 OK\r\n"), 4);
    assert_false(peer_has(&fixture->client, "HEAD /4"));
}

static void requests_split_anywhere_are_the_same(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(requests) - 1; at++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        peer_send(&fixture.client, slice_of(requests, at));
        loop_turn(fixture.loop, 0);
        loop_turn(fixture.loop, 0);
        peer_send(&fixture.client, slice_of(requests + at, sizeof(requests) - 1 - at));
        assert_all_answered(&fixture);
        http_fixture_close(&fixture);
    }
}

static void requests_byte_by_byte_are_the_same(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_bytewise(&fixture.client, slice_of(requests, sizeof(requests) - 1));
    assert_all_answered(&fixture);
    http_fixture_close(&fixture);
}

/* A head whose size crosses the end of the block, with its fields echoed. */
static void echo_header(struct http_exchange *exchange, struct http_fixture *fixture)
{
    (void)fixture;
    http_answer_begin(exchange, 200);
    const enum status status =
        http_answer_send(exchange, http_exchange_header(exchange, HTTP_HEADER_USER_AGENT));
    (void)status;
}

static void heads_of_every_size_up_to_the_limit_are_read(void **state)
{
    (void)state;
    static char value[8192];
    struct http_fixture fixture;
    memset(value, 'v', sizeof(value));
    http_fixture_open(&fixture, echo_header);
    const size_t rest = sizeof("GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: \r\n\r\n") - 1;
    for (size_t size = 1; size + rest <= 8192; size += size < 2000 || size > 3500 ? 371 : 13) {
        peer_send_text(&fixture.client, "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: ");
        loop_turn(fixture.loop, 0);
        peer_send(&fixture.client, slice_of(value, size));
        peer_send_text(&fixture.client, "\r\n\r\n");
        peer_expect(&fixture.client, "\r\n\r\n");
        const struct slice received = buffer_slice(&fixture.client.received);
        const size_t head = slice_find(received, SLICE("\r\n\r\n")) + 4;
        peer_expect_size(&fixture.client, head + size);
        assert_int_equal(fixture.client.received.size, head + size);
        peer_forget(&fixture.client);
    }
    assert_int_equal(fixture.refused, 0);
    http_fixture_close(&fixture);
}

/* --- What is refused --- */

static void assert_refused(const char *request, unsigned http_status)
{
    struct http_fixture fixture;
    char line[32];
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, request);
    (void)snprintf(line, sizeof(line), "HTTP/1.1 %u ", http_status);
    peer_expect(&fixture.client, line);
    peer_expect_end(&fixture.client);
    assert_false(fixture.client.was_reset);
    assert_true(peer_has(&fixture.client, "connection: close\r\n"));
    assert_int_equal(fixture.refused, 1);
    assert_int_equal(fixture.handled, 0);
    assert_int_equal(fixture.last_status, http_status);
    assert_true(fixture.last_reason.text[0] != '\0');
    http_fixture_close(&fixture);
}

static void what_cannot_be_served_is_refused_and_closed(void **state)
{
    (void)state;
    assert_refused("GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n", 400);
    assert_refused("GET / HTTP/1.1\nHost: x\n\n", 400);
    assert_refused("\x16\x03\x01", 400);
    assert_refused("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400);
    assert_refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n",
                   400);
    assert_refused("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505);
    assert_refused("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501);
    assert_refused("GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n", 417);
}

/* Else what a client sends behind it would be taken for a request. */
static void nothing_is_served_after_a_refusal(void **state)
{
    (void)state;
    assert_refused("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"
                   "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
                   400);
}

static void a_head_over_the_limit_is_refused_however_it_comes(void **state)
{
    (void)state;
    static char value[20000];
    memset(value, 'v', sizeof(value) - 1);
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        peer_send_text(&fixture.client, "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: ");
        peer_send_text(&fixture.client, value);
        if (is_whole)
            peer_send_text(&fixture.client, "\r\n\r\n");
        peer_expect_end(&fixture.client);
        assert_true(peer_has(&fixture.client, "HTTP/1.1 431 "));
        assert_int_equal(fixture.last_status, 431);
        http_fixture_close(&fixture);
    }
}

static void the_limit_of_a_head_is_met_to_the_byte(void **state)
{
    (void)state;
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (size_t limit = sizeof(request) - 2; limit <= sizeof(request) - 1; limit++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        fixture.server.limits.header_bytes = limit;
        peer_send_text(&fixture.client, request);
        peer_expect(&fixture.client, limit < sizeof(request) - 1 ? " 431 " : " 200 ");
        http_fixture_close(&fixture);
    }
}

static void more_fields_than_may_be_are_refused(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    fixture.server.limits.headers = 3;
    http_fixture_ask(&fixture, "GET /3 HTTP/1.1\r\nHost: x\r\nA: b\r\nC: d\r\n\r\n", "GET /3\n");
    http_fixture_ask(&fixture, "GET /4 HTTP/1.1\r\nHost: x\r\nA: b\r\nC: d\r\nE: f\r\n\r\n",
                     "HTTP/1.1 431 ");
    peer_expect_end(&fixture.client);
    http_fixture_close(&fixture);
}

static void a_head_that_takes_too_long_is_refused(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    fixture.server.limits.header_ms = 5000;
    peer_send_text(&fixture.client, "GET / HTTP/1.1\r\n");
    loop_fixture_settle(fixture.loop);
    for (int i = 0; i < 4; i++) { /* progress buys no time */
        time_warp_forward(1000);
        peer_send_text(&fixture.client, "A: b\r\n");
        loop_fixture_settle(fixture.loop);
    }
    assert_int_equal(fixture.refused, 0);
    time_warp_forward(1100);
    peer_expect(&fixture.client, "HTTP/1.1 408 ");
    peer_expect_end(&fixture.client);
    http_fixture_close(&fixture);
}

static void a_client_that_goes_away_within_its_head_is_told_nothing(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, "GET / HTTP/1.1\r\nHost");
    loop_fixture_settle(fixture.loop);
    shutdown(fixture.client.fd, SHUT_WR);
    peer_expect_end(&fixture.client);
    assert_int_equal(fixture.client.received.size, 0);
    assert_int_equal(fixture.refused, 0);
    http_fixture_close(&fixture);
}

static void a_large_head_without_memory_is_refused(void **state)
{
    (void)state;
    static char value[6000];
    struct http_fixture fixture;
    memset(value, 'v', sizeof(value) - 1);
    http_fixture_open(&fixture, NULL);
    body_memory_set_max(1000);
    peer_send_text(&fixture.client, "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: ");
    peer_send_text(&fixture.client, value);
    peer_send_text(&fixture.client, "\r\n\r\n");
    peer_expect(&fixture.client, "HTTP/1.1 503 ");
    peer_expect_end(&fixture.client);
    http_fixture_close(&fixture);
}

/* --- Bodies that the handler did not read --- */

static void a_small_body_that_nobody_read_is_passed_over(void **state)
{
    (void)state;
    static const char *const posts[] = {
        "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    };
    static const char next[] = "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n";
    for (size_t i = 0; i < 2; i++) {
        const size_t size = strlen(posts[i]);
        for (size_t at = size - 20; at <= size; at++) { /* the split lies in the body */
            struct http_fixture fixture;
            http_fixture_open(&fixture, http_fixture_ok);
            peer_send(&fixture.client, slice_of(posts[i], at));
            loop_fixture_settle(fixture.loop);
            peer_send(&fixture.client, slice_of(posts[i] + at, size - at));
            peer_send_text(&fixture.client, next);
            loop_fixture_settle(fixture.loop);
            peer_read(&fixture.client);
            assert_int_equal(peer_count(&fixture.client, "\r\n\r\nok"), 2);
            assert_int_equal(fixture.handled, 2);
            assert_int_equal(fixture.refused, 0);
            http_fixture_close(&fixture);
        }
    }
}

static void a_large_body_that_nobody_read_ends_the_connection(void **state)
{
    (void)state;
    static const char zeros[50000];
    struct http_fixture fixture;
    http_fixture_open(&fixture, http_fixture_ok);
    peer_send_text(&fixture.client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n");
    peer_send(&fixture.client, slice_of(zeros, 50000));
    peer_expect(&fixture.client, "\r\n\r\nok");
    peer_send(&fixture.client, slice_of(zeros, 40000)); /* it is taken, so there is no reset */
    peer_send_text(&fixture.client, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_expect_end(&fixture.client);
    assert_false(fixture.client.was_reset);
    assert_int_equal(fixture.handled, 1);
    http_fixture_close(&fixture);
}

static void a_body_that_is_framed_wrongly_and_not_read_ends_the_connection(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, http_fixture_ok);
    peer_send_text(&fixture.client,
                   "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "xyz\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_expect(&fixture.client, "\r\n\r\nok");
    time_warp_forward(6000);
    loop_fixture_settle(fixture.loop);
    time_warp_forward(6000);
    peer_expect_end(&fixture.client);
    assert_int_equal(fixture.handled, 1);
    http_fixture_close(&fixture);
}

/* It may never send it. */
static void a_client_that_waits_for_100_and_is_refused_is_closed(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, http_fixture_ok);
    http_fixture_ask(&fixture,
                     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                     "Expect: 100-continue\r\n\r\n",
                     "\r\n\r\nok");
    assert_false(peer_has(&fixture.client, " 100 "));
    peer_expect_end(&fixture.client);
    http_fixture_close(&fixture);
}

/* --- Lingering --- */

static void who_does_not_close_is_closed_after_a_moment(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    http_fixture_ask(&fixture, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                     "GET /a\n");
    peer_expect_end(&fixture.client);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.server.connection_count, 1);
    time_warp_forward(5100);
    loop_fixture_until_quiet(fixture.loop);
    assert_int_equal(fixture.server.connection_count, 0);
    http_fixture_close(&fixture);
}

static void who_closes_is_let_go_at_once(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    http_fixture_ask(&fixture, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                     "GET /a\n");
    peer_close(&fixture.client);
    loop_fixture_until_quiet(fixture.loop);
    assert_int_equal(fixture.server.connection_count, 0);
    http_fixture_close(&fixture);
}

static void say_nothing(struct http_exchange *exchange, struct http_fixture *fixture)
{
    (void)exchange;
    (void)fixture;
}

static void a_handler_that_does_not_answer_ends_the_connection(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, say_nothing);
    peer_send_text(&fixture.client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_expect_end(&fixture.client);
    assert_int_equal(fixture.client.received.size, 0);
    http_fixture_close(&fixture);
}

/* --- Memory --- */

/* The first arena of an exchange lies behind its head, whatever that one's size is. */
static void use_the_arena(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct slice agent = http_exchange_header(exchange, HTTP_HEADER_USER_AGENT);
    for (unsigned i = 0; i < 100; i++) {
        char *bytes = arena_alloc(&exchange->arena, 1 + i * 7);
        assert_non_null(bytes);
        memset(bytes, 'a', 1 + i * 7);
    }
    for (size_t i = 0; i < agent.size; i++)
        assert_int_equal(agent.data[i], 'v');
    assert_null(arena_alloc(&exchange->arena, HTTP_ARENA_BYTES_MAX));
    http_fixture_echo(exchange, fixture);
}

static void the_arena_does_not_touch_head_and_body(void **state)
{
    (void)state;
    static char value[6000];
    struct http_fixture fixture;
    memset(value, 'v', sizeof(value));
    http_fixture_open(&fixture, use_the_arena);
    for (size_t size = 1; size < sizeof(value); size += 97) {
        peer_send_text(&fixture.client, "POST / HTTP/1.1\r\nHost: x\r\nUser-Agent: ");
        peer_send(&fixture.client, slice_of(value, size));
        peer_send_text(&fixture.client, "\r\nContent-Length: 5\r\n\r\nhello");
        peer_expect(&fixture.client, "POST /\nhello");
        peer_forget(&fixture.client);
    }
    http_fixture_close(&fixture);
}

/* --- What is kept of a connection --- */

static void count_requests(struct http_exchange *exchange, struct http_fixture *fixture)
{
    (void)fixture;
    char *count = http_exchange_keep(exchange, 1);
    assert_non_null(count);
    ++*count;
    http_answer_begin(exchange, 200);
    http_answer_header_number(exchange, SLICE("x-count"), (uint64_t)*count);
    assert_int_equal(http_answer_send(exchange, (struct slice){0}), STATUS_OK);
}

static void what_is_kept_is_the_connections_own(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, count_requests);
        peer_send_text(&fixture.client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        peer_expect(&fixture.client, "x-count: 1\r\n");
        peer_send_text(&fixture.client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        peer_expect(&fixture.client, "x-count: 2\r\n");
        http_fixture_close(&fixture);
    }
}

static void keep_without_memory(struct http_exchange *exchange, struct http_fixture *fixture)
{
    (void)fixture;
    alloc_fail_nth(0);
    assert_null(http_exchange_keep(exchange, 16));
    alloc_fail_nth(-1);
    assert_non_null(http_exchange_keep(exchange, 16));
    http_answer_begin(exchange, 200);
    assert_int_equal(http_answer_send(exchange, (struct slice){0}), STATUS_OK);
}

static void without_memory_nothing_is_kept(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, keep_without_memory);
    peer_send_text(&fixture.client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_expect(&fixture.client, "\r\n\r\n");
    http_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_split_anywhere_are_the_same),
        cmocka_unit_test(requests_byte_by_byte_are_the_same),
        cmocka_unit_test(heads_of_every_size_up_to_the_limit_are_read),
        cmocka_unit_test(what_cannot_be_served_is_refused_and_closed),
        cmocka_unit_test(nothing_is_served_after_a_refusal),
        cmocka_unit_test(a_head_over_the_limit_is_refused_however_it_comes),
        cmocka_unit_test(the_limit_of_a_head_is_met_to_the_byte),
        cmocka_unit_test(more_fields_than_may_be_are_refused),
        cmocka_unit_test(a_head_that_takes_too_long_is_refused),
        cmocka_unit_test(a_client_that_goes_away_within_its_head_is_told_nothing),
        cmocka_unit_test(a_large_head_without_memory_is_refused),
        cmocka_unit_test(a_small_body_that_nobody_read_is_passed_over),
        cmocka_unit_test(a_large_body_that_nobody_read_ends_the_connection),
        cmocka_unit_test(a_body_that_is_framed_wrongly_and_not_read_ends_the_connection),
        cmocka_unit_test(a_client_that_waits_for_100_and_is_refused_is_closed),
        cmocka_unit_test(who_does_not_close_is_closed_after_a_moment),
        cmocka_unit_test(who_closes_is_let_go_at_once),
        cmocka_unit_test(a_handler_that_does_not_answer_ends_the_connection),
        cmocka_unit_test(the_arena_does_not_touch_head_and_body),
        cmocka_unit_test(what_is_kept_is_the_connections_own),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
