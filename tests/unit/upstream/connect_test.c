#include "upstream/connect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/certificate.h"
#include "support/dns_peer.h"
#include "support/time_warp.h"
#include "support/upstream_fixture.h"

struct connecting {
    struct upstream_fixture *fixture;
    struct dns_peer *dns_peer; /* may be NULL */
    struct socket socket;
    struct task *task;
    enum status status;
    struct reason reason;
    bool is_over;
};

static void connect_task(void *argument)
{
    struct connecting *connecting = argument;
    connecting->task = task_current(connecting->fixture->loop);
    connecting->status =
        upstream_connect(&connecting->fixture->endpoint, &connecting->socket, &connecting->reason);
    connecting->is_over = true;
}

static void begin(struct connecting *connecting, struct upstream_fixture *fixture)
{
    *connecting = (struct connecting){.fixture = fixture, .dns_peer = connecting->dns_peer};
    loop_fixture_run(fixture->loop, connect_task, connecting);
}

static bool serve_names(void *argument)
{
    struct connecting *connecting = argument;
    if (connecting->dns_peer != NULL)
        dns_peer_serve(connecting->dns_peer);
    return connecting->is_over;
}

static void finish(struct connecting *connecting)
{
    loop_fixture_until(connecting->fixture->loop, serve_names, connecting);
    assert_int_equal(socket_is_open(&connecting->socket), connecting->status == STATUS_OK);
    if (connecting->status == STATUS_OK)
        socket_close(&connecting->socket);
}

static void set_host(struct upstream_fixture *fixture, const char *host)
{
    fixture->endpoint.config.host = slice_from_text(host);
}

/* --- Addresses --- */

static const struct dns_peer_record records[] = {
    {"alone.test", "127.0.0.1", 60},  {"second.test", "127.0.0.9", 60}, /* nothing listens there */
    {"second.test", "127.0.0.1", 60}, {"none.test", "127.0.0.9", 60},
    {"none.test", "127.0.0.10", 60},
};

static void open_with_names(struct upstream_fixture *fixture, struct dns_peer *names)
{
    dns_peer_open(names);
    names->records = records;
    names->record_count = sizeof(records) / sizeof(records[0]);
    upstream_fixture_open(fixture);
}

static void a_host_is_reached_by_any_of_its_addresses(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost", "alone.test", "second.test"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct upstream_fixture fixture;
        struct dns_peer names;
        struct connecting connecting = {.dns_peer = &names};
        open_with_names(&fixture, &names);
        set_host(&fixture, hosts[i]);
        begin(&connecting, &fixture);
        finish(&connecting);
        assert_int_equal(connecting.status, STATUS_OK);
        assert_true(upstream_fixture_has_connection(&fixture));
        upstream_fixture_close(&fixture);
        dns_peer_close(&names);
    }
}

/* Says no to all but 127.0.0.1, and remembers what it was asked. */
static bool allow_one(const void *context, const struct address *address, struct reason *reason)
{
    unsigned *asked = *(unsigned *const *)context;
    char text[ADDRESS_TEXT_BYTES];
    address_format(address, text);
    ++*asked;
    if (strcmp(text, "127.0.0.1") == 0)
        return true;
    reason_set(reason, "%s is not allowed", text);
    return false;
}

static enum status connect_guarded(const char *host, unsigned *asked, struct reason *reason)
{
    struct upstream_fixture fixture;
    struct dns_peer names;
    struct connecting connecting = {.dns_peer = &names};
    *asked = 0;
    open_with_names(&fixture, &names);
    set_host(&fixture, host);
    fixture.endpoint.config.may_connect = allow_one;
    fixture.endpoint.config.may_connect_context = &asked;
    begin(&connecting, &fixture);
    finish(&connecting);
    *reason = connecting.reason;
    assert_int_equal(upstream_fixture_has_connection(&fixture), connecting.status == STATUS_OK);
    upstream_fixture_close(&fixture);
    dns_peer_close(&names);
    return connecting.status;
}

static void an_address_that_may_not_be_connected_to_is_passed_over(void **state)
{
    (void)state;
    struct reason reason;
    unsigned asked;
    assert_int_equal(connect_guarded("alone.test", &asked, &reason), STATUS_OK);
    assert_int_equal(asked, 1);
    assert_int_equal(connect_guarded("second.test", &asked, &reason), STATUS_OK);
    assert_int_equal(connect_guarded("none.test", &asked, &reason), STATUS_DENIED);
    assert_int_equal(asked, 2);
    assert_non_null(strstr(reason.text, "is not allowed"));
    assert_int_equal(connect_guarded("127.0.0.9", &asked, &reason), STATUS_DENIED);
}

