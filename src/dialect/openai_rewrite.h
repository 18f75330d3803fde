/* The request as upstream gets it: the client's bytes but for the members that weir edits. */
#ifndef DIALECT_OPENAI_REWRITE_H
#define DIALECT_OPENAI_REWRITE_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "dialect/openai_request.h"
#include "json/splice.h"

enum openai_usage_ask {
    OPENAI_USAGE_ASK_KEEP, /* stream_options stays as it is */
    OPENAI_USAGE_ASK_YES,  /* stream_options.include_usage becomes true, the rest of it stays */
    OPENAI_USAGE_ASK_DROP, /* stream_options goes: this upstream does not know it */
};

/* A maximum of output, in the place of what the request states under these names. */
struct openai_max_output {
    uint64_t tokens;
    unsigned members; /* bits 1 << OPENAI_MEMBER_MAX_TOKENS or …MAX_COMPLETION_TOKENS; 0: nothing */
};

struct openai_rewrite {
    struct slice model; /* the target's name; data NULL: the client's stays */
    enum openai_usage_ask usage;
    bool stream;           /* `stream` becomes true whatever it was */
    struct slice messages; /* the array in the place of the client's; data NULL: that stays */
    struct openai_max_output max_output;
    struct slice temperature; /* a JSON number for a request that has none; data NULL: nothing */
};

/* Pieces point into the request's body and the arena. All zero is the body as it came.
 * STATUS_NO_MEMORY: the arena is exhausted. */
MUST_CHECK enum status openai_request_rewrite(const struct openai_request *request,
                                              const struct openai_rewrite *rewrite,
                                              struct arena *arena, struct json_pieces *pieces_out);

#endif
