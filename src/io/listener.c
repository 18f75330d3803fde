#include "io/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

/* A turn's share of new connections, so that a flood does not starve the others. */
#define ACCEPTS_PER_TURN 64

static enum status bind_error(int error, const char *where, struct reason *reason)
{
    switch (error) {
    case EADDRINUSE:
        reason_set(reason, "%s is in use by another program; stop it or choose another address",
                   where);
        return STATUS_EXISTS;
    case EACCES:
    case EPERM:
        reason_set(reason,
                   "not permitted to listen on %s; choose a port above 1023 or give weir "
                   "the capability CAP_NET_BIND_SERVICE",
                   where);
        return STATUS_DENIED;
    case EADDRNOTAVAIL:
        reason_set(reason, "%s is no address of this machine", where);
        return STATUS_INVALID;
    default:
        reason_set(reason, "cannot listen on %s: %s", where, strerror(error));
        return STATUS_IO;
    }
}

/* A port of 0, for tests, is bound as the kernel likes. */
static bool is_taken(const struct address *address)
{
    const int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const bool taken = bind(fd, &address->socket.any, address->size) != 0 && errno == EADDRINUSE;
    close(fd);
    return taken;
}

static bool bind_tcp(int fd, const struct address *address)
{
    const int on = 1;
    if (address->socket.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 && /* inherited */
           bind(fd, &address->socket.any, address->size) == 0 && listen(fd, LISTENER_BACKLOG) == 0;
}

static void describe(const struct address *address, char *text, size_t size)
{
    char host[ADDRESS_TEXT_BYTES];
    address_format(address, host);
    const bool is_v6 = address->socket.any.sa_family == AF_INET6;
    const unsigned port = ntohs(is_v6 ? address->socket.v6.sin6_port : address->socket.v4.sin_port);
    snprintf(text, size, is_v6 ? "[%s]:%u" : "%s:%u", host, port);
}

enum status listener_open_tcp(struct listener *listener, const struct address *address,
                              struct reason *reason)
{
    char where[ADDRESS_TEXT_BYTES + 8];
    *listener = (struct listener){.fd = -1};
    timer_init(&listener->resume, NULL);
    describe(address, where, sizeof(where));
    const int fd =
        socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !bind_tcp(fd, address)) {
        const enum status status = bind_error(errno, where, reason);
        if (fd >= 0)
            close(fd);
        return status;
    }
    listener->fd = fd;
    return STATUS_OK;
}

enum status listener_check_free(const struct address *address, struct reason *reason)
{
    char where[ADDRESS_TEXT_BYTES + 8];
    if (!is_taken(address))
        return STATUS_OK;
    describe(address, where, sizeof(where));
    return bind_error(EADDRINUSE, where, reason);
}

/* A socket file on which connecting is refused was left behind by a killed process. */
static void remove_stale(const struct sockaddr_un *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
}

enum status listener_open_unix(struct listener *listener, const char *path, mode_t mode,
                               struct reason *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *listener = (struct listener){.fd = -1};
    timer_init(&listener->resume, NULL);
    if (strlen(path) >= sizeof(address.sun_path)) {
        reason_set(reason,
                   "%s is longer than the %zu bytes of a socket's path; choose a shorter "
                   "data_dir",
                   path, sizeof(address.sun_path) - 1);
        return STATUS_INVALID;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    remove_stale(&address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const mode_t former = umask(0777 & ~mode);
    const bool is_bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                          listen(fd, LISTENER_BACKLOG) == 0;
    const int error = errno;
    umask(former);
    if (!is_bound) {
        if (fd >= 0)
            close(fd);
        return bind_error(error, path, reason);
    }
    listener->fd = fd;
    return STATUS_OK;
}

/* --- Accepting -------------------------------------------------------------------------------- */

static void pause_accepting(struct listener *listener)
{
    loop_watch_remove(listener->loop, listener->fd);
    listener->is_accepting = false;
    timer_arm(loop_timers(listener->loop), &listener->resume,
              loop_deadline(listener->loop, LISTENER_PAUSE_MS));
}

static void on_connections(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct listener *listener = LIST_ENTRY(watch, struct listener, watch);
    for (int i = 0; i < ACCEPTS_PER_TURN && listener->is_accepting; i++) {
        union {
            struct sockaddr any;
            struct sockaddr_storage storage;
        } peer = {0};
        socklen_t size = sizeof(peer);
        const int fd = accept4(listener->fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(listener);
            if (errno != ECONNABORTED && errno != EINTR)
                return;
            continue;
        }
        const struct address address = address_from(&peer.any, size);
        listener->on_accept(listener, fd, &address);
    }
}

static void resume_accepting(struct timer *timer)
{
    struct listener *listener = LIST_ENTRY(timer, struct listener, resume);
    listener->is_accepting =
        loop_watch_listener(listener->loop, listener->fd, &listener->watch) == STATUS_OK;
    if (!listener->is_accepting)
        timer_arm(loop_timers(listener->loop), &listener->resume,
                  loop_deadline(listener->loop, LISTENER_PAUSE_MS));
}

enum status listener_start(struct listener *listener, struct loop *loop,
                           void (*on_accept)(struct listener *listener, int fd,
                                             const struct address *peer),
                           void *context)
{
    ASSERT(listener->fd >= 0);
    listener->watch.on_events = on_connections;
    listener->loop = loop;
    listener->on_accept = on_accept;
    listener->context = context;
    timer_init(&listener->resume, resume_accepting);
    const enum status status = loop_watch_listener(loop, listener->fd, &listener->watch);
    listener->is_accepting = status == STATUS_OK;
    return status;
}

void listener_stop(struct listener *listener)
{
    timer_remove(&listener->resume);
    listener->is_accepting = false;
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}
