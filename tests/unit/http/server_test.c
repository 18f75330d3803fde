#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "http/answer.h"
#include "http/shared.h"
#include "support/certificate.h"
#include "support/http_fixture.h"
#include "support/time_warp.h"

#define GET "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

/* A handler that waits until the test lets it go on, or until it is cancelled. */
struct waiter {
    struct task *task;
    enum status status;
    unsigned count;
};

static void wait_and_answer(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct waiter *waiter = fixture->context;
    waiter->task = task_current(fixture->loop);
    waiter->status = task_wait(fixture->loop, TIMER_NEVER);
    waiter->count++;
    http_fixture_ok(exchange, fixture);
}

/* --- Idle and busy --- */

static void an_idle_connection_holds_no_task_and_no_buffer(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(loop_task_count(fixture.loop), 0);
    assert_int_equal(fixture.connections, 1);
    http_fixture_ask(&fixture, GET, "GET /a\n");
    http_fixture_settle(&fixture);
    assert_int_equal(loop_task_count(fixture.loop), 0);
    assert_int_equal(fixture.server.connection_count, 1);
    assert_int_equal(fixture.server.free_block_count, 1);
    http_fixture_close(&fixture);
}

static void one_request_after_another_comes_over_one_connection(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    for (unsigned i = 1; i <= 5; i++) {
        http_fixture_ask(&fixture, GET, "GET /a\n");
        peer_forget(&fixture.client);
        assert_int_equal(fixture.handled, i);
    }
    assert_false(fixture.client.has_ended);
    http_fixture_close(&fixture);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client,
                   "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                   "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                   "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "2\r\nde\r\n0\r\n\r\n"
                   "GET /4 HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_expect(&fixture.client, "GET /4\n");
    const struct slice received = buffer_slice(&fixture.client.received);
    const size_t first = slice_find(received, SLICE("GET /1\n"));
    const size_t second = slice_find(received, SLICE("POST /2\nabc"));
    const size_t third = slice_find(received, SLICE("POST /3\nde"));
    assert_true(first < second && second < third && third < received.size);
    http_fixture_settle(&fixture);
    assert_int_equal(fixture.server.connection_count, 1);
    http_fixture_close(&fixture);
}

