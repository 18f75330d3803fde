/* Giving the answer of a call to the client: whole, long or streamed.
 *
 * - An answer that is no event stream is held whole up to transport.answer_bytes; a longer one is
 *   relayed as it comes.
 * - An event stream is relayed event by event, byte for byte, as many whole events at a time as
 *   came. Nothing goes to the client before the first event that is more than a comment; if that
 *   is an error event, the call has failed. A stream that does not come to its end ends with an
 *   error event and a broken connection, never cleanly.
 * What was delivered and how it ended stands in the request afterwards. */
#ifndef GATEWAY_RELAY_H
#define GATEWAY_RELAY_H

#include "gateway/call.h"

/* An answer that is no event stream, as far as it is held. */
struct held_answer {
    struct slice bytes; /* in `memory`, or in the scratch: good until the task waits */
    struct body_memory memory;
    bool is_whole; /* false: it is longer than may be held */
};

/* Reads the answer up to the bound. STATUS_OK; else the error is noted. */
MUST_CHECK enum status held_answer_read(struct call *call, struct held_answer *held);
void held_answer_free(struct held_answer *held);

/* Begins an answer with upstream's status and the headers that cross, and weir's own. */
void relay_begin_answer(struct call *call, unsigned http_status);

/* Relays what is held, and the rest of it if it is long; notes the usage. */
void relay_held(struct call *call, struct held_answer *held);

/* Notes the usage that a whole answer gives, or else counts the tokens; may move what is held. */
void relay_note_usage(struct request *request, struct held_answer *held);

/* Relays an event stream. */
enum relay_end {
    RELAY_END_AS_IS,     /* [DONE] passes if upstream sent it */
    RELAY_END_WITH_DONE, /* [DONE] is added to a whole stream that lacks it */
};
void relay_events(struct call *call, enum relay_end end);

#endif
