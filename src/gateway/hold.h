/* How much a request may use and cost at most, before it is made.
 *
 * For limits of tokens: the input and the request's own maximum of output, else
 * `budgets.expected_output`; it is corrected when the request settles.
 *
 * For budgets a bound from above. Output: the largest maximum that the request states, for each of
 * its choices; else the model's own; where that is not affordable, or not known, the maximum that is
 * written into the request; and what the request predicts of the answer. Input: a token is a byte at
 * least, so the bytes bound the text; it is counted where that bound would refuse, and where there are
 * pictures. What has no bound (sound, files, tools of the provider's own, what is not understood) holds
 * the model's whole window.
 *
 * Thread: any. Memory: nothing of its own. Counting gives way to others by json->pause. */
#ifndef GATEWAY_HOLD_H
#define GATEWAY_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "dialect/openai_request.h"
#include "gateway/pricing.h"
#include "gateway/snapshot.h"
#include "gateway/survey.h"
#include "json/json.h"
#include "models/rules.h"

/* Output of a request that states no maximum, to a model of which none is known: it is written into
 * the request. Input of one that has no bound, to a model whose window is not known. */
#define HOLD_OUTPUT_TOKENS 16384
#define HOLD_WINDOW_TOKENS 1048576

struct hold_subject {
    const struct snapshot *snapshot;
    const struct provider *provider;
    const struct rule *rule;
    struct slice target_model;
    const struct openai_request *openai;
    struct pricing *pricing;
    const struct json_limits *json;
    uint64_t time_us;       /* when the request is opened */
    uint64_t counted_input; /* what is counted already; UINT64_MAX: nothing is */
};

enum hold_input {
    HOLD_INPUT_BYTES, /* a token a byte */
    HOLD_INPUT_COUNTED,
    HOLD_INPUT_WINDOW,
};
enum hold_output {
    HOLD_OUTPUT_NONE,    /* the route makes no text */
    HOLD_OUTPUT_REQUEST, /* the request's own maximum */
    HOLD_OUTPUT_MODEL,   /* the model's */
    HOLD_OUTPUT_WRITTEN, /* a smaller one, which is written into the request */
};

struct hold {
    uint64_t tokens;         /* for limits of tokens */
    uint64_t input_tokens;   /* the bound */
    uint64_t output_tokens;  /* the bound of all choices together */
    uint64_t choices;        /* at least 1 */
    uint64_t cost_nanousd;   /* of the two */
    uint64_t written_output; /* the maximum to write into the request; 0: none */
    enum hold_input input;
    enum hold_output output;
    struct survey survey; /* of the request, which the bound is made by */
    bool is_unpriced;     /* nobody knows what it costs: nothing is held */
};

/* How many answers the request asks for, at least 1. */
uint64_t hold_choices(const struct openai_request *openai);

/* What limits of tokens take; nothing is counted. */
uint64_t hold_expect_tokens(const struct hold_subject *subject, uint64_t expected_output);

/* Counts the input. STATUS_NOT_FOUND: what is there has no bound; STATUS_AGAIN: the encodings are not
 * loaded yet; STATUS_NO_MEMORY. */
MUST_CHECK enum status hold_count_input(const struct hold_subject *subject, uint64_t *tokens_out);

/* The bound, as small as it takes to fit into `affordable`; where it does not fit, the least that was
 * tried. Fills all but `tokens`. */
void hold_bound(const struct hold_subject *subject, uint64_t affordable, struct hold *hold_out);

/* What so many tokens of output cost more than so many fewer. */
uint64_t hold_more_output(const struct hold_subject *subject, const struct hold *hold,
                          uint64_t more_tokens);

#endif