static void what_the_client_asks_of_the_connection_is_done(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        bool is_kept;
        const char *said; /* NULL: nothing */
    } cases[] = {
        {GET, true, NULL},
        {"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false, "connection: close\r\n"},
        {"GET /a HTTP/1.1\r\nHost: x\r\nConnection: x, CLOSE\r\n\r\n", false,
         "connection: close\r\n"},
        {"GET /a HTTP/1.0\r\n\r\n", false, "connection: close\r\n"},
        {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, "connection: keep-alive\r\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        http_fixture_ask(&fixture, cases[i].request, "GET /a\n");
        assert_int_equal(peer_count(&fixture.client, "connection:"), cases[i].said != NULL);
        if (cases[i].said != NULL)
            assert_true(peer_has(&fixture.client, cases[i].said));
        if (!cases[i].is_kept)
            peer_expect_end(&fixture.client);
        peer_read(&fixture.client);
        assert_int_equal(fixture.client.has_ended, !cases[i].is_kept);
        http_fixture_close(&fixture);
    }
}

static void what_follows_a_request_that_closes_is_not_served(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, "GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET);
    peer_expect_end(&fixture.client);
    assert_false(fixture.client.was_reset);
    assert_int_equal(fixture.handled, 1);
    assert_false(peer_has(&fixture.client, "GET /a\n"));
    http_fixture_close(&fixture);
}

/* --- Time --- */

static void pass(struct http_fixture *fixture, uint64_t ms)
{
    time_warp_forward(ms);
    loop_fixture_settle(fixture->loop);
}

static void an_idle_connection_is_closed_when_its_time_is_over(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    fixture.server.limits.idle_ms = 5000;
    http_fixture_ask(&fixture, GET, "GET /a\n");
    http_fixture_settle(&fixture);
    pass(&fixture, 4900);
    peer_read(&fixture.client);
    assert_false(fixture.client.has_ended);
    pass(&fixture, 200);
    peer_expect_end(&fixture.client);
    assert_int_equal(fixture.server.connection_count, 0);
    http_fixture_close(&fixture);
}

static void each_request_begins_the_idle_time_anew(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    fixture.server.limits.idle_ms = 5000;
    for (int i = 0; i < 4; i++) {
        http_fixture_ask(&fixture, GET, "GET /a\n");
        peer_forget(&fixture.client);
        http_fixture_settle(&fixture);
        pass(&fixture, 4000);
    }
    peer_read(&fixture.client);
    assert_false(fixture.client.has_ended);
    http_fixture_close(&fixture);
}

static void a_client_that_never_says_anything_is_closed_as_idle(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    pass(&fixture, fixture.server.limits.idle_ms + 100);
    peer_expect_end(&fixture.client);
    assert_int_equal(fixture.client.received.size, 0);
    http_fixture_close(&fixture);
}

static void a_busy_connection_is_not_idle_however_long_it_takes(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct waiter waiter = {0};
    http_fixture_open(&fixture, wait_and_answer);
    fixture.context = &waiter;
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    pass(&fixture, 10 * fixture.server.limits.idle_ms);
    assert_int_equal(waiter.count, 0);
    task_wake(waiter.task, STATUS_OK);
    peer_expect(&fixture.client, "ok");
    http_fixture_close(&fixture);
}

/* --- Ends --- */

static void a_client_that_goes_away_cancels_its_request(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct waiter waiter = {0};
    http_fixture_open(&fixture, wait_and_answer);
    fixture.context = &waiter;
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(waiter.count, 0);
    peer_close(&fixture.client);
    loop_fixture_until_quiet(fixture.loop);
    assert_int_equal(waiter.status, STATUS_CANCELLED);
    assert_int_equal(fixture.server.connection_count, 0);
    http_fixture_close(&fixture);
}

static void the_stop_ends_each_connection_with_its_answer(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct waiter waiter = {0};
    struct peer idle;
    http_fixture_open(&fixture, wait_and_answer);
    fixture.context = &waiter;
    http_fixture_connect(&fixture, &idle, NULL);
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    http_server_close_after_answers(&fixture.server);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.server.connection_count, 2);
    task_wake(waiter.task, STATUS_OK);
    peer_expect(&fixture.client, "connection: close\r\n");
    peer_expect_end(&fixture.client);

    fixture.handle = http_fixture_ok; /* who had not asked yet is still served, once */
    peer_send_text(&idle, GET GET);
    peer_expect_end(&idle);
    assert_int_equal(peer_count(&idle, "connection: close\r\n"), 1);
    assert_int_equal(fixture.handled, 2);
    peer_close(&idle);
    http_fixture_close(&fixture);
}

static void closing_the_idle_leaves_the_busy(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct waiter waiter = {0};
    struct peer idle[3];
    http_fixture_open(&fixture, wait_and_answer);
    fixture.context = &waiter;
    for (unsigned i = 0; i < 3; i++)
        http_fixture_connect(&fixture, &idle[i], NULL);
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    http_server_close_idle(&fixture.server);
    assert_int_equal(fixture.server.connection_count, 1);
    for (unsigned i = 0; i < 3; i++) {
        peer_expect_end(&idle[i]);
        peer_close(&idle[i]);
    }
    task_wake(waiter.task, STATUS_OK);
    peer_expect(&fixture.client, "ok");
    http_fixture_close(&fixture);
}

