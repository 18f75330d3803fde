/* How many tokens a request in OpenAI's API puts in (API reference: "Create chat completion",
 * "Create completion", "Create embeddings"; OpenAI Cookbook: "How to count tokens with tiktoken").
 *
 * Messages with text, names and functions are counted exactly as the cookbook does, for the models
 * that it covers. All else is an estimate and marked as one: calls of tools and their results,
 * nested parameters, images of unknown size (which count as the largest), sound, formats of answers.
 * What is unknown to this page is not counted.
 *
 * Input: a body that json/read.h has passed. Work gives way by limits->pause, well under 5 ms
 * apart. Thread: one at a time. Memory: freed before the return; see models/tokens/counter.h.
 * Statuses of all functions here: STATUS_AGAIN: the encoding is not loaded (yet), see
 * tokenizer_load(); STATUS_NO_MEMORY. */
#ifndef MODELS_CHAT_COUNT_H
#define MODELS_CHAT_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "json/json.h"
#include "models/context.h"
#include "models/model_tokens.h"

struct input_count {
    uint64_t input_tokens;
    bool is_estimate;
    /* It holds parts whose tokens have no bound that the request tells: files by their id. They
     * are not in input_tokens. */
    bool is_unbounded;
};

/* Where the messages' own counts go, for context_fit(). */
struct chat_messages {
    struct context_message *items;
    size_t capacity;
    size_t count;            /* of all messages, even if there was no room */
    uint64_t besides_tokens; /* of the request besides its messages */
};

/* Members "messages", "tools", "functions" and "response_format" of a chat's body. `messages_out`
 * may be NULL; with room for all (openai_request.message_count) its sums make up input_tokens. */
MUST_CHECK enum status count_chat(const struct model_tokens *model, const struct json_object *body,
                                  const struct json_limits *limits,
                                  struct chat_messages *messages_out,
                                  struct input_count *count_out);

/* The most that anybody may find in the same members: tools and calls of them count as they stand,
 * if that is more; members of messages that are unknown here are texts too. What is not understood is
 * unbounded. */
MUST_CHECK enum status count_chat_most(const struct model_tokens *model,
                                       const struct json_object *body,
                                       const struct json_limits *limits,
                                       struct input_count *count_out);

/* The member "prompt" of a completion, or "input" of embeddings or a moderation: a text, texts,
 * the numbers of tokens, or lists of these; all together. */
MUST_CHECK enum status count_prompt(const struct model_tokens *model, struct json_value prompt,
                                    const struct json_limits *limits,
                                    struct input_count *count_out);

/* A plain text, which need not be UTF-8. */
MUST_CHECK enum status count_text(const struct model_tokens *model, struct slice text,
                                  const struct json_limits *limits, struct input_count *count_out);

#endif
