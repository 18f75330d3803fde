#include "io/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/socket.h"
#include "support/certificate.h"
#include "support/peer.h"

static struct certificate own, stranger, expired;

static int make_certificates(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* as weir does: OpenSSL writes without MSG_NOSIGNAL */
    certificate_make(&own, "DNS:upstream.test,DNS:*.wild.test,IP:127.0.0.1", CERTIFICATE_VALID);
    certificate_make(&stranger, "DNS:upstream.test", CERTIFICATE_VALID);
    certificate_make(&expired, "DNS:upstream.test", CERTIFICATE_EXPIRED);
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificate_remove(&own);
    certificate_remove(&stranger);
    certificate_remove(&expired);
    return 0;
}

static struct tls_context *server_context(const struct certificate *certificate)
{
    struct tls_context *context = NULL;
    assert_int_equal(
        tls_server_context_create(certificate->chain, certificate->key, &context, NULL), STATUS_OK);
    return context;
}

static struct tls_context *client_context(const char *ca)
{
    struct tls_context *context = NULL;
    assert_int_equal(tls_client_context_create(ca, &context, NULL), STATUS_OK);
    return context;
}

/* --- Contexts --- */

static void a_file_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    struct tls_context *context = NULL;
    struct reason reason = {""};
    assert_int_equal(tls_server_context_create("/nowhere/c.pem", own.key, &context, &reason),
                     STATUS_INVALID);
    assert_non_null(strstr(reason.text, "/nowhere/c.pem: cannot use this certificate"));
    assert_int_equal(tls_server_context_create(own.key, own.key, &context, &reason),
                     STATUS_INVALID);
    assert_non_null(strstr(reason.text, own.key));
    assert_int_equal(tls_server_context_create(own.chain, "/nowhere/k.pem", &context, &reason),
                     STATUS_INVALID);
    assert_non_null(strstr(reason.text, "/nowhere/k.pem"));
    assert_int_equal(tls_server_context_create(own.chain, stranger.key, &context, &reason),
                     STATUS_INVALID);
    assert_non_null(strstr(reason.text, stranger.key));
    assert_int_equal(tls_client_context_create("/nowhere/ca.pem", &context, &reason),
                     STATUS_INVALID);
    assert_non_null(strstr(reason.text, "/nowhere/ca.pem"));
    assert_int_equal(tls_client_context_create(own.key, &context, &reason), STATUS_INVALID);
    assert_null(context);
}

static void without_a_file_of_its_own_a_client_trusts_the_system(void **state)
{
    (void)state;
    struct tls_context *context = client_context(NULL);
    struct tls_context *held = tls_context_ref(context);
    tls_context_unref(&context);
    assert_null(context);
    tls_context_unref(&held);
    tls_context_unref(&held);
}

