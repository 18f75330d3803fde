/* What the files that count a chat share. */
#ifndef MODELS_CHAT_COUNT_INTERNAL_H
#define MODELS_CHAT_COUNT_INTERNAL_H

#include "json/walk.h"
#include "models/chat_count.h"
#include "models/tokens/counter.h"

/* A count under way. `extra` are tokens that no text has; they may take some away for a while, so
 * it is signed. */
struct chat_counter {
    const struct model_tokens *model;
    const struct json_limits *limits;
    struct token_counter tokens;
    int64_t extra;
    bool is_estimate;
    bool is_unbounded;
    bool counts_all; /* of count_chat_most() */
};

/* Tokens of the model so far. */
uint64_t chat_counter_total(const struct chat_counter *counter);

/* The value of a member as a text of its own. */
MUST_CHECK enum status chat_counter_text(struct chat_counter *counter, struct json_value value);

/* The elements of "tools", or of "functions" (`is_bare`: without the object around). */
MUST_CHECK enum status chat_counter_tools(struct chat_counter *counter, struct json_value tools,
                                          bool is_bare);

/* A part of a content that is no text: an image, sound, a file. */
MUST_CHECK enum status chat_counter_media(struct chat_counter *counter, struct json_value part);

#endif
