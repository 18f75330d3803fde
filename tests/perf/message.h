/* Reads HTTP/1.1 messages piece by piece: the head, and a body framed by its length, by chunks, or
 * by the end of the connection. Written for the bench alone, and not weir's own reader, so that a
 * mistake in the one does not hide in the other. */
#ifndef PERF_MESSAGE_H
#define PERF_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

enum message_part {
    MESSAGE_PART_HEAD,
    MESSAGE_PART_SIZED,
    MESSAGE_PART_CHUNK_SIZE,
    MESSAGE_PART_CHUNK_DATA,
    MESSAGE_PART_CHUNK_END,
    MESSAGE_PART_TRAILER,
    MESSAGE_PART_UNTIL_CLOSE,
    MESSAGE_PART_DONE,
};

struct message {
    enum message_part part;
    bool is_response;
    bool is_last;      /* the connection closes after it */
    unsigned status;   /* of a response */
    uint64_t left;     /* body bytes of the message or the chunk that are still to come */
    struct slice head; /* valid until the next bytes are read */
};

void message_init(struct message *message, bool is_response);

/* Takes what it can of the front of `bytes`: *used_out bytes, of which *body_out (maybe empty) are
 * body. STATUS_OK; STATUS_AGAIN nothing can be taken before more bytes follow; STATUS_PROTOCOL. */
MUST_CHECK enum status message_take(struct message *message, struct slice bytes, size_t *used_out,
                                    struct slice *body_out);

#endif
