/* What weir reads of a request in OpenAI's API (API reference: "Create chat completion",
 * "Create completion", "Create embeddings", "Create moderation").
 *
 * A member that weir decides by may stand once: names are compared unescaped and without case,
 * because some servers read `Model` too, and the last one wins there. So a second one, or one in
 * another case, is refused. All other members are nobody's business and pass.
 * Memory: spans point into the body, the rest lies in the arena. Thread: any. */
#ifndef DIALECT_OPENAI_REQUEST_H
#define DIALECT_OPENAI_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "json/json.h"

#define OPENAI_MODEL_BYTES_MAX 512 /* of its name as it is written */

enum openai_route {
    OPENAI_ROUTE_CHAT,
    OPENAI_ROUTE_COMPLETIONS,
    OPENAI_ROUTE_EMBEDDINGS,
    OPENAI_ROUTE_MODERATIONS, /* the model may be absent */
    OPENAI_ROUTE_SIMPLE_CHAT, /* weir's own POST /v1/chat: a chat whose model may be absent */
};

/* The members that weir decides by. */
enum openai_member {
    OPENAI_MEMBER_MODEL,
    OPENAI_MEMBER_STREAM,
    OPENAI_MEMBER_STREAM_OPTIONS,
    OPENAI_MEMBER_MESSAGES,
    OPENAI_MEMBER_PROMPT,
    OPENAI_MEMBER_INPUT,
    OPENAI_MEMBER_MAX_TOKENS,
    OPENAI_MEMBER_MAX_COMPLETION_TOKENS,
    OPENAI_MEMBER_N,
    OPENAI_MEMBER_BEST_OF,
    OPENAI_MEMBER_TEMPERATURE,
    OPENAI_MEMBER_USER,
    OPENAI_MEMBER_COUNT,
};

enum openai_code {
    OPENAI_CODE_INVALID_JSON,      /* no JSON, or no object; no param */
    OPENAI_CODE_TOO_DEEP,          /* "invalid_json" too: over a limit of the reader; no param */
    OPENAI_CODE_MISSING,           /* "missing_required_parameter" */
    OPENAI_CODE_INVALID_TYPE,      /* "invalid_type" */
    OPENAI_CODE_INVALID_VALUE,     /* "invalid_value": a number out of range, a name too long */
    OPENAI_CODE_DUPLICATE,         /* "duplicate_parameter" */
    OPENAI_CODE_UNKNOWN_PARAMETER, /* "unknown_parameter": a name in another case */
};

/* Why a request is refused. Its HTTP status is 400, its type "invalid_request_error". */
struct openai_error {
    enum openai_code code;
    const char *code_text; /* for the error object; static */
    const char *param;     /* such as "messages"; NULL: none; static */
    const char *expected;  /* of INVALID_TYPE, such as "an array"; else NULL; static */
    size_t index;          /* of the element of `param`; SIZE_MAX: not about an element */
    size_t offset;         /* in the body, of INVALID_JSON and TOO_DEEP */
    char message[256];     /* a sentence for the client; UTF-8 */
};

struct openai_request {
    enum openai_route route;
    struct json_object body;
    const struct json_member *members[OPENAI_MEMBER_COUNT]; /* NULL: absent */

    struct slice model; /* unescaped; data NULL: absent, null or empty */
    bool stream;
    bool include_usage;             /* the client asked for the usage chunk */
    struct json_value usage_option; /* stream_options.include_usage; raw.data NULL: absent */
    bool stream_options_empty;      /* an object without a member */

    size_t message_count;
    uint64_t max_tokens; /* the largest maximum given, below UINT64_MAX; else UINT64_MAX */
    uint64_t n;          /* at least 1, as the next */
    uint64_t best_of;
};

/* Reads and checks `body`, which outlives *request_out. null counts as absent.
 * STATUS_INVALID: *error_out says why. STATUS_NO_MEMORY: the arena is exhausted. */
MUST_CHECK enum status openai_request_read(enum openai_route route, struct slice body,
                                           const struct json_limits *limits, struct arena *arena,
                                           struct openai_request *request_out,
                                           struct openai_error *error_out);

/* The member's name, such as "stream_options". Static storage. */
struct slice openai_member_name(enum openai_member member);

#endif
