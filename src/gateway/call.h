/* Calling the chosen target: the request as upstream gets it, the head of the answer, and the
 * answer's bytes as they come, with a content coding undone that upstream used unasked.
 *
 * Lifecycle: call_start() → call_read()… → call_finish(), whatever happened. */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "gateway/request.h"
#include "http/inflate.h"
#include "json/splice.h"
#include "upstream/attempt.h"

struct call {
    struct request *request;
    struct upstream_attempt attempt;
    uint64_t total_deadline_ms;
    uint64_t first_byte_deadline_ms; /* of the head and, of a stream, the first event */
    bool is_events;                  /* the answer is a successful event stream */
    struct inflate *inflate;         /* NULL: the bytes pass as they are */
    struct body_memory encoded;      /* what is still to be inflated */
    struct body_memory plain;        /* what was inflated last */
    size_t encoded_used;
    bool is_ended; /* the last byte was given out */
};

/* A call that is not begun: call_finish() does nothing. */
void call_init(struct call *call, struct request *request);

/* Sends `body` and reads the head of the answer. STATUS_OK; else the error is noted (or the
 * client is gone, as the outcome says). */
MUST_CHECK enum status call_start(struct call *call, struct request *request,
                                  const struct json_pieces *body);

/* The next bytes of the answer; size 0 only when call->is_ended. They lie in the loop's scratch
 * or in the call, may be changed there, and are good until the task waits.
 * Statuses of upstream_attempt_read(); call_fail() turns them into an error. */
MUST_CHECK enum status call_read(struct call *call, uint64_t deadline_ms, struct slice *bytes_out);

/* Notes the error, or the outcome, that the failed attempt stands for. Returns STATUS_DENIED. */
enum status call_fail(struct call *call);

void call_finish(struct call *call);

#endif