static void a_context_without_memory_is_not_made(void **state)
{
    (void)state;
    struct tls_context *context = NULL;
    alloc_fail_nth(0);
    assert_int_equal(tls_server_context_create(own.chain, own.key, &context, NULL),
                     STATUS_NO_MEMORY);
    alloc_fail_nth(0);
    assert_int_equal(tls_client_context_create(own.ca, &context, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(context);
}

/* --- Two ends of one connection on one loop --- */

struct end {
    struct loop *loop;
    struct socket socket;
    struct tls_context *context;
    const char *host; /* NULL: the server's end */
    struct tls_session session;
    uint64_t deadline_ms;
    struct task *task;
    enum status status;
    struct reason reason;
    bool is_over;
    /* What the end sends or received. */
    char *bytes;
    size_t size, capacity, step;
};

static void shake_hands(void *argument)
{
    struct end *end = argument;
    end->task = task_current(end->loop);
    end->status = end->host == NULL
                      ? tls_accept(&end->socket, end->context, end->deadline_ms, &end->reason)
                      : tls_connect(&end->socket, end->context, end->host, &end->session,
                                    end->deadline_ms, &end->reason);
    end->is_over = true;
}

struct pair {
    struct loop *loop;
    struct end client, server;
};

static void end_open(struct end *end, struct loop *loop, int fd, struct tls_context *context,
                     const char *host)
{
    *end = (struct end){.loop = loop, .context = context, .host = host, .deadline_ms = TIMER_NEVER};
    assert_int_equal(socket_open(&end->socket, loop, fd), STATUS_OK);
}

static void end_close(struct end *end)
{
    socket_close(&end->socket);
    tls_session_fini(&end->session);
    tls_context_unref(&end->context);
}

static void pair_open(struct pair *pair, const struct certificate *shown, const char *trusted,
                      const char *host)
{
    int fds[2];
    peer_tcp_pair(fds);
    pair->loop = loop_fixture_create();
    end_open(&pair->client, pair->loop, fds[0], client_context(trusted), host);
    end_open(&pair->server, pair->loop, fds[1], server_context(shown), NULL);
}

static void pair_close(struct pair *pair)
{
    end_close(&pair->client);
    end_close(&pair->server);
    loop_fixture_destroy(&pair->loop);
}

static void pair_shake_hands(struct pair *pair)
{
    loop_fixture_run(pair->loop, shake_hands, &pair->server);
    loop_fixture_run(pair->loop, shake_hands, &pair->client);
    loop_fixture_until_quiet(pair->loop);
}

static void pair_open_sound(struct pair *pair)
{
    pair_open(pair, &own, own.ca, "upstream.test");
    pair_shake_hands(pair);
    assert_int_equal(pair->client.status, STATUS_OK);
    assert_int_equal(pair->server.status, STATUS_OK);
}

/* The server's certificate is refused, and the reason says so. */
static void assert_refused(const struct certificate *shown, const char *trusted, const char *host,
                           const char *why)
{
    struct pair pair;
    pair_open(&pair, shown, trusted, host);
    pair_shake_hands(&pair);
    assert_int_equal(pair.client.status, STATUS_PROTOCOL);
    assert_non_null(strstr(pair.client.reason.text, why));
    pair_close(&pair);
}

static void a_certificate_is_checked_by_name_authority_and_time(void **state)
{
    (void)state;
    assert_refused(&own, own.ca, "other.test", "mismatch");
    assert_refused(&own, own.ca, "upstream.test.evil", "mismatch");
    assert_refused(&own, own.ca, "127.0.0.2", "mismatch");
    assert_refused(&own, own.ca, "::1", "mismatch");
    assert_refused(&own, own.ca, "a.b.wild.test", "mismatch");
    assert_refused(&stranger, own.ca, "upstream.test", "certificate");
    assert_refused(&expired, expired.ca, "upstream.test", "expired");
}

static void the_names_of_a_certificate_are_accepted(void **state)
{
    (void)state;
    static const char *const hosts[] = {"upstream.test", "UPSTREAM.test", "a.wild.test",
                                        "127.0.0.1"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct pair pair;
        pair_open(&pair, &own, own.ca, hosts[i]);
        pair_shake_hands(&pair);
        assert_int_equal(pair.client.status, STATUS_OK);
        pair_close(&pair);
    }
}

/* --- Bytes --- */

static void send_all(void *argument)
{
    struct end *end = argument;
    struct iovec pieces[] = {{end->bytes, 1}, {end->bytes + 1, 0}, {end->bytes + 1, end->size - 1}};
    end->status = socket_write(&end->socket, pieces, 3, 10000);
    end->is_over = true;
}

static void receive_all(void *argument)
{
    struct end *end = argument;
    do {
        size_t got = 0;
        const size_t room = end->capacity - end->size;
        end->status = socket_read(&end->socket, end->bytes + end->size,
                                  room < end->step ? room : end->step, end->deadline_ms, &got);
        end->size += got;
    } while (end->status == STATUS_OK && end->size < end->capacity);
    end->is_over = true;
}

#define MUCH ((size_t)300 * 1000)

/* From one end to the other, read in steps of that size. */
static void carry(struct pair *pair, struct end *from, struct end *to, size_t size, size_t step)
{
    static char sent[MUCH], received[MUCH];
    for (size_t i = 0; i < size; i++)
        sent[i] = (char)(i * 31 + size);
    memset(received, 0, size);
    from->bytes = sent;
    from->size = size;
    to->bytes = received;
    to->size = 0;
    to->capacity = size;
    to->step = step;
    from->is_over = to->is_over = false;
    loop_fixture_run(pair->loop, send_all, from);
    loop_fixture_run(pair->loop, receive_all, to);
    loop_fixture_until_quiet(pair->loop);
    assert_int_equal(from->status, STATUS_OK);
    assert_int_equal(to->status, STATUS_OK);
    assert_int_equal(to->size, size);
    assert_memory_equal(received, sent, size);
}

static void bytes_arrive_both_ways_in_any_steps(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 16383, 16384, 16385, 50000};
    static const size_t steps[] = {7, 16384, 100000};
    struct pair pair;
    pair_open_sound(&pair);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
            carry(&pair, &pair.client, &pair.server, sizes[i], steps[j]);
            carry(&pair, &pair.server, &pair.client, sizes[i], steps[j]);
        }
    }
    pair_close(&pair);
}