static void a_host_that_refuses_everywhere_is_named(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct dns_peer names;
    char expected[64];
    struct connecting connecting = {.dns_peer = &names};
    open_with_names(&fixture, &names);
    set_host(&fixture, "none.test");
    begin(&connecting, &fixture);
    finish(&connecting);
    assert_int_equal(connecting.status, STATUS_CLOSED);
    (void)snprintf(expected, sizeof(expected), "cannot connect to none.test port %u: refused",
                   fixture.port);
    assert_non_null(strstr(connecting.reason.text, expected));
    upstream_fixture_close(&fixture);
    dns_peer_close(&names);
}

static void a_name_that_does_not_exist_is_said(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct dns_peer names;
    struct connecting connecting = {.dns_peer = &names};
    open_with_names(&fixture, &names);
    set_host(&fixture, "missing.test");
    begin(&connecting, &fixture);
    finish(&connecting);
    assert_int_equal(connecting.status, STATUS_NOT_FOUND);
    assert_non_null(strstr(connecting.reason.text, "missing.test"));
    upstream_fixture_close(&fixture);
    dns_peer_close(&names);
}

static void resolving_counts_towards_the_time_to_connect(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct dns_peer names;
    struct connecting connecting = {.dns_peer = &names};
    open_with_names(&fixture, &names);
    names.mode = DNS_PEER_SILENT;
    fixture.endpoint.config.connect_ms = 1000;
    set_host(&fixture, "alone.test");
    begin(&connecting, &fixture);
    time_warp_forward(1100);
    finish(&connecting);
    assert_int_equal(connecting.status, STATUS_TIMED_OUT);
    assert_string_equal(connecting.reason.text, "resolving alone.test took too long");
    upstream_fixture_close(&fixture);
    dns_peer_close(&names);
}

/* Listens on that address and has no room for a connection, so that one more gets no answer. */
struct full_listener {
    int listening_fd, fds[8];
};

static void full_listener_open(struct full_listener *full, const char *host, uint16_t port)
{
    struct address address;
    assert_int_equal(address_parse(slice_from_text(host), port, &address), STATUS_OK);
    full->listening_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(full->listening_fd, &address.socket.any, address.size), 0);
    assert_int_equal(listen(full->listening_fd, 0), 0);
    for (size_t i = 0; i < 8; i++) {
        full->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(full->fds[i], &address.socket.any, address.size);
    }
}

static void full_listener_close(struct full_listener *full)
{
    for (size_t i = 0; i < 8; i++)
        close(full->fds[i]);
    close(full->listening_fd);
}

static bool hurry(void *argument)
{
    time_warp_forward(50);
    return serve_names(argument);
}

static void an_address_that_does_not_answer_leaves_time_for_the_next(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct dns_peer names;
    struct full_listener full;
    struct connecting connecting = {.dns_peer = &names};
    open_with_names(&fixture, &names);
    full_listener_open(&full, "127.0.0.9", fixture.port);
    set_host(&fixture, "second.test");
    begin(&connecting, &fixture);
    loop_fixture_until(fixture.loop, hurry, &connecting);
    finish(&connecting);
    assert_int_equal(connecting.status, STATUS_OK);
    upstream_fixture_close(&fixture);
    dns_peer_close(&names);
    full_listener_close(&full);
}

/* --- Through a proxy --- */

static void open_with_proxy(struct upstream_fixture *fixture, const char *host)
{
    upstream_fixture_open(fixture);
    struct upstream_endpoint_config config = fixture->endpoint.config;
    config.host = slice_from_text(host);
    config.port = 4433;
    config.proxy.host = SLICE("127.0.0.1");
    config.proxy.port = fixture->port;
    upstream_fixture_reset(fixture, &config);
}