static void closing_all_cancels_what_is_in_flight(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct waiter waiter = {0};
    struct peer idle;
    http_fixture_open(&fixture, wait_and_answer);
    fixture.context = &waiter;
    http_fixture_connect(&fixture, &idle, NULL);
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    http_server_close_all(&fixture.server);
    loop_fixture_until_quiet(fixture.loop);
    assert_int_equal(waiter.status, STATUS_CANCELLED);
    assert_int_equal(fixture.server.connection_count, 0);
    peer_expect_end(&fixture.client);
    peer_expect_end(&idle);
    peer_close(&idle);
    http_fixture_close(&fixture);
}

static void closing_all_ends_a_head_that_is_half_there(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, "GET /a HTTP/1.1\r\n");
    loop_fixture_settle(fixture.loop);
    assert_int_equal(loop_task_count(fixture.loop), 1);
    http_server_close_all(&fixture.server);
    loop_fixture_until_quiet(fixture.loop);
    assert_int_equal(fixture.server.connection_count, 0);
    http_fixture_close(&fixture);
}

/* --- Bounds --- */

static void who_comes_beyond_the_bound_is_told_so(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer second;
    http_fixture_open(&fixture, NULL);
    http_shared_set_max(fixture.shared, 1, 0);
    http_fixture_connect(&fixture, &second, NULL);
    peer_expect_end(&second);
    assert_true(peer_has(&second, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_true(peer_has(&second, "\"code\":\"overloaded\"}}"));
    assert_true(peer_has(&second, "Retry-After: 1\r\n"));
    assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_CONNECTIONS], 1);
    peer_close(&second);
    http_fixture_ask(&fixture, GET, "GET /a\n");
    http_fixture_close(&fixture);
}

static void what_is_told_has_the_length_that_it_says(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer second;
    http_fixture_open(&fixture, NULL);
    http_shared_set_max(fixture.shared, 1, 0);
    http_fixture_connect(&fixture, &second, NULL);
    peer_expect_end(&second);
    const struct slice answer = buffer_slice(&second.received);
    const size_t head = slice_find(answer, SLICE("\r\n\r\n")) + 4;
    const struct slice field = SLICE("Content-Length: ");
    const struct slice number = slice_from(answer, slice_find(answer, field) + field.size);
    uint64_t size;
    assert_int_equal(slice_to_u64(slice_of(number.data, slice_find_byte(number, '\r')), &size),
                     STATUS_OK);
    assert_int_equal(size, answer.size - head);
    peer_close(&second);
    http_fixture_close(&fixture);
}

static void one_address_has_its_own_bound(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer second;
    http_fixture_open(&fixture, NULL);
    http_shared_set_max(fixture.shared, 100, 1);
    http_fixture_connect(&fixture, &second, NULL);
    peer_expect_end(&second);
    assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_ADDRESS], 1);
    peer_close(&second);
    peer_close(&fixture.client);
    loop_fixture_settle(fixture.loop);
    http_fixture_connect(&fixture, &fixture.client, NULL);
    http_fixture_ask(&fixture, GET, "GET /a\n");
    http_fixture_close(&fixture);
}

static void a_connection_without_memory_is_turned_away(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer other;
    http_fixture_open(&fixture, NULL);
    alloc_fail_nth(0);
    http_fixture_connect(&fixture, &other, NULL);
    alloc_fail_nth(-1);
    peer_expect_end(&other);
    assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_MEMORY], 1);
    assert_int_equal(http_shared_count(fixture.shared), 1);
    peer_close(&other);
    http_fixture_ask(&fixture, GET, "GET /a\n");
    http_fixture_close(&fixture);
}

/* Whatever allocation fails: the client is answered or its connection ends, nothing is lost, and
 * the next client is served. */
static void every_failed_allocation_concerns_one_request_alone(void **state)
{
    (void)state;
    for (int nth = 0; nth < 10; nth++) {
        struct http_fixture fixture;
        struct peer other;
        http_fixture_open(&fixture, NULL);
        http_fixture_connect(&fixture, &other, NULL);
        peer_send_text(&other, GET GET);
        alloc_fail_nth(nth);
        loop_fixture_settle(fixture.loop);
        alloc_fail_nth(-1);
        peer_read(&other);
        assert_true(other.has_ended || peer_has(&other, "HTTP/1.1 "));
        peer_close(&other);
        http_fixture_ask(&fixture, GET, "GET /a\n");
        http_fixture_close(&fixture);
    }
}