static void more_than_the_kernel_takes_at_once_arrives(void **state)
{
    (void)state;
    const int small = 4096;
    struct pair pair;
    pair_open_sound(&pair);
    setsockopt(pair.client.socket.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    carry(&pair, &pair.client, &pair.server, MUCH, 5000);
    pair_close(&pair);
}

static void writing_nothing_sends_nothing(void **state)
{
    (void)state;
    struct pair pair;
    size_t size = 1;
    const struct iovec nothing = {(char *)(uintptr_t)"", 0};
    pair_open_sound(&pair);
    assert_int_equal(socket_try_write(&pair.client.socket, &nothing, 1, &size), STATUS_OK);
    assert_int_equal(size, 0);
    carry(&pair, &pair.client, &pair.server, 10, 10);
    pair_close(&pair);
}

static void what_decrypts_to_more_than_was_asked_for_is_input_still(void **state)
{
    (void)state;
    struct pair pair;
    char bytes[4];
    size_t size;
    const struct iovec piece = {(char *)(uintptr_t)"abcdef", 6};
    pair_open_sound(&pair);
    assert_int_equal(socket_try_write(&pair.server.socket, &piece, 1, &size), STATUS_OK);
    loop_fixture_settle(pair.loop);
    assert_int_equal(socket_try_read(&pair.client.socket, bytes, 4, &size), STATUS_OK);
    assert_int_equal(size, 4);
    assert_true(socket_has_input(&pair.client.socket));
    assert_int_equal(socket_try_read(&pair.client.socket, bytes, 4, &size), STATUS_OK);
    assert_int_equal(size, 2);
    assert_int_equal(socket_try_read(&pair.client.socket, bytes, 4, &size), STATUS_AGAIN);
    pair_close(&pair);
}

/* --- Ends --- */

static void expect_end(struct pair *pair, bool is_whole)
{
    char byte;
    pair->client.bytes = &byte;
    pair->client.size = 0;
    pair->client.capacity = pair->client.step = 1;
    pair->client.is_over = false;
    loop_fixture_run(pair->loop, receive_all, &pair->client);
    loop_fixture_until_set(pair->loop, &pair->client.is_over);
    assert_int_equal(pair->client.status, STATUS_CLOSED);
    assert_int_equal(pair->client.socket.was_reset, !is_whole);
    assert_false(socket_is_reusable(&pair->client.socket));
}

static void an_end_with_a_goodbye_is_told_from_one_without(void **state)
{
    (void)state;
    struct pair pair;
    pair_open_sound(&pair);
    socket_close(&pair.server.socket);
    expect_end(&pair, true);
    pair_close(&pair);

    pair_open_sound(&pair);
    shutdown(pair.server.socket.fd, SHUT_RDWR);
    expect_end(&pair, false);
    pair_close(&pair);
}

static void a_write_to_an_end_that_is_gone_says_so(void **state)
{
    (void)state;
    struct pair pair;
    static char bytes[MUCH];
    pair_open_sound(&pair);
    socket_close(&pair.server.socket);
    pair.client.bytes = bytes;
    pair.client.size = sizeof(bytes);
    pair.client.is_over = false;
    loop_fixture_run(pair.loop, send_all, &pair.client);
    loop_fixture_until_set(pair.loop, &pair.client.is_over);
    assert_int_equal(pair.client.status, STATUS_CLOSED);
    pair_close(&pair);
}

static void session_tickets_alone_leave_a_connection_reusable(void **state)
{
    (void)state;
    struct pair pair;
    size_t size;
    const struct iovec piece = {(char *)(uintptr_t)"x", 1};
    pair_open_sound(&pair);
    loop_fixture_settle(pair.loop);
    assert_true(socket_has_input(&pair.client.socket)); /* the tickets */
    assert_true(socket_is_reusable(&pair.client.socket));
    assert_non_null(pair.client.session.ssl_session);
    assert_true(socket_is_reusable(&pair.client.socket));
    assert_int_equal(socket_try_write(&pair.server.socket, &piece, 1, &size), STATUS_OK);
    loop_fixture_settle(pair.loop);
    assert_false(socket_is_reusable(&pair.client.socket));
    pair_close(&pair);
}

/* --- Handshakes that do not come to their end --- */

static void a_handshake_ends_at_its_deadline(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, &own, own.ca, "upstream.test");
    pair.client.deadline_ms = loop_deadline(pair.loop, 10);
    loop_fixture_run(pair.loop, shake_hands, &pair.client);
    loop_fixture_until_set(pair.loop, &pair.client.is_over);
    assert_int_equal(pair.client.status, STATUS_TIMED_OUT);
    pair_close(&pair);
}

