/* weir's own short form of a chat, POST /v1/chat and /v1/chat/stream (docs/api.md).
 *
 * A request is a chat completion of OpenAI's with defaults, read by openai_request_read() with
 * OPENAI_ROUTE_SIMPLE_CHAT; this module has what differs. */
#ifndef DIALECT_SIMPLE_CHAT_H
#define DIALECT_SIMPLE_CHAT_H

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"
#include "dialect/openai_request.h"
#include "dialect/openai_rewrite.h"
#include "dialect/openai_usage.h"

#define SIMPLE_CHAT_ID_BYTES_MAX 64

#define SIMPLE_CHAT_MODEL        "gpt-3.5-turbo"
#define SIMPLE_CHAT_TEMPERATURE  "0.7"

/* Appends the body of the 422: {"detail":[{"loc":["body","messages"],"msg":"Field required",
 * "type":"missing"}]}. Statuses of buffer_append(). */
enum status simple_chat_error_write(const struct openai_error *error, struct buffer *body);

/* The name that the client asked for. */
struct slice simple_chat_model(const struct openai_request *request);

/* The chat completion for upstream. `rewrite` as for openai_request_rewrite(); the defaults are
 * added where the client gave nothing (`rewrite.model` goes before the default).
 * STATUS_NO_MEMORY: the arena is exhausted. */
MUST_CHECK enum status simple_chat_rewrite(const struct openai_request *request,
                                           const struct openai_rewrite *rewrite,
                                           struct arena *arena, struct json_pieces *pieces_out);

struct simple_chat_answer {
    struct slice id;         /* weir's, without the prefix; at most SIMPLE_CHAT_ID_BYTES_MAX */
    struct slice model;      /* the name that was asked for */
    struct slice created_at; /* RFC 3339 */
    struct openai_usage usage;
};

/* Appends {"id":"chat-…","content","model","usage":{…},"created_at"} for a whole chat completion
 * `body`. content is that of the first choice; where that is no string (null, or the model called
 * a tool, which has no place here) it is empty. total_tokens is the sum if it is not given.
 * STATUS_PROTOCOL: the body is no chat completion (nothing was appended). STATUS_NO_MEMORY and
 * STATUS_TOO_LARGE are the buffer's. */
MUST_CHECK enum status simple_chat_answer_write(const struct simple_chat_answer *answer,
                                                struct slice body, const struct json_limits *limits,
                                                struct buffer *answer_body);

#endif