/* --- TLS --- */

static struct certificate certificate;

static int make_certificate(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    certificate_make(&certificate, "DNS:weir.test", CERTIFICATE_VALID);
    return 0;
}

static int remove_certificate(void **state)
{
    (void)state;
    certificate_remove(&certificate);
    return 0;
}

struct tls_client {
    struct loop *loop;
    struct socket socket;
    struct tls_context *context;
    struct tls_session session;
    const char *request;
    char answer[1024];
    size_t size;
    enum status status;
    bool is_over;
};

static void ask_over_tls(void *argument)
{
    struct tls_client *client = argument;
    struct iovec piece = {(char *)(uintptr_t)client->request, strlen(client->request)};
    client->status = tls_connect(&client->socket, client->context, "weir.test", &client->session,
                                 TIMER_NEVER, NULL);
    if (client->status == STATUS_OK)
        client->status = socket_write(&client->socket, &piece, 1, 10000);
    while (client->status == STATUS_OK && client->size < sizeof(client->answer) - 1) {
        size_t got = 0;
        client->status = socket_read(&client->socket, client->answer + client->size,
                                     sizeof(client->answer) - 1 - client->size, TIMER_NEVER, &got);
        client->size += got;
    }
    client->is_over = true;
}

/* Sends the request and reads up to the end of the connection, which is a clean one. */
static void exchange_over_tls(struct http_fixture *fixture, struct tls_client *client)
{
    struct tls_context *context = NULL;
    int fds[2];
    peer_tcp_pair(fds);
    const struct address peer = {0};
    assert_int_equal(tls_server_context_create(certificate.chain, certificate.key, &context, NULL),
                     STATUS_OK);
    assert_int_equal(tls_client_context_create(certificate.ca, &client->context, NULL), STATUS_OK);
    client->loop = fixture->loop;
    assert_int_equal(socket_open(&client->socket, fixture->loop, fds[0]), STATUS_OK);
    http_server_accept(&fixture->server, fds[1], &peer, context);
    tls_context_unref(&context); /* the connection holds it as long as it needs it */
    loop_fixture_run(fixture->loop, ask_over_tls, client);
    loop_fixture_until_set(fixture->loop, &client->is_over);
    assert_int_equal(client->status, STATUS_CLOSED);
    assert_false(client->socket.was_reset);
    socket_close(&client->socket);
    tls_session_fini(&client->session);
    tls_context_unref(&client->context);
}

static void requests_come_over_tls(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct tls_client client = {.request = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                                           "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                           "\r\n"};
    http_fixture_open(&fixture, NULL);
    exchange_over_tls(&fixture, &client);
    assert_non_null(strstr(client.answer, "GET /1\n"));
    assert_non_null(strstr(client.answer, "GET /2\n"));
    http_fixture_close(&fixture);
}

/* The client sends all of its body before it looks for an answer. */
static void a_refused_upload_over_tls_gets_its_answer(void **state)
{
    (void)state;
    static char upload[4 << 20];
    struct http_fixture fixture;
    struct tls_client client = {.request = upload};
    memset(upload, 'x', sizeof(upload) - 1);
    const int head = snprintf(upload, sizeof(upload),
                              "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
    upload[head] = 'x';
    http_fixture_open(&fixture, NULL);
    exchange_over_tls(&fixture, &client);
    assert_non_null(strstr(client.answer, "HTTP/1.1 413 "));
    loop_fixture_until_quiet(fixture.loop);
    http_fixture_close(&fixture);
}

static void a_handshake_that_fails_is_counted(void **state)
{
    (void)state;
    static const char *const greetings[] = {GET, "\x16"};
    for (size_t i = 0; i < 2; i++) {
        struct http_fixture fixture;
        struct tls_context *context = NULL;
        struct peer client;
        assert_int_equal(
            tls_server_context_create(certificate.chain, certificate.key, &context, NULL),
            STATUS_OK);
        http_fixture_open(&fixture, NULL);
        http_fixture_connect(&fixture, &client, context);
        peer_send_text(&client, greetings[i]);
        loop_fixture_settle(fixture.loop);
        pass(&fixture, fixture.server.limits.header_ms + 100);
        peer_expect_end(&client);
        assert_false(peer_has(&client, "HTTP"));
        assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_TLS], 1);
        assert_int_equal(fixture.handled + fixture.refused, 0);
        peer_close(&client);
        tls_context_unref(&context);
        http_fixture_close(&fixture);
    }
}

