#include "http/proxied.h"

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
#include "http/proxy_header.h"
#include "http/shared.h"
#include "support/certificate.h"
#include "support/http_fixture.h"
#include "support/time_warp.h"

#define GET          "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define LINE         "PROXY TCP4 192.0.2.7 198.51.100.2 40000 443\r\n"
#define LINE_OF(ip)  "PROXY TCP4 " ip " 198.51.100.2 40000 443\r\n"
#define BINARY_BYTES 28

static const char binary[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c"
                             "\xc0\x00\x02\x07\xc6\x33\x64\x02\x9c\x40\x01\xbb" GET;
static const char local[] = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00" GET;

static const struct cidr loopback = {{[10] = 0xff, [11] = 0xff, 127}, 104};

/* Answers with the client's address. */
static void tell_address(struct http_exchange *exchange, struct http_fixture *fixture)
{
    const unsigned char *address = http_exchange_client_address(exchange);
    struct cidr one = {{0}, 128};
    char text[CIDR_TEXT_BYTES] = "none";
    (void)fixture;
    if (address != NULL) {
        memcpy(one.address, address, sizeof(one.address));
        cidr_format(&one, text);
        assert_ptr_equal(http_exchange_client_address(exchange), address);
    }
    http_answer_begin(exchange, 200);
    const enum status status = http_answer_send(exchange, slice_from_text(text));
    (void)status;
}

/* With a client that a trusted proxy plays. */
static void open_trusting(struct http_fixture *fixture, struct peer *client)
{
    http_fixture_open(fixture, tell_address);
    fixture->server.trusted_proxies = (struct http_trust){&loopback, 1};
    http_fixture_connect(fixture, client, NULL);
}

static void close_all(struct http_fixture *fixture, struct peer *client)
{
    peer_close(client);
    http_fixture_close(fixture);
}

static void is_answered(struct slice bytes, const char *client_address)
{
    char wanted[CIDR_TEXT_BYTES + 8];
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    peer_send(&client, bytes);
    snprintf(wanted, sizeof(wanted), "\r\n\r\n%s", client_address);
    peer_expect(&client, wanted);
    assert_int_equal(fixture.refused, 0);
    close_all(&fixture, &client);
}

static void what_a_trusted_proxy_says_is_the_clients_address(void **state)
{
    (void)state;
    is_answered(SLICE(LINE GET), "192.0.2.7");
    is_answered(slice_of(binary, sizeof(binary) - 1), "192.0.2.7");
    is_answered(SLICE("PROXY TCP6 2001:db8::7 ::1 1 2\r\n" GET), "2001:db8::7");
}

static void a_connection_of_the_proxys_own_is_the_proxys(void **state)
{
    (void)state;
    is_answered(slice_of(local, sizeof(local) - 1), "127.0.0.1");
    is_answered(SLICE("PROXY UNKNOWN\r\n" GET), "127.0.0.1");
}

static void a_trusted_proxy_need_not_send_a_header(void **state)
{
    (void)state;
    is_answered(SLICE(GET), "127.0.0.1");
    is_answered(SLICE("\r\n" GET), "127.0.0.1");
    is_answered(SLICE("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "127.0.0.1");
}

/* The line's address is the one that sent the field, and is not trusted. */
static void what_a_client_says_through_a_proxy_is_not_believed(void **state)
{
    (void)state;
    is_answered(SLICE(LINE "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"),
                "192.0.2.7");
    is_answered(SLICE(LINE_OF("127.0.0.9") "GET / HTTP/1.1\r\nHost: x\r\n"
                                           "X-Forwarded-For: 203.0.113.9\r\n\r\n"),
                "203.0.113.9");
    is_answered(SLICE("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"),
                "203.0.113.9");
}

static void a_header_may_come_in_any_two_parts(void **state)
{
    (void)state;
    const struct slice wholes[] = {SLICE(LINE GET), slice_of(binary, sizeof(binary) - 1)};
    for (size_t i = 0; i < 2; i++) {
        for (size_t size = 1; size < wholes[i].size; size++) {
            struct http_fixture fixture;
            struct peer client;
            open_trusting(&fixture, &client);
            peer_send(&client, slice_of(wholes[i].data, size));
            loop_fixture_settle(fixture.loop);
            peer_send(&client, slice_from(wholes[i], size));
            peer_expect(&client, "\r\n\r\n192.0.2.7");
            close_all(&fixture, &client);
        }
    }
}

static void a_header_may_come_byte_by_byte(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    peer_send_bytewise(&client, slice_of(binary, sizeof(binary) - 1));
    peer_expect(&client, "\r\n\r\n192.0.2.7");
    close_all(&fixture, &client);
}

static void it_holds_for_every_request_of_the_connection(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    peer_send_text(&client, LINE GET GET);
    peer_expect(&client, "\r\n\r\n192.0.2.7");
    http_fixture_settle(&fixture);
    peer_forget(&client);
    peer_send_text(&client, GET);
    peer_expect(&client, "\r\n\r\n192.0.2.7");
    peer_forget(&client);
    peer_send_text(&client, LINE GET); /* the first bytes of a connection only */
    peer_expect(&client, "HTTP/1.1 ");
    assert_int_equal(fixture.refused, 1);
    close_all(&fixture, &client);
}

/* After the header the connection is idle: no task waits for a request that may never come. */
static void a_header_alone_leaves_an_idle_connection(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    peer_send_text(&client, LINE);
    http_fixture_settle(&fixture);
    assert_int_equal(loop_task_count(fixture.loop), 0);
    assert_int_equal(fixture.connections, 2);
    peer_send_text(&client, GET);
    peer_expect(&client, "\r\n\r\n192.0.2.7");
    close_all(&fixture, &client);
}

static void who_is_not_trusted_cannot_begin_with_a_header(void **state)
{
    (void)state;
    const struct slice wholes[] = {SLICE(LINE GET), slice_of(binary, sizeof(binary) - 1)};
    for (size_t i = 0; i < 2; i++) {
        struct http_fixture fixture;
        struct cidr other = loopback;
        other.address[12] = 126;
        http_fixture_open(&fixture, tell_address);
        fixture.server.trusted_proxies = (struct http_trust){&other, 1};
        peer_close(&fixture.client);
        http_fixture_connect(&fixture, &fixture.client, NULL);
        peer_send(&fixture.client, wholes[i]);
        peer_expect(&fixture.client, "HTTP/1.1 400 ");
        assert_int_equal(fixture.handled, 0);
        assert_int_equal(fixture.refused, 1);
        http_fixture_close(&fixture);
    }
}

static void a_malformed_header_ends_the_connection_and_is_counted(void **state)
{
    (void)state;
    static const struct slice headers[] = {{"PROXY TCP4 x\r\n" GET, 41},
                                           {"PROXY / HTTP/1.1\r\n", 18},
                                           {"\r\n\r\n\0\r\nQUIT\n\x11", 13}};
    for (size_t i = 0; i < 3; i++) {
        struct http_fixture fixture;
        struct peer client;
        open_trusting(&fixture, &client);
        peer_send(&client, headers[i]);
        peer_expect_end(&client);
        assert_int_equal(client.received.size, 0);
        assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_PROXY], 1);
        assert_int_equal(fixture.handled + fixture.refused, 0);
        close_all(&fixture, &client);
    }
}

static void a_client_that_leaves_within_the_header_is_no_fault(void **state)
{
    (void)state;
    for (size_t size = 1; size < sizeof(LINE) - 1; size++) {
        struct http_fixture fixture;
        struct peer client;
        open_trusting(&fixture, &client);
        peer_send(&client, slice_of(LINE, size));
        loop_fixture_settle(fixture.loop);
        peer_close(&client);
        http_fixture_settle(&fixture);
        assert_int_equal(fixture.connections, 1);
        assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_PROXY], 0);
        http_fixture_close(&fixture);
    }
}

