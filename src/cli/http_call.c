#include "cli/http_call.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/chunked.h"

#define READ_BYTES  16384
#define HEADERS_MAX 200
#define HEAD_GROWTH 1024 /* of a request's head, over its own parts */

/* Waits until the socket is ready. */
static enum status wait_for(int fd, short events, uint64_t deadline_ns)
{
    for (;;) {
        const uint64_t now_ns = clock_monotonic_ns();
        if (now_ns >= deadline_ns)
            return STATUS_TIMED_OUT;
        struct pollfd poller = {.fd = fd, .events = events};
        const uint64_t left_ms = (deadline_ns - now_ns) / NS_PER_MS + 1;
        const int ready = poll(&poller, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);
        if (ready > 0)
            return STATUS_OK;
        if (ready < 0 && errno != EINTR)
            return STATUS_IO;
    }
}

static enum status connect_status(int error)
{
    if (error == EACCES || error == EPERM)
        return STATUS_DENIED;
    return error == ECONNREFUSED || error == ENOENT ? STATUS_CLOSED : STATUS_IO;
}

static enum status finish_connect(int fd, uint64_t deadline_ns)
{
    int error = 0;
    socklen_t size = sizeof(error);
    const enum status status = wait_for(fd, POLLOUT, deadline_ns);
    if (status != STATUS_OK)
        return status;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return STATUS_IO;
    return error == 0 ? STATUS_OK : connect_status(error);
}

enum status http_call_connect(const struct sockaddr *address, socklen_t size, uint64_t deadline_ns,
                              int *fd_out)
{
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return STATUS_IO;
    enum status status = STATUS_OK;
    if (connect(fd, address, size) != 0)
        status = errno == EINPROGRESS ? finish_connect(fd, deadline_ns) : connect_status(errno);
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    *fd_out = fd;
    return STATUS_OK;
}

static bool is_would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* A server may answer before it has read all, and close: then there is an answer to be read. */
static enum status send_all(int fd, struct slice bytes, uint64_t deadline_ns)
{
    while (bytes.size > 0) {
        const ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes = slice_from(bytes, (size_t)sent);
        } else if (is_would_block(errno)) {
            const enum status status = wait_for(fd, POLLOUT, deadline_ns);
            if (status != STATUS_OK)
                return status;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return STATUS_OK;
        } else if (errno != EINTR) {
            return STATUS_IO;
        }
    }
    return STATUS_OK;
}

/* Reads on. STATUS_CLOSED: there is no more. */
static enum status receive(int fd, struct buffer *answer, uint64_t deadline_ns)
{
    enum status status = buffer_reserve(answer, READ_BYTES);
    while (status == STATUS_OK) {
        const ssize_t got = recv(fd, answer->data + answer->size, READ_BYTES, 0);
        if (got > 0) {
            answer->size += (size_t)got;
            return STATUS_OK;
        }
        if (got == 0 || errno == ECONNRESET)
            return STATUS_CLOSED;
        if (is_would_block(errno))
            status = wait_for(fd, POLLIN, deadline_ns);
        else if (errno != EINTR)
            status = STATUS_IO;
    }
    return status;
}

/* Reads a head, which is taken off the answer. */
static enum status take_head(int fd, const struct http_call *call, struct buffer *answer,
                             struct arena *arena, struct http_response_head *head_out)
{
    static const struct http_head_limits limits = {.headers_max = HEADERS_MAX};
    size_t scanned = 0, size = 0;
    enum status status;
    while ((status = http_head_find_end(buffer_slice(answer), &scanned, &size)) == STATUS_AGAIN) {
        status = receive(fd, answer, call->deadline_ns);
        if (status != STATUS_OK)
            return status;
    }
    if (status != STATUS_OK)
        return status;
    const struct slice head = arena_copy(arena, slice_of(answer->data, size));
    if (head.data == NULL)
        return STATUS_NO_MEMORY;
    buffer_consume(answer, size);
    return http_response_head_parse(head, slice_equal(call->method, SLICE("HEAD")), &limits, arena,
                                    head_out, NULL);
}

static enum status take_length(int fd, const struct http_call *call, uint64_t length,
                               struct buffer *answer)
{
    while (answer->size < length) {
        const enum status status = receive(fd, answer, call->deadline_ns);
        if (status != STATUS_OK)
            return status;
    }
    answer->size = (size_t)length;
    return STATUS_OK;
}

static enum status take_chunks(int fd, const struct http_call *call, struct buffer *answer)
{
    struct chunked chunked;
    size_t payload = 0; /* decoded so far, at the front of the answer */
    chunked_init(&chunked);
    for (;;) {
        size_t consumed, more;
        enum status status = chunked_decode(&chunked, answer->data + payload,
                                            answer->size - payload, &consumed, &more);
        payload += more;
        answer->size = payload;
        if (status != STATUS_AGAIN)
            return status;
        status = receive(fd, answer, call->deadline_ns);
        if (status != STATUS_OK)
            return status;
    }
}

static enum status take_rest(int fd, const struct http_call *call, struct buffer *answer)
{
    enum status status;
    do
        status = receive(fd, answer, call->deadline_ns);
    while (status == STATUS_OK);
    return status == STATUS_CLOSED ? STATUS_OK : status;
}

static enum status take_body(int fd, const struct http_call *call,
                             const struct http_response_head *head, struct buffer *answer)
{
    switch (head->framing) {
    case HTTP_FRAMING_LENGTH:
        return take_length(fd, call, head->content_length, answer);
    case HTTP_FRAMING_CHUNKED:
        return take_chunks(fd, call, answer);
    case HTTP_FRAMING_CLOSE:
        return take_rest(fd, call, answer);
    case HTTP_FRAMING_NONE:
        break;
    }
    answer->size = 0;
    return STATUS_OK;
}

/* The body is not copied: it may hold a secret. */
static enum status send_request(int fd, const struct http_call *call)
{
    struct buffer head;
    buffer_init(&head, call->fields.size + call->target.size + HEAD_GROWTH);
    buffer_printf(&head,
                  "%.*s %.*s HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n"
                  "Content-Length: %zu\r\n%.*s\r\n",
                  SLICE_ARGS(call->method), SLICE_ARGS(call->target), call->body.size,
                  SLICE_ARGS(call->fields));
    enum status status = buffer_status(&head);
    if (status == STATUS_OK)
        status = send_all(fd, buffer_slice(&head), call->deadline_ns);
    if (status == STATUS_OK)
        status = send_all(fd, call->body, call->deadline_ns);
    buffer_fini(&head);
    return status;
}

enum status http_call_run(int fd, const struct http_call *call, struct buffer *answer,
                          struct arena *arena, struct http_response_head *head_out)
{
    buffer_clear(answer);
    enum status status = send_request(fd, call);
    do {
        if (status == STATUS_OK)
            status = take_head(fd, call, answer, arena, head_out);
    } while (status == STATUS_OK && head_out->status < 200);
    return status == STATUS_OK ? take_body(fd, call, head_out, answer) : status;
}