/* It would not understand it. */
static void who_comes_over_tls_beyond_the_bound_is_closed_silently(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct tls_context *context = NULL;
    struct peer client;
    assert_int_equal(tls_server_context_create(certificate.chain, certificate.key, &context, NULL),
                     STATUS_OK);
    http_fixture_open(&fixture, NULL);
    http_shared_set_max(fixture.shared, 1, 0);
    http_fixture_connect(&fixture, &client, context);
    peer_expect_end(&client);
    assert_int_equal(client.received.size, 0);
    peer_close(&client);
    tls_context_unref(&context);
    http_fixture_close(&fixture);
}

static void blocks_are_used_again(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    void *first = http_block_take(&fixture.server);
    void *second = http_block_take(&fixture.server);
    assert_non_null(first);
    assert_non_null(second);
    memset(first, 'x', HTTP_BLOCK_BYTES);
    http_block_give(&fixture.server, first);
    http_block_give(&fixture.server, second);
    assert_ptr_equal(http_block_take(&fixture.server), second);
    http_block_give(&fixture.server, second);
    assert_int_equal(fixture.server.free_block_count, 2);
    http_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_holds_no_task_and_no_buffer),
        cmocka_unit_test(one_request_after_another_comes_over_one_connection),
        cmocka_unit_test(pipelined_requests_are_answered_in_their_order),
        cmocka_unit_test(what_the_client_asks_of_the_connection_is_done),
        cmocka_unit_test(what_follows_a_request_that_closes_is_not_served),
        cmocka_unit_test(an_idle_connection_is_closed_when_its_time_is_over),
        cmocka_unit_test(each_request_begins_the_idle_time_anew),
        cmocka_unit_test(a_client_that_never_says_anything_is_closed_as_idle),
        cmocka_unit_test(a_busy_connection_is_not_idle_however_long_it_takes),
        cmocka_unit_test(a_client_that_goes_away_cancels_its_request),
        cmocka_unit_test(the_stop_ends_each_connection_with_its_answer),
        cmocka_unit_test(closing_the_idle_leaves_the_busy),
        cmocka_unit_test(closing_all_cancels_what_is_in_flight),
        cmocka_unit_test(closing_all_ends_a_head_that_is_half_there),
        cmocka_unit_test(who_comes_beyond_the_bound_is_told_so),
        cmocka_unit_test(what_is_told_has_the_length_that_it_says),
        cmocka_unit_test(one_address_has_its_own_bound),
        cmocka_unit_test(a_connection_without_memory_is_turned_away),
        cmocka_unit_test(every_failed_allocation_concerns_one_request_alone),
        cmocka_unit_test(requests_come_over_tls),
        cmocka_unit_test(a_refused_upload_over_tls_gets_its_answer),
        cmocka_unit_test(a_handshake_that_fails_is_counted),
        cmocka_unit_test(who_comes_over_tls_beyond_the_bound_is_closed_silently),
        cmocka_unit_test(blocks_are_used_again),
    };
    return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
