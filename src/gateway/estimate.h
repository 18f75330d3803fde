/* Tokens that no provider has told: estimated, and marked as estimates where they are used.
 *
 * Thread: the worker's. Memory: nothing of its own. */
#ifndef GATEWAY_ESTIMATE_H
#define GATEWAY_ESTIMATE_H

#include <stdbool.h>

#include "dialect/openai_usage.h"

struct account;
struct request;

/* What a request is taken to have used if the process dies while it is open: its prompt, and for each
 * of its choices its own maximum of output, but at most ESTIMATE_OUTPUT_TOKENS. Under a hard budget
 * it is what was held, so that a crash makes no room for what the provider is still at. */
#define ESTIMATE_OUTPUT_TOKENS 1024
void estimate_orphan(struct request *request, struct openai_usage *usage_out);

/* Before a call to a provider that is known not to tell what a stream used: counts the prompt, and
 * begins to count what passes. Gives way to other tasks. Where the encoding is not loaded, or there
 * is no memory, nothing is counted and the estimate is a coarser one. */
void estimate_prepare(struct request *request);

/* Counts the prompt, and the text of a whole answer that does not tell them. The body is still
 * there. Gives way to other tasks. */
void estimate_answer(struct request *request, struct slice body);

/* From here on each event of a watched stream is looked into: its text is counted, or its bytes where
 * the encoding is not loaded. Does nothing the second time, and does not wait. */
void estimate_follow(struct request *request);

/* Looks into whole events on their way to the client; the stream is followed. Does not wait. */
void estimate_relayed(struct account *account, struct slice events);

/* There is a new sample of the stream, the end of these events. */
void estimate_sampled(struct account *account, struct slice events);

/* Nothing more passes: ends the counting. */
void estimate_finish(struct request *request);

/* Whether a provider may bill the call: it answered well, or was still at work when the client, the
 * time or the process ended; under a hard budget, however it ended after it was sent. */
bool estimate_is_billed(const struct request *request);

enum estimate_kind {
    ESTIMATE_TOLD,   /* nothing lacked */
    ESTIMATE_RAISED, /* what was relayed is more than what was told */
    ESTIMATE_MADE,   /* a count is weir's own */
    ESTIMATE_HELD, /* nobody knows what was made, and a hard budget held for it: all that was held */
};

/* Fills in what the usage lacks. Where upstream gave no answer, and may not have been at one, nothing
 * was used. */
enum estimate_kind estimate_missing(const struct request *request, struct openai_usage *usage);

/* About how many tokens these events of a watched stream come to. */
uint64_t estimate_events_tokens(struct request *request, struct slice events);

/* Tokens of output that a stream has come to, as far as it was relayed. */
uint64_t estimate_output_so_far(struct request *request);

#endif