static void a_header_that_does_not_end_ends_the_connection(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    peer_send_text(&client, "PROXY TCP4");
    loop_fixture_settle(fixture.loop);
    time_warp_forward(fixture.server.limits.header_ms + 100);
    peer_expect_end(&client);
    assert_int_equal(fixture.handled + fixture.refused, 0);
    close_all(&fixture, &client);
}

static void the_bound_on_an_address_is_the_clients(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer clients[4];
    open_trusting(&fixture, &clients[0]);
    http_shared_set_max(fixture.shared, 100, 1);
    for (size_t i = 1; i < 4; i++)
        http_fixture_connect(&fixture, &clients[i], NULL); /* all from the proxy */
    peer_send_text(&clients[0], LINE GET);
    peer_expect(&clients[0], "\r\n\r\n192.0.2.7");
    peer_send_text(&clients[1], LINE_OF("192.0.2.8") GET);
    peer_expect(&clients[1], "\r\n\r\n192.0.2.8");
    peer_send_text(&clients[2], LINE GET);
    peer_expect_end(&clients[2]);
    assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_ADDRESS], 1);
    peer_close(&clients[0]);
    loop_fixture_settle(fixture.loop);
    peer_send_text(&clients[3], LINE GET);
    peer_expect(&clients[3], "\r\n\r\n192.0.2.7");
    for (size_t i = 0; i < 4; i++)
        peer_close(&clients[i]);
    http_fixture_close(&fixture);
}

