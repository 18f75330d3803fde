/* Watches a stream of OpenAI's chat or completion chunks (API reference: "Streaming").
 *
 *   nothing yet ──event──► running ──finish_reason──► finished ──`[DONE]`──► done
 *
 * A stream is whole if it came to `finished` or `done`. Events that hold none of the words that
 * matter are told apart by a search over the bytes and not parsed; what the search finds is parsed
 * strictly before it counts. An event that is no JSON passes and says nothing.
 * Memory: none of its own. Thread: one at a time. */
#ifndef DIALECT_OPENAI_STREAM_H
#define DIALECT_OPENAI_STREAM_H

#include <stdbool.h>

#include "base/slice.h"
#include "dialect/openai_usage.h"
#include "json/json.h"

#define OPENAI_SERVICE_TIER_BYTES 24 /* a longer one is none that weir knows */

enum openai_event {
    OPENAI_EVENT_PASS,     /* goes to the client as it is; progress */
    OPENAI_EVENT_WITHHOLD, /* the usage chunk, which the client did not ask for; progress */
    OPENAI_EVENT_ERROR,    /* {"error": ...}: before anything was relayed, the attempt failed */
    OPENAI_EVENT_DONE,     /* [DONE]; goes to the client last */
    OPENAI_EVENT_EMPTY,    /* without data, such as a comment: passes, but is no progress */
};

struct openai_stream {
    const struct json_limits *limits;
    bool include_usage; /* the client asked for the usage chunk */
    bool is_finished;   /* a choice gave its finish_reason */
    bool is_done;       /* [DONE] was seen */
    bool has_error;     /* an error event was seen */
    bool has_usage;
    struct openai_usage usage; /* the last one seen, as the next */
    char service_tier[OPENAI_SERVICE_TIER_BYTES];
    uint8_t service_tier_size; /* 0: none was seen */
};

/* `limits` outlives the stream. */
void openai_stream_init(struct openai_stream *stream, bool include_usage,
                        const struct json_limits *limits);

/* Takes the next event, of which `data` is what its data fields hold (several joined by a line
 * feed), and says what becomes of it. */
enum openai_event openai_stream_event(struct openai_stream *stream, struct slice data);

/* For many events at once: the size of the part at the front of `bytes` (SSE as it came) which
 * holds nothing to note. Every event that lies in it whole is OPENAI_EVENT_PASS or
 * OPENAI_EVENT_EMPTY and need not be given to openai_stream_event(); the event in which it ends
 * must be. A stop may be a false alarm. `bytes` should start at the start of an event; the result
 * does not depend on the stream's state. */
size_t openai_stream_quiet(struct slice bytes);

/* How many events end in these bytes, by their empty lines, of which all are written alike. */
uint64_t openai_stream_events(struct slice bytes);

enum openai_content {
    OPENAI_CONTENT_TEXT,
    OPENAI_CONTENT_MEDIA, /* sound or a picture in base64 */
};

/* Calls found() for each string that the model made in one event (or in a whole answer), in order:
 * of each choice's text, delta or message, with tool calls and refusals. False, and none, if the
 * data is no JSON object. */
typedef void openai_content_found(void *context, enum openai_content kind, struct json_value text);
bool openai_event_content(struct slice data, const struct json_limits *limits,
                          openai_content_found *found, void *context);

/* The bytes of the texts among these strings, as they are written. */
uint64_t openai_event_content_bytes(struct slice data, const struct json_limits *limits);

/* Whether the stream came to its end: without that it is broken, however the connection ended. */
static inline bool openai_stream_is_whole(const struct openai_stream *stream)
{
    return (stream->is_finished || stream->is_done) && !stream->has_error;
}

#endif
