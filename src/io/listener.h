/* Listening sockets: TCP on one port by every worker (SO_REUSEPORT), or a Unix socket.
 *
 * Lifecycle: listener_open_tcp/unix() binds and listens; listener_start() begins to accept on a
 * loop; listener_stop() ends that and closes. A start out of descriptors pauses accepting for
 * LISTENER_PAUSE_MS instead of spinning.
 * Thread: opened anywhere, then the loop's. */
#ifndef IO_LISTENER_H
#define IO_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/reason.h"
#include "base/status.h"
#include "io/address.h"
#include "io/loop.h"

#define LISTENER_BACKLOG  4096
#define LISTENER_PAUSE_MS 100

struct listener {
    struct loop_watch watch;
    struct timer resume;
    struct loop *loop;
    int fd; /* -1: closed */
    bool is_accepting;
    /* Takes the connected, non-blocking descriptor. */
    void (*on_accept)(struct listener *listener, int fd, const struct address *peer);
    void *context;
};

/* STATUS_EXISTS: the port is in use; STATUS_DENIED: not permitted; STATUS_INVALID: not an address
 * of this machine; STATUS_IO. The reason says which address and what to do. */
MUST_CHECK enum status listener_open_tcp(struct listener *listener, const struct address *address,
                                         struct reason *reason);
/* Whether another program listens there: since each of weir's own listeners shares the port, one
 * more would not notice. STATUS_EXISTS, with the reason. */
MUST_CHECK enum status listener_check_free(const struct address *address, struct reason *reason);
/* Replaces a socket file that nobody listens on. `mode` is the file's. */
MUST_CHECK enum status listener_open_unix(struct listener *listener, const char *path, mode_t mode,
                                          struct reason *reason);

MUST_CHECK enum status listener_start(struct listener *listener, struct loop *loop,
                                      void (*on_accept)(struct listener *listener, int fd,
                                                        const struct address *peer),
                                      void *context);
/* May be called twice and before the start. */
void listener_stop(struct listener *listener);

#endif
