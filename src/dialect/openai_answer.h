/* What weir reads of an unstreamed answer. It passes to the client as it came. */
#ifndef DIALECT_OPENAI_ANSWER_H
#define DIALECT_OPENAI_ANSWER_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/status.h"
#include "dialect/openai_usage.h"
#include "json/json.h"
#include "json/pick.h"

struct openai_answer {
    bool has_usage;
    struct openai_usage usage;
    /* raw.data NULL: absent. Spans of the body as the skimming found them: json_check() each
     * before use. */
    struct json_value id, model, error, choices, service_tier;
};

/* Skims the top-level members; what lies in the others (megabytes of embeddings) is not checked.
 * STATUS_PROTOCOL: the body is no JSON object, as far as the skimming sees (or has more than 4 KiB
 * of white space around it); then nothing is known. `limits` bounds the depth of the usage and gives the pause. */
MUST_CHECK enum status openai_answer_read(struct slice body, const struct json_limits *limits,
                                          struct openai_answer *answer_out);

/* The usage of an answer that is relayed as it comes. */
#define OPENAI_ANSWER_USAGE_BYTES 1024
struct openai_answer_tap {
    struct json_pick pick;
    char kept[OPENAI_ANSWER_USAGE_BYTES];
};

void openai_answer_tap_init(struct openai_answer_tap *tap);
/* Any part of the body, in order. */
void openai_answer_tap_feed(struct openai_answer_tap *tap, struct slice piece);
/* False: no usage was seen so far. */
bool openai_answer_tap_usage(const struct openai_answer_tap *tap, struct openai_usage *usage_out);

#endif