static void all_connections_of_a_proxy_count_together(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client, other;
    open_trusting(&fixture, &client);
    http_shared_set_max(fixture.shared, 2, 0);
    http_fixture_connect(&fixture, &other, NULL);
    peer_expect_end(&other);
    assert_int_equal(fixture.turned_away[HTTP_TURNED_AWAY_CONNECTIONS], 1);
    peer_close(&other);
    close_all(&fixture, &client);
}

static void other_proxies_may_be_trusted_from_now_on(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    fixture.server.trusted_proxies = (struct http_trust){0};
    peer_send_text(&client, LINE GET); /* it was trusted when it came */
    peer_expect(&client, "\r\n\r\n192.0.2.7");
    peer_close(&client);
    http_fixture_connect(&fixture, &client, NULL);
    peer_send_text(&client, LINE GET);
    peer_expect(&client, "HTTP/1.1 400 ");
    close_all(&fixture, &client);
}

static void a_stop_waits_for_the_request_behind_a_header(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    http_server_close_after_answers(&fixture.server);
    peer_send_text(&client, LINE);
    http_fixture_settle(&fixture);
    peer_send_text(&client, GET);
    peer_expect(&client, "\r\n\r\n192.0.2.7");
    peer_expect_end(&client);
    close_all(&fixture, &client);
}

static void closing_all_ends_a_header_that_is_half_there(void **state)
{
    (void)state;
    struct http_fixture fixture;
    struct peer client;
    open_trusting(&fixture, &client);
    peer_send_text(&client, "PROXY TCP4");
    loop_fixture_settle(fixture.loop);
    http_server_close_all(&fixture.server);
    peer_expect_end(&client);
    close_all(&fixture, &client);
}

