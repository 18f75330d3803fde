#include "support/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define RECEIVED_BYTES_MAX ((size_t)64 << 20)

void peer_open(struct peer *peer, struct loop *loop, int fd)
{
    *peer = (struct peer){.loop = loop, .fd = fd};
    buffer_init(&peer->received, RECEIVED_BYTES_MAX);
}

void peer_close(struct peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    buffer_fini(&peer->received);
}

void peer_reset(struct peer *peer)
{
    const struct linger now = {.l_onoff = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    peer_close(peer);
}

/* --- Sending --- */

void peer_send(struct peer *peer, struct slice bytes)
{
    const uint64_t end_ns = clock_monotonic_ns() + LOOP_FIXTURE_MS_MAX * NS_PER_MS;
    while (bytes.size > 0) {
        const ssize_t sent = send(peer->fd, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            assert_int_equal(errno, EAGAIN);
            assert_true(clock_monotonic_ns() < end_ns);
            loop_turn(peer->loop, 1);
            continue;
        }
        bytes = slice_from(bytes, (size_t)sent);
    }
}

void peer_send_text(struct peer *peer, const char *text)
{
    peer_send(peer, slice_from_text(text));
}

void peer_send_bytewise(struct peer *peer, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        peer_send(peer, slice_of(bytes.data + i, 1));
        loop_turn(peer->loop, 0);
        loop_turn(peer->loop, 0);
    }
}

/* --- Receiving --- */

void peer_read(struct peer *peer)
{
    char bytes[2048];
    while (!peer->has_ended) {
        const ssize_t got = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            peer->has_ended = true;
            peer->was_reset = got < 0;
            return;
        }
        assert_int_equal(buffer_append(&peer->received, slice_of(bytes, (size_t)got)), STATUS_OK);
    }
}

struct expectation {
    struct peer *peer;
    struct slice text;
    size_t size;
};

static bool has_text(void *argument)
{
    const struct expectation *expectation = argument;
    peer_read(expectation->peer);
    const struct slice received = buffer_slice(&expectation->peer->received);
    return slice_find(received, expectation->text) < received.size;
}

void peer_expect(struct peer *peer, const char *text)
{
    loop_fixture_until(peer->loop, has_text,
                       &(struct expectation){.peer = peer, .text = slice_from_text(text)});
}

static bool has_size(void *argument)
{
    const struct expectation *expectation = argument;
    peer_read(expectation->peer);
    return expectation->peer->received.size >= expectation->size;
}

void peer_expect_size(struct peer *peer, size_t size)
{
    loop_fixture_until(peer->loop, has_size, &(struct expectation){.peer = peer, .size = size});
}

static bool has_ended(void *argument)
{
    struct peer *peer = argument;
    peer_read(peer);
    return peer->has_ended;
}

void peer_expect_end(struct peer *peer)
{
    loop_fixture_until(peer->loop, has_ended, peer);
}

void peer_forget(struct peer *peer)
{
    buffer_clear(&peer->received);
}

unsigned peer_count(const struct peer *peer, const char *text)
{
    const struct slice needle = slice_from_text(text);
    struct slice rest = buffer_slice(&peer->received);
    unsigned count = 0;
    for (;;) {
        const size_t at = slice_find(rest, needle);
        if (at == rest.size)
            return count;
        count++;
        rest = slice_from(rest, at + needle.size);
    }
}

bool peer_has(const struct peer *peer, const char *text)
{
    return peer_count(peer, text) > 0;
}

/* --- TCP on the loopback --- */

uint16_t peer_port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

int peer_listen(uint16_t *port_out)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    assert_true(fd >= 0);
    /* Inherited: no small piece waits for the acknowledgement of another. */
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 64), 0);
    *port_out = peer_port_of(fd);
    return fd;
}

struct acceptance {
    int listening_fd, fd;
};

static bool has_accepted(void *argument)
{
    struct acceptance *acceptance = argument;
    acceptance->fd = accept4(acceptance->listening_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return acceptance->fd >= 0;
}

void peer_accept(struct peer *peer, struct loop *loop, int listening_fd)
{
    struct acceptance acceptance = {.listening_fd = listening_fd};
    loop_fixture_until(loop, has_accepted, &acceptance);
    peer_open(peer, loop, acceptance.fd);
}

static int connect_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

void peer_connect(struct peer *peer, struct loop *loop, uint16_t port)
{
    peer_open(peer, loop, connect_to(port));
}

void peer_tcp_pair(int fds_out[2])
{
    uint16_t port;
    const int listening = peer_listen(&port);
    fds_out[0] = connect_to(port);
    fds_out[1] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fds_out[1] >= 0);
    close(listening);
}