static void a_handshake_can_be_cancelled(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, &own, own.ca, "upstream.test");
    loop_fixture_run(pair.loop, shake_hands, &pair.server);
    assert_false(pair.server.is_over);
    task_cancel(pair.server.task);
    loop_fixture_until_set(pair.loop, &pair.server.is_over);
    assert_int_equal(pair.server.status, STATUS_CANCELLED);
    pair_close(&pair);
}

static void what_is_no_handshake_is_refused(void **state)
{
    (void)state;
    static const char *const greetings[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01",
                                            "\x16\x03\x01\xff\xff\xff\xff\xff\xff", ""};
    for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
        int fds[2];
        struct end server;
        struct peer peer;
        peer_tcp_pair(fds);
        struct loop *loop = loop_fixture_create();
        end_open(&server, loop, fds[0], server_context(&own), NULL);
        peer_open(&peer, loop, fds[1]);
        loop_fixture_run(loop, shake_hands, &server);
        peer_send_text(&peer, greetings[i]);
        shutdown(peer.fd, SHUT_WR);
        loop_fixture_until_set(loop, &server.is_over);
        assert_true(server.status == STATUS_PROTOCOL || server.status == STATUS_CLOSED);
        end_close(&server);
        peer_close(&peer);
        loop_fixture_destroy(&loop);
    }
}

static void a_handshake_without_memory_says_so(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, &own, own.ca, "upstream.test");
    alloc_fail_nth(0);
    loop_fixture_run(pair.loop, shake_hands, &pair.client);
    alloc_fail_nth(-1);
    assert_int_equal(pair.client.status, STATUS_NO_MEMORY);
    pair_close(&pair);
}

/* --- Against OpenSSL itself --- */

struct raw {
    struct peer peer;
    SSL_CTX *context;
    SSL *ssl;
    bool is_done, has_failed;
};

/* `opposite` is the end under test, which runs in a task. */
static void raw_open(struct raw *raw, struct loop *loop, int fd, bool is_server)
{
    *raw =
        (struct raw){.context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method())};
    assert_non_null(raw->context);
    if (is_server) {
        assert_int_equal(SSL_CTX_use_certificate_chain_file(raw->context, own.chain), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(raw->context, own.key, SSL_FILETYPE_PEM), 1);
    }
    peer_open(&raw->peer, loop, fd);
}