static void a_unix_socket_has_no_address(void **state)
{
    (void)state;
    struct http_fixture fixture;
    int fds[2];
    const struct address peer = {0};
    http_fixture_open(&fixture, tell_address);
    fixture.server.trusted_proxies = (struct http_trust){&loopback, 1};
    peer_close(&fixture.client);
    peer_tcp_pair(fds);
    peer_open(&fixture.client, fixture.loop, fds[0]);
    http_server_accept(&fixture.server, fds[1], &peer, NULL);
    peer_send_text(&fixture.client,
                   "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
    peer_expect(&fixture.client, "\r\n\r\nnone");
    http_fixture_close(&fixture);
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
    struct socket socket;
    struct tls_context *context;
    struct tls_session session;
    struct slice header;
    char answer[512];
    enum status status;
    bool is_over;
};

/* The header in the clear, then all else over TLS. */
static void ask_over_tls(void *argument)
{
    struct tls_client *client = argument;
    size_t got = 0;
    struct iovec header = {(char *)(uintptr_t)client->header.data, client->header.size};
    struct iovec request = {(char[]){GET}, sizeof(GET) - 1};
    client->status = socket_write(&client->socket, &header, 1, 10000);
    if (client->status == STATUS_OK)
        client->status = tls_connect(&client->socket, client->context, "weir.test",
                                     &client->session, TIMER_NEVER, NULL);
    if (client->status == STATUS_OK)
        client->status = socket_write(&client->socket, &request, 1, 10000);
    if (client->status == STATUS_OK)
        client->status = socket_read(&client->socket, client->answer, sizeof(client->answer) - 1,
                                     TIMER_NEVER, &got);
    client->is_over = true;
}

static void is_answered_over_tls(struct slice header, const char *address)
{
    struct http_fixture fixture;
    struct tls_client client = {.header = header};
    struct tls_context *context = NULL;
    struct address peer;
    int fds[2];
    http_fixture_open(&fixture, tell_address);
    fixture.server.trusted_proxies = (struct http_trust){&loopback, 1};
    peer_tcp_pair(fds);
    assert_int_equal(address_parse(SLICE("127.0.0.1"), 1, &peer), STATUS_OK);
    assert_int_equal(tls_server_context_create(certificate.chain, certificate.key, &context, NULL),
                     STATUS_OK);
    assert_int_equal(tls_client_context_create(certificate.ca, &client.context, NULL), STATUS_OK);
    assert_int_equal(socket_open(&client.socket, fixture.loop, fds[0]), STATUS_OK);
    http_server_accept(&fixture.server, fds[1], &peer, context);
    tls_context_unref(&context);
    loop_fixture_run(fixture.loop, ask_over_tls, &client);
    loop_fixture_until_set(fixture.loop, &client.is_over);
    assert_int_equal(client.status, STATUS_OK);
    const char *body = strstr(client.answer, "\r\n\r\n");
    assert_non_null(body);
    assert_string_equal(body + 4, address);
    socket_close(&client.socket);
    tls_session_fini(&client.session);
    tls_context_unref(&client.context);
    http_fixture_close(&fixture);
}

static void the_header_stands_before_tls(void **state)
{
    (void)state;
    is_answered_over_tls(SLICE(LINE), "192.0.2.7");
    is_answered_over_tls(slice_of(binary, BINARY_BYTES), "192.0.2.7");
    is_answered_over_tls(slice_of(local, 16), "127.0.0.1");
    is_answered_over_tls(SLICE(""), "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_trusted_proxy_says_is_the_clients_address),
        cmocka_unit_test(a_connection_of_the_proxys_own_is_the_proxys),
        cmocka_unit_test(a_trusted_proxy_need_not_send_a_header),
        cmocka_unit_test(what_a_client_says_through_a_proxy_is_not_believed),
        cmocka_unit_test(a_header_may_come_in_any_two_parts),
        cmocka_unit_test(a_header_may_come_byte_by_byte),
        cmocka_unit_test(it_holds_for_every_request_of_the_connection),
        cmocka_unit_test(a_header_alone_leaves_an_idle_connection),
        cmocka_unit_test(who_is_not_trusted_cannot_begin_with_a_header),
        cmocka_unit_test(a_malformed_header_ends_the_connection_and_is_counted),
        cmocka_unit_test(a_client_that_leaves_within_the_header_is_no_fault),
        cmocka_unit_test(a_header_that_does_not_end_ends_the_connection),
        cmocka_unit_test(the_bound_on_an_address_is_the_clients),
        cmocka_unit_test(all_connections_of_a_proxy_count_together),
        cmocka_unit_test(other_proxies_may_be_trusted_from_now_on),
        cmocka_unit_test(a_stop_waits_for_the_request_behind_a_header),
        cmocka_unit_test(closing_all_ends_a_header_that_is_half_there),
        cmocka_unit_test(a_unix_socket_has_no_address),
        cmocka_unit_test(the_header_stands_before_tls),
    };
    return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
