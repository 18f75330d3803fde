/* What of a request bears on the most that it can cost: whether its input is text, of which each token
 * is a byte at least, and what kinds of tokens may come of it.
 *
 * Servers read differently: the first or the last of two members of one name, names in any case, what
 * stands beside a part's type. So a request is text only where each of them finds text. What is not
 * understood has no bound.
 *
 * Thread: any. Memory: nothing; the request is only read. Long ones give way by limits->pause. */
#ifndef GATEWAY_SURVEY_H
#define GATEWAY_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "dialect/openai_request.h"
#include "json/json.h"

enum survey_input {
    SURVEY_TEXT,
    SURVEY_PICTURES, /* and text; count_chat_most() knows how much they may be */
    SURVEY_UNKNOWN,  /* sound, files, searches, and all that is not understood */
};

struct survey {
    enum survey_input input;
    bool may_speak;         /* the request does not say that it wants text only */
    uint32_t classes;       /* bits 1 << enum price_class that it may be billed in */
    uint64_t other_maximum; /* of output, under a name that some servers put before all; 0: none */
    uint64_t predicted_bytes; /* of the answer, which is billed even where it came otherwise */
};

/* A chat whose messages hold nothing but strings is seen to be one without a walk through them. */
void survey_request(const struct openai_request *openai, const struct json_limits *limits,
                    struct survey *survey_out);

#endif
