/* Tokens that no provider has told: estimated, and marked as estimates where they are used.
 *
 * Thread: the worker's. Memory: nothing of its own. */
#ifndef GATEWAY_ESTIMATE_H
#define GATEWAY_ESTIMATE_H

#include <stdbool.h>

#include "dialect/openai_usage.h"

struct request;

/* What a request is taken to have used if the process dies while it is open: its prompt, and its own
 * maximum of output but at most ESTIMATE_OUTPUT_TOKENS. */
#define ESTIMATE_OUTPUT_TOKENS 1024
void estimate_orphan(struct request *request, struct openai_usage *usage_out);

/* Fills in what the usage lacks, and returns whether a count is weir's own. Where upstream gave no
 * answer nothing was used. */
bool estimate_missing(const struct request *request, struct openai_usage *usage);

#endif
