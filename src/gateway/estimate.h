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
 * of its choices its own maximum of output, but at most ESTIMATE_OUTPUT_TOKENS. Under a budget the
 * maximum counts in full, so that a crash makes no room for what the provider is still at. */
#define ESTIMATE_OUTPUT_TOKENS 1024
void estimate_orphan(struct request *request, struct openai_usage *usage_out);

/* Before a call to a provider that is known not to tell what a stream used: counts the prompt, and
 * begins to count what passes. Gives way to other tasks. Where the encoding is not loaded, or there
 * is no memory, nothing is counted and the estimate is a coarser one. */
void estimate_prepare(struct request *request);

/* Counts the prompt, and the text of a whole answer that does not tell them. The body is still
 * there. Gives way to other tasks. */
void estimate_answer(struct request *request, struct slice body);

/* Counts whole events on their way to the client; account->counter is there. Does not wait. */
void estimate_relayed(struct account *account, struct slice events);

/* Nothing more passes: ends the counting. */
void estimate_finish(struct request *request);

/* Whether a provider may bill the call: it answered well, or was still at work when the client, the
 * time or the process ended. */
bool estimate_is_billed(const struct request *request);

/* Fills in what the usage lacks, and returns whether a count is weir's own. Where upstream gave no
 * answer nothing was used. */
bool estimate_missing(const struct request *request, struct openai_usage *usage);

/* Tokens of output that a stream has come to, as far as it was relayed. */
uint64_t estimate_output_so_far(const struct request *request);

#endif
