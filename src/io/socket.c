#include "io/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/tls.h"

/* What one read takes at most, so that no turn of the loop gets long. */
#define READ_BYTES_MAX ((size_t)256 * 1024)

/* --- Events --------------------------------------------------------------------------------- */

static void wake_waiter(struct socket *socket)
{
    struct task *waiter = socket->waiter;
    socket->waiter = NULL;
    task_wake(waiter, STATUS_OK);
}

static void on_events(struct loop_watch *watch, uint32_t events)
{
    struct socket *socket = LIST_ENTRY(watch, struct socket, watch);
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        socket->is_hung_up = socket->is_readable = true;
        if (events & (EPOLLHUP | EPOLLERR))
            socket->is_writable = socket->was_reset = true;
    }
    socket->is_readable |= (events & EPOLLIN) != 0;
    socket->is_writable |= (events & EPOLLOUT) != 0;

    if (socket->waiter != NULL) {
        if ((socket->wants_read && socket->is_readable) ||
            (socket->wants_write && (socket->is_writable || socket->is_hung_up)))
            wake_waiter(socket);
        /* The end makes one event only; the wait that it ended may not be the last. */
        if (socket->is_hung_up && socket->owner != NULL)
            task_cancel(socket->owner);
    } else if (socket->owner != NULL) {
        if (socket->is_hung_up)
            task_cancel(socket->owner);
    } else if (socket->on_idle_event != NULL && socket->is_readable) {
        socket->on_idle_event(socket);
    }
}

enum status socket_wait(struct socket *socket, bool wants_read, bool wants_write,
                        uint64_t deadline_ms)
{
    ASSERT(socket->waiter == NULL);
    socket->waiter = task_current(socket->loop);
    socket->wants_read = wants_read;
    socket->wants_write = wants_write;
    const enum status status = task_wait(socket->loop, deadline_ms);
    socket->waiter = NULL;
    return status;
}

void socket_set_owner(struct socket *socket, struct task *owner)
{
    socket->owner = owner;
    if (owner != NULL && socket->is_hung_up)
        task_cancel(owner);
}

/* --- Birth and death ------------------------------------------------------------------------ */

enum status socket_open(struct socket *socket, struct loop *loop, int fd)
{
    *socket = (struct socket){.watch = {on_events}, .loop = loop, .fd = fd, .is_writable = true};
    if (loop_watch_add(loop, fd, &socket->watch) == STATUS_OK)
        return STATUS_OK;
    socket_close(socket);
    return STATUS_IO;
}

/* Connecting ends with writability, which here says no more than that the kernel has decided. */
static enum status finish_connect(struct socket *socket, uint64_t deadline_ms)
{
    socket->is_writable = false;
    const enum status status = socket_wait(socket, false, true, deadline_ms);
    if (status != STATUS_OK)
        return status;
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        return STATUS_CLOSED;
    return STATUS_OK;
}

enum status socket_connect(struct socket *connection, struct loop *loop,
                           const struct address *address, uint64_t deadline_ms)
{
    *connection = (struct socket){.fd = -1};
    const int fd =
        socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return STATUS_IO;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    /* Connected before it is watched, so that the first event is about the connection. */
    const int connected = connect(fd, &address->socket.any, address->size);
    const int error = errno;
    enum status status = socket_open(connection, loop, fd);
    if (status == STATUS_OK && connected != 0)
        status = error == EINPROGRESS ? finish_connect(connection, deadline_ms) : STATUS_CLOSED;
    if (status != STATUS_OK)
        socket_close(connection);
    return status;
}

void socket_end_sending(struct socket *socket)
{
    if (socket->tls != NULL)
        tls_destroy(&socket->tls, !socket->was_reset);
    shutdown(socket->fd, SHUT_WR);
}

void socket_close(struct socket *socket)
{
    if (socket->tls != NULL)
        tls_destroy(&socket->tls, !socket->was_reset);
    if (socket->fd >= 0)
        close(socket->fd);
    socket->fd = -1;
    ASSERT(socket->waiter == NULL);
}

/* The C library's functions for these two are points at which a thread may be cancelled, which
 * costs two atomic updates a call; no thread of weir is ever cancelled. */
static ssize_t receive(int fd, void *bytes_out, size_t size, int flags)
{
    return syscall(SYS_recvfrom, fd, bytes_out, size, flags, NULL, NULL);
}

static ssize_t transmit(int fd, const struct msghdr *message)
{
    return syscall(SYS_sendmsg, fd, message, MSG_NOSIGNAL);
}

/* --- Reading -------------------------------------------------------------------------------- */

static enum status read_error(struct socket *socket)
{
    socket->was_reset = true;
    return STATUS_CLOSED;
}

enum status socket_try_read(struct socket *socket, void *bytes_out, size_t size, size_t *size_out)
{
    if (socket->tls != NULL)
        return tls_try_read(socket, bytes_out, size, size_out);
    while (socket->is_readable) {
        const ssize_t got = receive(socket->fd, bytes_out, size, 0);
        if (got > 0) {
            /* A short count means drained, and more bytes make a new event; but the end of the
             * stream has made its event already (epoll(7), question 9). */
            if ((size_t)got < size && !socket->is_hung_up)
                socket->is_readable = false;
            *size_out = (size_t)got;
            return STATUS_OK;
        }
        if (got == 0)
            return STATUS_CLOSED;
        if (errno == EAGAIN)
            socket->is_readable = false;
        else if (errno != EINTR)
            return read_error(socket);
    }
    return STATUS_AGAIN;
}