static void a_proxy_is_asked_for_a_tunnel(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        struct slice authorization;
        const char *expected;
    } cases[] = {
        {"upstream.test",
         {0},
         "CONNECT upstream.test:4433 HTTP/1.1\r\nHost: upstream.test:4433\r\n\r\n"},
        {"2001:db8::1",
         {0},
         "CONNECT [2001:db8::1]:4433 HTTP/1.1\r\nHost: [2001:db8::1]:4433\r\n\r\n"},
        {"upstream.test",
         {"Basic dXNlcjpwYXNz", 18},
         "CONNECT upstream.test:4433 HTTP/1.1\r\nHost: upstream.test:4433\r\n"
         "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct upstream_fixture fixture;
        struct peer proxy;
        struct connecting connecting = {0};
        open_with_proxy(&fixture, cases[i].host);
        fixture.endpoint.config.proxy.authorization = cases[i].authorization;
        begin(&connecting, &fixture);
        upstream_fixture_accept(&fixture, &proxy);
        peer_expect(&proxy, "\r\n\r\n");
        assert_true(slice_equal(buffer_slice(&proxy.received), slice_from_text(cases[i].expected)));
        peer_send_text(&proxy, "HTTP/1.1 200 Connection established\r\n\r\n");
        finish(&connecting);
        assert_int_equal(connecting.status, STATUS_OK);
        peer_close(&proxy);
        upstream_fixture_close(&fixture);
    }
}

static void read_tunnel(void *argument)
{
    struct connecting *connecting = argument;
    char bytes[16];
    size_t size = 0;
    connect_task(argument);
    if (connecting->status == STATUS_OK &&
        socket_read(&connecting->socket, bytes, sizeof(bytes), TIMER_NEVER, &size) == STATUS_OK)
        reason_set(&connecting->reason, "%.*s", (int)size, bytes);
    connecting->is_over = true;
}

static void what_follows_the_proxys_answer_belongs_to_the_tunnel(void **state)
{
    (void)state;
    static const char answer[] = "HTTP/1.1 200 OK\r\nVia: proxy\r\n\r\nSSH-2.0";
    for (size_t at = 0; at < sizeof(answer) - 1; at++) {
        struct upstream_fixture fixture;
        struct peer proxy;
        struct connecting connecting = {.fixture = &fixture};
        open_with_proxy(&fixture, "upstream.test");
        loop_fixture_run(fixture.loop, read_tunnel, &connecting);
        upstream_fixture_accept(&fixture, &proxy);
        peer_send(&proxy, slice_of(answer, at));
        loop_fixture_settle(fixture.loop);
        peer_send(&proxy, slice_of(answer + at, sizeof(answer) - 1 - at));
        loop_fixture_until_quiet(fixture.loop);
        assert_int_equal(connecting.status, STATUS_OK);
        assert_true(connecting.reason.text[0] != '\0');
        assert_memory_equal(connecting.reason.text, "SSH-2.0", strlen(connecting.reason.text));
        socket_close(&connecting.socket);
        peer_close(&proxy);
        upstream_fixture_close(&fixture);
    }
}

static void assert_proxy_fails(const char *answer, bool closes, enum status status, const char *why)
{
    struct upstream_fixture fixture;
    struct peer proxy;
    struct connecting connecting = {0};
    open_with_proxy(&fixture, "upstream.test");
    begin(&connecting, &fixture);
    upstream_fixture_accept(&fixture, &proxy);
    peer_send_text(&proxy, answer);
    if (closes)
        shutdown(proxy.fd, SHUT_WR);
    finish(&connecting);
    assert_int_equal(connecting.status, status);
    assert_non_null(strstr(connecting.reason.text, why));
    peer_close(&proxy);
    upstream_fixture_close(&fixture);
}

static void a_proxy_that_gives_no_tunnel_is_said(void **state)
{
    (void)state;
    static char endless[9000];
    memset(endless, 'x', sizeof(endless) - 1);
    assert_proxy_fails("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", false, STATUS_PROTOCOL,
                       "refused the tunnel: HTTP/1.1 407 Proxy Auth");
    assert_proxy_fails("HTTP/1.1 502 Bad Gateway\r\nA: b\r\n\r\n", false, STATUS_PROTOCOL, "502");
    assert_proxy_fails("SMTP ready\r\n\r\n", false, STATUS_PROTOCOL, "refused the tunnel");
    assert_proxy_fails(endless, false, STATUS_PROTOCOL, "too long");
    assert_proxy_fails("HTTP/1.1 200 OK\r\n", true, STATUS_CLOSED,
                       "asking the proxy 127.0.0.1 failed: the connection was closed");
    assert_proxy_fails("", true, STATUS_CLOSED, "the connection was closed");
}

