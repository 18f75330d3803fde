/* The script of the play: what the load generator asks and what the provider answers, to the byte.
 *
 * Both ends link it, so each can hold what it receives against what was said: the provider the
 * prompt, the load generator the answer or the stream. A gateway passes only if it changes nothing
 * that it need not change. */
#ifndef PERF_SCRIPT_H
#define PERF_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "form.h"

struct script_request {
    const char *model;
    size_t body_bytes; /* the body is filled up to this size; a small one has about 220 bytes */
    bool stream;
    bool usage; /* asks for the usage chunk of a stream */
};

/* Appends the body of a chat request, with a blank for its ticket. */
void script_write_request(struct buffer *text, const struct script_request *request);

/* Whether the body is a chat request of this script whose prompt is undamaged; gives its ticket. */
bool script_check_request(struct slice body, struct ticket *ticket_out);

/* The body of an unstreamed answer (about 570 bytes), with a blank for the ticket. */
extern const char script_answer[];

/* A streamed answer: an opening event with the ticket, `events` with numbered words, and a closing
 * (finish, the usage if wanted, [DONE]). */
struct script_stream {
    struct form form;
    size_t *ends; /* ends[i] is where event i ends */
    size_t count; /* events + 2; the closing counts as one */
};

enum script_framing { SCRIPT_FRAMING_NONE, SCRIPT_FRAMING_CHUNKED };

/* `head` goes before the first event; with SCRIPT_FRAMING_CHUNKED each event is a chunk. */
void script_stream_init(struct script_stream *stream, struct slice head, size_t events, bool usage,
                        enum script_framing framing);
void script_stream_fini(struct script_stream *stream);

/* The number of the event whose text begins at `event`, or -1 if it has none. */
long script_event_number(struct slice event);

#endif
