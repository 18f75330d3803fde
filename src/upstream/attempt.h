/* One call to an endpoint: request out, answer in.
 *
 * Lifecycle: upstream_attempt_start() gets a connection, sends the request and reads the head of
 * the answer; upstream_attempt_read() gives the body piece by piece; upstream_attempt_finish()
 * keeps the connection for the next call if this one ended cleanly, and closes it otherwise.
 * A connection that was kept and turns out dead (it ends with no byte received, within a second
 * of sending) is replaced by a new one, once.
 *
 * Memory: the head's slices live in the arena given; payloads lie in the loop's scratch, good
 * until the task waits. The task reads the first payload before it waits for anything else.
 * Thread: the loop's. */
#ifndef UPSTREAM_ATTEMPT_H
#define UPSTREAM_ATTEMPT_H

#include <sys/uio.h>

#include "base/arena.h"
#include "http/body_memory.h"
#include "http/chunked.h"
#include "http/response_head.h"
#include "http/scratch.h"
#include "upstream/endpoint.h"

#define UPSTREAM_PIECES_MAX 24

/* Where an attempt failed, for figures and for the error that the client sees. */
enum upstream_failure {
    UPSTREAM_FAILURE_NONE,
    UPSTREAM_FAILURE_RESOLVE,
    UPSTREAM_FAILURE_CONNECT,
    UPSTREAM_FAILURE_TLS,
    UPSTREAM_FAILURE_LIMITED, /* too many connections, or no descriptor or memory for one */
    UPSTREAM_FAILURE_TIMED_OUT,
    UPSTREAM_FAILURE_CLOSED, /* the connection ended too early */
    UPSTREAM_FAILURE_PROTOCOL,
    UPSTREAM_FAILURE_CANCELLED,
};

/* What one read brings at most. It leaves room in 64 KiB for what goes out with it to a client, who
 * may hold both for long by reading nothing: the head of the answer and the framing. */
#define UPSTREAM_READ_BYTES_MAX (60 * 1024)
/* The same of a head that comes in more than one read, and is held with what came after it. */
#define UPSTREAM_READ_ON_BYTES (8 * 1024)

struct upstream_attempt {
    struct upstream_endpoint *endpoint;
    struct upstream_connection *connection;
    struct scratch *scratch;
    struct arena *arena;
    struct http_response_head head;
    enum upstream_failure failure;
    bool was_reused;   /* the connection that answered had been open already */
    bool was_replaced; /* a dead one was replaced */
    uint64_t sent_ns;  /* when the request was given to the kernel */
    uint64_t received_bytes;
    /* The body that is still to come. */
    size_t read_bytes_max; /* of one read of the body; may be changed between reads */
    struct slice ahead;    /* read with the head; in the scratch or in head_memory */
    uint64_t body_left;    /* with a Content-Length */
    struct chunked chunked;
    bool is_ended;         /* the body is complete */
    bool has_excess;       /* bytes followed it */
    bool request_was_sent; /* all of it */
    struct body_memory head_memory;
};

struct upstream_request {
    struct iovec pieces[UPSTREAM_PIECES_MAX]; /* head and body; they stay until the answer begins */
    int piece_count;
    bool is_head; /* the method is HEAD: the answer has no body */
    size_t answer_head_bytes_max;
    unsigned answer_headers_max;
    uint64_t write_ms;         /* without progress in sending */
    uint64_t head_deadline_ms; /* for the head of the answer; on the loop's clock */
};

/* STATUS_OK: attempt->head is there, and its status may be any from 200 on. Else
 * attempt->failure says where it failed and *reason why. In both cases it must be finished. */
MUST_CHECK enum status upstream_attempt_start(struct upstream_attempt *attempt,
                                              struct upstream_endpoint *endpoint,
                                              const struct upstream_request *request,
                                              struct scratch *scratch, struct arena *arena,
                                              struct reason *reason);

/* The next bytes of the body, transfer coding undone; of size 0 only at its end, when
 * attempt->is_ended (which may also be set with the last bytes). Statuses as for a socket's read;
 * STATUS_PROTOCOL: bad framing. attempt->failure and *reason are set. */
MUST_CHECK enum status upstream_attempt_read(struct upstream_attempt *attempt, uint64_t deadline_ms,
                                             struct slice *payload_out, struct reason *reason);

void upstream_attempt_finish(struct upstream_attempt *attempt);

#endif