enum status socket_read(struct socket *socket, void *bytes_out, size_t size, uint64_t deadline_ms,
                        size_t *size_out)
{
    task_pace(socket->loop);
    const size_t part = size < READ_BYTES_MAX ? size : READ_BYTES_MAX;
    for (;;) {
        enum status status = socket_try_read(socket, bytes_out, part, size_out);
        if (status == STATUS_OK)
            task_charge(socket->loop, *size_out);
        if (status != STATUS_AGAIN)
            return status;
        /* A renegotiating TLS peer may have to be written to before it can be read. */
        const bool wants_write = socket->tls != NULL && tls_wants_write(socket->tls);
        status = socket_wait(socket, !wants_write, wants_write, deadline_ms);
        if (status != STATUS_OK)
            return status;
    }
}

/* What is seen twice makes no second event: only bytes behind the known ones, or the end, do. */
enum status socket_peek(struct socket *socket, void *bytes_out, size_t size, size_t known,
                        uint64_t deadline_ms, size_t *size_out)
{
    ASSERT(socket->tls == NULL && size > known);
    for (;;) {
        const ssize_t got = receive(socket->fd, bytes_out, size, MSG_PEEK);
        if (got > 0 && (size_t)got > known) {
            *size_out = (size_t)got;
            return STATUS_OK;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EAGAIN)
            return read_error(socket);
        if (got == 0 || socket->is_hung_up)
            return STATUS_CLOSED;
        socket->is_readable = false;
        const enum status status = socket_wait(socket, true, false, deadline_ms);
        if (status != STATUS_OK)
            return status;
    }
}

enum status socket_drop(struct socket *socket, size_t size, size_t seen)
{
    char bytes[512];
    size_t left = size;
    while (left > 0) {
        const size_t part = left < sizeof(bytes) ? left : sizeof(bytes);
        const ssize_t got = receive(socket->fd, bytes, part, 0);
        if (got == 0)
            return STATUS_CLOSED;
        if (got > 0)
            left -= (size_t)got;
        else if (errno != EINTR)
            return read_error(socket);
    }
    /* Nothing is left of what was there; more bytes make a new event. */
    if (size == seen && !socket->is_hung_up)
        socket->is_readable = false;
    return STATUS_OK;
}

bool socket_has_input(const struct socket *socket)
{
    return socket->is_readable || (socket->tls != NULL && tls_has_input(socket->tls));
}

bool socket_would_read(struct socket *socket)
{
    if (socket->tls == NULL)
        return socket->is_readable;
    return socket_has_input(socket) && tls_peek(socket) != STATUS_AGAIN;
}

bool socket_is_reusable(struct socket *socket)
{
    if (socket->is_hung_up || !socket_is_open(socket))
        return false;
    if (!socket_has_input(socket))
        return true;
    if (socket->tls == NULL)
        return false;
    char byte;
    size_t size;
    return tls_try_read(socket, &byte, 1, &size) == STATUS_AGAIN && !socket->is_hung_up;
}

/* --- Writing -------------------------------------------------------------------------------- */

enum status socket_try_write(struct socket *socket, const struct iovec *pieces, int count,
                             size_t *size_out)
{
    *size_out = 0;
    if (socket->tls != NULL)
        return tls_try_write(socket, pieces, count, size_out);
    while (socket->is_writable) {
        const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                                       .msg_iovlen = (size_t)count};
        const ssize_t sent = transmit(socket->fd, &message);
        if (sent >= 0) {
            *size_out = (size_t)sent;
            return STATUS_OK;
        }
        if (errno == EAGAIN)
            socket->is_writable = false;
        else if (errno != EINTR)
            return read_error(socket);
    }
    return STATUS_OK;
}

enum status socket_wait_writable(struct socket *socket, uint64_t deadline_ms)
{
    const bool wants_read = socket->tls != NULL && tls_wants_read(socket->tls);
    return socket_wait(socket, wants_read, !wants_read, deadline_ms);
}

int socket_skip(struct iovec *pieces, int count, size_t size)
{
    int done = 0;
    while (done < count && size >= pieces[done].iov_len)
        size -= pieces[done++].iov_len;
    if (done < count) {
        pieces[done].iov_base = (char *)pieces[done].iov_base + size;
        pieces[done].iov_len -= size;
    }
    return done;
}

enum status socket_write(struct socket *socket, struct iovec *pieces, int count,
                         uint64_t timeout_ms)
{
    int done = socket_skip(pieces, count, 0);
    while (done < count) {
        size_t sent;
        task_pace(socket->loop);
        enum status status = socket_try_write(socket, pieces + done, count - done, &sent);
        if (status != STATUS_OK)
            return status;
        task_charge(socket->loop, sent);
        done += socket_skip(pieces + done, count - done, sent);
        if (done < count && sent == 0) {
            status = socket_wait_writable(socket, loop_deadline(socket->loop, timeout_ms));
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}
