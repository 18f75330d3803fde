/* Fitting a chat into the window of its target's model, before anybody is called.
 *
 * What is done says the rule (`context.strategy`); with its default the short form of a chat drops
 * the oldest turns, and OpenAI's own route passes everything. Where all passes, or nobody says how
 * large the window is, nothing is counted and nothing costs anything. Else a bound from the bytes
 * goes first, and only what may not fit by it is counted. Which messages go says models/context.h.
 *
 * Of the window, the answer's part is reserved: the maximum that the request states, else the
 * rule's `reserve_output`, else FIT_RESERVE_TOKENS or a quarter of a small window; at most the
 * model's maximum of output.
 *
 * Thread: the worker's; counting gives way to other tasks. Memory: the messages that stay lie in
 * body memory of the fit's own, the client's body stays as it is. */
#ifndef GATEWAY_FIT_H
#define GATEWAY_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "http/body_memory.h"
#include "json/json.h"
#include "models/model_tokens.h"

struct request;

#define FIT_RESERVE_TOKENS 1024
#define FIT_MESSAGES_MAX   65536 /* a chat of more fits as it is, or not at all */
#define FIT_TEXT_BYTES     32

/* What became of a request's messages. Zeroed: they are as the client sent them. */
struct fit {
    struct slice messages; /* the array as upstream gets it; data NULL: the client's */
    struct body_memory memory;
    size_t dropped_count;
    uint64_t input_tokens; /* of what goes upstream, as weir counts */
    bool is_counted;
};

/* The target is chosen. STATUS_OK: the request may be sent with what request->fit says; so it is
 * while the encodings are still loading, and nothing was dropped then. Else the error is noted. */
MUST_CHECK enum status fit_messages(struct request *request);

/* The messages that were dropped are of no more use; what was counted stays. */
void fit_free(struct fit *fit);

/* "dropped=4", or empty if nothing was. */
struct slice fit_describe(const struct fit *fit, char text[FIT_TEXT_BYTES]);

/* At least what count_chat() counts for the chat, at a glance. UINT64_MAX: the bytes tell nothing,
 * since the chat may hold pictures. */
uint64_t fit_bound(const struct model_tokens *model, const struct json_object *body,
                   size_t message_count);

/* Writes the array without the messages that are not kept, of which none is the last, into
 * `memory`: the bytes of each other one as they are, each with what stands up to the next.
 * STATUS_NO_MEMORY. */
struct context_message;
MUST_CHECK enum status fit_write_kept(struct slice array, const struct context_message *messages,
                                      size_t count, const struct json_limits *limits,
                                      struct body_memory *memory);

#endif
