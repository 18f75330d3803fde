/* One HTTP/1.1 request over a blocking connection, and its answer, held whole. For commands; the
 * gateway's own calls are in upstream/.
 *
 * Thread: any; calls block up to their deadline. Memory: the caller's buffer and arena. */
#ifndef CLI_HTTP_CALL_H
#define CLI_HTTP_CALL_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "http/response_head.h"

struct http_call {
    struct slice method, target;
    struct slice fields; /* further lines of the head, each with its CRLF */
    struct slice body;
    uint64_t deadline_ns; /* of the monotonic clock, for everything */
};

/* Connects a socket that does not block. *fd_out is to be closed. STATUS_TIMED_OUT;
 * STATUS_DENIED: the caller may not open it; STATUS_CLOSED: nobody listens there; STATUS_IO. */
MUST_CHECK enum status http_call_connect(const struct sockaddr *address, socklen_t size,
                                         uint64_t deadline_ns, int *fd_out);

/* Sends the request with `Connection: close` and reads the answer; a 1xx is passed over. The body
 * is what `answer` holds then, without any transfer coding. *head_out lies in the arena.
 * STATUS_TIMED_OUT; STATUS_CLOSED: the answer ended too early; STATUS_PROTOCOL: it is no HTTP;
 * STATUS_TOO_LARGE: longer than `answer` may be; STATUS_NO_MEMORY; STATUS_IO. */
MUST_CHECK enum status http_call_run(int fd, const struct http_call *call, struct buffer *answer,
                                     struct arena *arena, struct http_response_head *head_out);

#endif