static void raw_begin(struct raw *raw, bool is_server)
{
    raw->ssl = SSL_new(raw->context);
    assert_non_null(raw->ssl);
    assert_int_equal(SSL_set_fd(raw->ssl, raw->peer.fd), 1);
    if (is_server)
        SSL_set_accept_state(raw->ssl);
    else
        SSL_set_connect_state(raw->ssl);
}

static bool raw_step(void *argument)
{
    struct raw *raw = argument;
    const int result = SSL_do_handshake(raw->ssl);
    const int error = SSL_get_error(raw->ssl, result);
    raw->is_done = result == 1;
    raw->has_failed = result != 1 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
    return raw->is_done || raw->has_failed;
}

static void raw_close(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->context);
    peer_close(&raw->peer);
}

static const unsigned char offers_h2[] = "\x02h2";
static const unsigned char offers_both[] = "\x02h2\x08http/1.1";

/* A client that offers these protocols meets our server; returns whether it was served. */
static bool is_served(const unsigned char *protocols, size_t size, int version_max,
                      const char *expected)
{
    int fds[2];
    struct end server;
    struct raw client;
    peer_tcp_pair(fds);
    struct loop *loop = loop_fixture_create();
    end_open(&server, loop, fds[0], server_context(&own), NULL);
    raw_open(&client, loop, fds[1], false);
    SSL_CTX_set_max_proto_version(client.context, version_max);
    SSL_CTX_set_security_level(client.context, 0); /* else it would not even ask for TLS 1.1 */
    assert_int_equal(SSL_CTX_set_alpn_protos(client.context, protocols, (unsigned)size), 0);
    raw_begin(&client, false);
    loop_fixture_run(loop, shake_hands, &server);
    loop_fixture_until(loop, raw_step, &client);
    const unsigned char *chosen = NULL;
    unsigned chosen_size = 0;
    SSL_get0_alpn_selected(client.ssl, &chosen, &chosen_size);
    if (client.is_done)
        assert_true(slice_equal(slice_of(chosen, chosen_size), slice_from_text(expected)));
    loop_fixture_until_set(loop, &server.is_over);
    assert_int_equal(server.status, client.is_done ? STATUS_OK : STATUS_PROTOCOL);
    const bool was_served = client.is_done;
    raw_close(&client);
    end_close(&server);
    loop_fixture_destroy(&loop);
    return was_served;
}

static void of_the_protocols_offered_http_1_1_is_chosen(void **state)
{
    (void)state;
    assert_true(is_served(offers_both, sizeof(offers_both) - 1, TLS1_3_VERSION, "http/1.1"));
    assert_true(is_served(offers_both, sizeof(offers_both) - 1, TLS1_2_VERSION, "http/1.1"));
    assert_true(is_served(NULL, 0, TLS1_3_VERSION, ""));
    assert_false(is_served(offers_h2, sizeof(offers_h2) - 1, TLS1_3_VERSION, ""));
}

static void versions_before_1_2_are_refused(void **state)
{
    (void)state;
    assert_true(is_served(NULL, 0, TLS1_2_VERSION, ""));
    assert_false(is_served(NULL, 0, TLS1_1_VERSION, ""));
    assert_false(is_served(NULL, 0, TLS1_VERSION, ""));
}

