/* Stream sockets whose waits read like calls, in the clear or over TLS.
 *
 * Each call tries first and suspends the running task only when the kernel has nothing to give or
 * no room to take. A socket is entered into the loop's epoll set once, at its birth, and knows
 * from its events whether a try is worth while.
 *
 * Lifecycle: socket_open() or socket_connect(); reads and writes by one task at a time; then
 * socket_close(). While a request is worked on, its task may be the socket's owner: when the peer
 * goes away, the owner's wait is cancelled, wherever it is.
 * A peer that shuts down its sending side counts as gone.
 * Memory: the socket lies in its owner's struct. Thread: the loop's.
 *
 * Statuses of waits: STATUS_OK; STATUS_CLOSED: the peer ended or reset the connection;
 * STATUS_TIMED_OUT; STATUS_CANCELLED (once); STATUS_PROTOCOL: TLS went wrong. */
#ifndef IO_SOCKET_H
#define IO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/status.h"
#include "io/address.h"
#include "io/loop.h"

struct tls; /* io/tls.h */

struct socket {
    struct loop_watch watch;
    struct loop *loop;
    int fd; /* -1: closed */
    bool is_readable;
    bool is_writable;
    bool is_hung_up; /* the peer will send nothing after what is there */
    bool was_reset;
    bool wants_read, wants_write; /* what the waiter waits for */
    struct task *waiter;
    struct task *owner;
    /* Called when something happens while nobody waits; may close and free the socket. */
    void (*on_idle_event)(struct socket *socket);
    struct tls *tls; /* owned; NULL in the clear */
};

/* Takes `fd`, a connected non-blocking stream socket. STATUS_IO: the kernel refused to watch it;
 * the descriptor is then closed. */
MUST_CHECK enum status socket_open(struct socket *socket, struct loop *loop, int fd);
/* Connects to `address`; on any other status than STATUS_OK the socket is closed.
 * STATUS_CLOSED: refused or unreachable; STATUS_IO: no descriptor was to be had. */
MUST_CHECK enum status socket_connect(struct socket *socket, struct loop *loop,
                                      const struct address *address, uint64_t deadline_ms);
/* Ends the sending side, over TLS with a close_notify; what is read from then on is good for
 * nothing but being counted: over TLS it is the peer's records as they are. */
void socket_end_sending(struct socket *socket);
/* Closes it, with a TLS close_notify if the connection is sound. May be called twice. */
void socket_close(struct socket *socket);

static inline bool socket_is_open(const struct socket *socket)
{
    return socket->fd >= 0;
}

/* Reads 1 to `size` bytes. */
MUST_CHECK enum status socket_read(struct socket *socket, void *bytes_out, size_t size,
                                   uint64_t deadline_ms, size_t *size_out);
/* As socket_read() but never waits: STATUS_AGAIN when nothing is there. */
MUST_CHECK enum status socket_try_read(struct socket *socket, void *bytes_out, size_t size,
                                       size_t *size_out);

/* In the clear only: copies up to `size` bytes, more than the `known` ones that were seen already, and
 * leaves them to be read. `size` is more than `known`. */
MUST_CHECK enum status socket_peek(struct socket *socket, void *bytes_out, size_t size,
                                   size_t known, uint64_t deadline_ms, size_t *size_out);
/* Drops the first `size` of the `seen` bytes that socket_peek() gave. */
MUST_CHECK enum status socket_drop(struct socket *socket, size_t size, size_t seen);

/* Writes what the kernel takes now, maybe nothing; never waits. */
MUST_CHECK enum status socket_try_write(struct socket *socket, const struct iovec *pieces,
                                        int count, size_t *size_out);
/* Drops `size` bytes from the front of the pieces; returns how many pieces are done then. */
int socket_skip(struct iovec *pieces, int count, size_t size);
/* Waits until a write would take something. */
MUST_CHECK enum status socket_wait_writable(struct socket *socket, uint64_t deadline_ms);
/* Writes all pieces, which stay as they are until it returns; changes the array.
 * `timeout_ms` is for each wait, since progress was last made. */
MUST_CHECK enum status socket_write(struct socket *socket, struct iovec *pieces, int count,
                                    uint64_t timeout_ms);

/* Whether bytes, or the end, can be read without waiting. May be wrong for TLS, where it says
 * true for what then turns out to be no more than a session ticket. */
bool socket_has_input(const struct socket *socket);

/* The same for certain: on TLS, session tickets are taken in, and are no input. */
bool socket_would_read(struct socket *socket);

/* Whether an idle connection may be used again: nothing was read ahead, the peer has not ended
 * it. On TLS, session tickets are taken in; they alone mean alive. */
bool socket_is_reusable(struct socket *socket);

/* From now on a peer that goes away cancels `owner`; NULL ends that. */
void socket_set_owner(struct socket *socket, struct task *owner);

/* The descriptor's part of the waits above, for io/tls.c: waits for either readiness. */
MUST_CHECK enum status socket_wait(struct socket *socket, bool wants_read, bool wants_write,
                                   uint64_t deadline_ms);

#endif