/* A proxy, or an upstream over TLS, that only listens. */
static void open_with_silence(struct upstream_fixture *fixture, struct tls_context *context)
{
    if (context == NULL) {
        open_with_proxy(fixture, "upstream.test");
        return;
    }
    upstream_fixture_open(fixture);
    struct upstream_endpoint_config config = fixture->endpoint.config;
    config.tls = context;
    upstream_fixture_reset(fixture, &config);
}

static void whoever_says_nothing_is_named(struct tls_context *context, const char *step)
{
    static const struct {
        enum status status;
        const char *why;
    } ends[] = {{STATUS_TIMED_OUT, "took too long"}, {STATUS_CANCELLED, "the client went away"}};
    for (size_t i = 0; i < 2; i++) {
        struct upstream_fixture fixture;
        struct peer peer;
        struct connecting connecting = {0};
        open_with_silence(&fixture, context);
        begin(&connecting, &fixture);
        upstream_fixture_accept(&fixture, &peer);
        loop_fixture_settle(fixture.loop);
        if (ends[i].status == STATUS_TIMED_OUT)
            time_warp_forward(5100);
        else
            task_cancel(connecting.task);
        finish(&connecting);
        assert_int_equal(connecting.status, ends[i].status);
        assert_non_null(strstr(connecting.reason.text, step));
        assert_non_null(strstr(connecting.reason.text, ends[i].why));
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

static void a_proxy_that_says_nothing_is_named(void **state)
{
    (void)state;
    whoever_says_nothing_is_named(NULL, "asking the proxy 127.0.0.1");
}

/* --- TLS --- */

static struct certificate certificate;

static int make_certificate(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    certificate_make(&certificate, "DNS:localhost,IP:127.0.0.1", CERTIFICATE_VALID);
    return 0;
}

static int remove_certificate(void **state)
{
    (void)state;
    certificate_remove(&certificate);
    return 0;
}

/* The upstream's end of a connection over TLS, in a task of its own. */
struct tls_end {
    struct loop *loop;
    struct socket socket;
    struct tls_context *context;
    enum status status;
    bool is_over;
};

static void accept_tls(void *argument)
{
    struct tls_end *end = argument;
    end->status = tls_accept(&end->socket, end->context, TIMER_NEVER, NULL);
    end->is_over = true;
}

static void tls_end_begin(struct tls_end *end, struct upstream_fixture *fixture, int fd)
{
    *end = (struct tls_end){.loop = fixture->loop};
    assert_int_equal(
        tls_server_context_create(certificate.chain, certificate.key, &end->context, NULL),
        STATUS_OK);
    assert_int_equal(socket_open(&end->socket, fixture->loop, fd), STATUS_OK);
    loop_fixture_run(fixture->loop, accept_tls, end);
}

static void tls_end_close(struct tls_end *end)
{
    socket_close(&end->socket);
    tls_context_unref(&end->context);
}

static void connect_over_tls(const char *host, enum status status, const char *why)
{
    struct upstream_fixture fixture;
    struct connecting connecting = {0};
    struct tls_end end;
    struct peer peer;
    struct tls_context *context = NULL;
    assert_int_equal(tls_client_context_create(certificate.ca, &context, NULL), STATUS_OK);
    upstream_fixture_open(&fixture);
    struct upstream_endpoint_config config = fixture.endpoint.config;
    config.tls = context;
    config.host = slice_from_text(host);
    upstream_fixture_reset(&fixture, &config);
    begin(&connecting, &fixture);
    upstream_fixture_accept(&fixture, &peer);
    tls_end_begin(&end, &fixture, peer.fd);
    finish(&connecting);
    assert_int_equal(connecting.status, status);
    assert_non_null(strstr(connecting.reason.text, why));
    loop_fixture_until_set(fixture.loop, &end.is_over);
    tls_end_close(&end);
    tls_context_unref(&context);
    upstream_fixture_close(&fixture);
}

static void hands_are_shaken_with_the_host_that_was_named(void **state)
{
    (void)state;
    connect_over_tls("localhost", STATUS_OK, "");
    connect_over_tls("127.0.0.1", STATUS_OK, "");
}

static void a_certificate_of_another_host_is_refused(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct dns_peer names;
    struct connecting connecting = {.dns_peer = &names};
    struct tls_end end;
    struct peer peer;
    struct tls_context *context = NULL;
    assert_int_equal(tls_client_context_create(certificate.ca, &context, NULL), STATUS_OK);
    open_with_names(&fixture, &names);
    struct upstream_endpoint_config config = fixture.endpoint.config;
    config.tls = context;
    config.host = SLICE("alone.test");
    upstream_fixture_reset(&fixture, &config);
    begin(&connecting, &fixture);
    dns_peer_serve(&names);
    upstream_fixture_accept(&fixture, &peer);
    tls_end_begin(&end, &fixture, peer.fd);
    finish(&connecting);
    assert_int_equal(connecting.status, STATUS_PROTOCOL);
    assert_non_null(strstr(connecting.reason.text, "TLS certificate refused"));
    loop_fixture_until_set(fixture.loop, &end.is_over);
    tls_end_close(&end);
    tls_context_unref(&context);
    upstream_fixture_close(&fixture);
    dns_peer_close(&names);
}

static void an_upstream_that_does_not_shake_hands_is_named(void **state)
{
    (void)state;
    struct tls_context *context = NULL;
    assert_int_equal(tls_client_context_create(certificate.ca, &context, NULL), STATUS_OK);
    whoever_says_nothing_is_named(context, "the TLS handshake with 127.0.0.1");
    tls_context_unref(&context);
}

/* It refused the handshake, not the connection. */
static void who_closes_instead_of_shaking_hands_failed_at_tls(void **state)
{
    (void)state;
    static void (*const ends[])(struct peer *) = {peer_close, peer_reset};
    for (size_t i = 0; i < 2; i++) {
        struct upstream_fixture fixture;
        struct peer peer;
        struct connecting connecting = {0};
        struct tls_context *context = NULL;
        assert_int_equal(tls_client_context_create(certificate.ca, &context, NULL), STATUS_OK);
        open_with_silence(&fixture, context);
        begin(&connecting, &fixture);
        upstream_fixture_accept(&fixture, &peer);
        loop_fixture_settle(fixture.loop); /* the handshake has begun */
        ends[i](&peer);
        finish(&connecting);
        assert_int_equal(connecting.status, STATUS_PROTOCOL);
        assert_string_equal(connecting.reason.text, "the TLS handshake with 127.0.0.1 failed: "
                                                    "the connection was closed");
        peer_close(&peer);
        tls_context_unref(&context);
        upstream_fixture_close(&fixture);
    }
}

static void tls_goes_through_the_tunnel(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct connecting connecting = {0};
    struct tls_end end;
    struct peer proxy;
    struct tls_context *context = NULL;
    assert_int_equal(tls_client_context_create(certificate.ca, &context, NULL), STATUS_OK);
    open_with_proxy(&fixture, "localhost");
    fixture.endpoint.config.tls = context;
    begin(&connecting, &fixture);
    upstream_fixture_accept(&fixture, &proxy);
    peer_expect(&proxy, "\r\n\r\n");
    assert_true(peer_has(&proxy, "CONNECT localhost:4433 HTTP/1.1\r\n"));
    peer_send_text(&proxy, "HTTP/1.1 200 OK\r\n\r\n");
    tls_end_begin(&end, &fixture, proxy.fd);
    finish(&connecting);
    assert_int_equal(connecting.status, STATUS_OK);
    loop_fixture_until_set(fixture.loop, &end.is_over);
    assert_int_equal(end.status, STATUS_OK);
    tls_end_close(&end);
    buffer_fini(&proxy.received);
    tls_context_unref(&context);
    upstream_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_reached_by_any_of_its_addresses),
        cmocka_unit_test(an_address_that_may_not_be_connected_to_is_passed_over),
        cmocka_unit_test(a_host_that_refuses_everywhere_is_named),
        cmocka_unit_test(a_name_that_does_not_exist_is_said),
        cmocka_unit_test(resolving_counts_towards_the_time_to_connect),
        cmocka_unit_test(an_address_that_does_not_answer_leaves_time_for_the_next),
        cmocka_unit_test(a_proxy_is_asked_for_a_tunnel),
        cmocka_unit_test(what_follows_the_proxys_answer_belongs_to_the_tunnel),
        cmocka_unit_test(a_proxy_that_gives_no_tunnel_is_said),
        cmocka_unit_test(hands_are_shaken_with_the_host_that_was_named),
        cmocka_unit_test(a_certificate_of_another_host_is_refused),
        cmocka_unit_test(a_proxy_that_says_nothing_is_named),
        cmocka_unit_test(an_upstream_that_does_not_shake_hands_is_named),
        cmocka_unit_test(who_closes_instead_of_shaking_hands_failed_at_tls),
        cmocka_unit_test(tls_goes_through_the_tunnel),
    };
    return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
