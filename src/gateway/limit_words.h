/* A refusal by a limit or budget, in words for the client. Pure. */
#ifndef GATEWAY_LIMIT_WORDS_H
#define GATEWAY_LIMIT_WORDS_H

#include "policy/admission.h"

#define LIMIT_WORDS_BYTES 256

struct limit_words {
    char text[LIMIT_WORDS_BYTES];
};

/* A sentence that says which limit of which level it is and when to come back; `zone` is the level's
 * calendar, NULL: UTC. */
void limit_words_refusal(const struct admission_refusal *refusal,
                         const struct admission_demand *demand, const struct zone *zone,
                         struct limit_words *words_out);

/* "10 usd per month", "60 requests per minute", "20 requests at a time". */
#define LIMIT_WORDS_LIMIT_BYTES 96
struct slice limit_words_limit(const struct limit *limit, char text[LIMIT_WORDS_LIMIT_BYTES]);

#endif