/* Our client meets a server of OpenSSL's; returns whether the session was resumed. */
static bool resumes(struct loop *loop, SSL_CTX *server_ssl, struct tls_context *context,
                    struct tls_session *session)
{
    int fds[2];
    struct end client;
    peer_tcp_pair(fds);
    end_open(&client, loop, fds[0], tls_context_ref(context), "upstream.test");
    client.session = *session;
    struct raw server = {.context = server_ssl};
    peer_open(&server.peer, loop, fds[1]);
    raw_begin(&server, true);
    loop_fixture_run(loop, shake_hands, &client);
    loop_fixture_until(loop, raw_step, &server);
    loop_fixture_until_set(loop, &client.is_over);
    assert_int_equal(client.status, STATUS_OK);
    loop_fixture_settle(loop);
    assert_true(socket_is_reusable(&client.socket)); /* takes the tickets in */
    const bool was_reused = SSL_session_reused(server.ssl);
    const unsigned char *name =
        (const unsigned char *)SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name);
    assert_true(name == NULL || strcmp((const char *)name, "upstream.test") == 0);
    socket_close(&client.socket);
    *session = client.session;
    client.session = (struct tls_session){0};
    end_close(&client);
    SSL_free(server.ssl);
    peer_close(&server.peer);
    return was_reused;
}

static void a_session_is_resumed(int version)
{
    struct loop *loop = loop_fixture_create();
    struct tls_context *context = client_context(own.ca);
    struct tls_session session = {0};
    struct raw server;
    raw_open(&server, loop, -1, true);
    SSL_CTX_set_max_proto_version(server.context, version);
    assert_false(resumes(loop, server.context, context, &session));
    assert_non_null(session.ssl_session);
    for (int i = 0; i < 3; i++)
        assert_true(resumes(loop, server.context, context, &session));
    tls_session_fini(&session);
    assert_null(session.ssl_session);
    assert_false(resumes(loop, server.context, context, &session));
    tls_session_fini(&session);
    tls_context_unref(&context);
    raw_close(&server);
    loop_fixture_destroy(&loop);
}

static void sessions_are_resumed_in_both_versions(void **state)
{
    (void)state;
    a_session_is_resumed(TLS1_3_VERSION);
    a_session_is_resumed(TLS1_2_VERSION);
}

static void a_broken_record_breaks_the_connection(void **state)
{
    (void)state;
    static const char record[] = "\x17\x03\x03\x00\x20thirty-two bytes, all of nonsense";
    struct pair pair;
    char byte;
    pair_open_sound(&pair);
    assert_int_equal(write(pair.server.socket.fd, record, 5 + 32), 5 + 32);
    pair.client.bytes = &byte;
    pair.client.capacity = pair.client.step = 1;
    pair.client.is_over = false;
    loop_fixture_run(pair.loop, receive_all, &pair.client);
    loop_fixture_until_set(pair.loop, &pair.client.is_over);
    assert_int_equal(pair.client.status, STATUS_PROTOCOL);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_cannot_be_used_is_named),
        cmocka_unit_test(without_a_file_of_its_own_a_client_trusts_the_system),
        cmocka_unit_test(a_context_without_memory_is_not_made),
        cmocka_unit_test(a_certificate_is_checked_by_name_authority_and_time),
        cmocka_unit_test(the_names_of_a_certificate_are_accepted),
        cmocka_unit_test(bytes_arrive_both_ways_in_any_steps),
        cmocka_unit_test(more_than_the_kernel_takes_at_once_arrives),
        cmocka_unit_test(writing_nothing_sends_nothing),
        cmocka_unit_test(what_decrypts_to_more_than_was_asked_for_is_input_still),
        cmocka_unit_test(an_end_with_a_goodbye_is_told_from_one_without),
        cmocka_unit_test(a_write_to_an_end_that_is_gone_says_so),
        cmocka_unit_test(session_tickets_alone_leave_a_connection_reusable),
        cmocka_unit_test(a_handshake_ends_at_its_deadline),
        cmocka_unit_test(a_handshake_can_be_cancelled),
        cmocka_unit_test(what_is_no_handshake_is_refused),
        cmocka_unit_test(a_handshake_without_memory_says_so),
        cmocka_unit_test(of_the_protocols_offered_http_1_1_is_chosen),
        cmocka_unit_test(versions_before_1_2_are_refused),
        cmocka_unit_test(sessions_are_resumed_in_both_versions),
        cmocka_unit_test(a_broken_record_breaks_the_connection),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
