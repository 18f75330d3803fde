/* The names in an upstream's answer to GET /models (API reference: "List models"). */
#ifndef DIALECT_OPENAI_MODELS_H
#define DIALECT_OPENAI_MODELS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "json/json.h"

struct openai_models {
    struct slice *names; /* in the arena or in the body, which outlives them */
    size_t count;
};

/* Reads `data[].id`; entries without a usable id (a string of 1 to 256 bytes without control
 * characters) are left out, and so is what exceeds `count_max`.
 * STATUS_PROTOCOL: not such an answer. STATUS_NO_MEMORY: the arena is exhausted. */
MUST_CHECK enum status openai_models_read(struct slice body, const struct json_limits *limits,
                                          size_t count_max, struct arena *arena,
                                          struct openai_models *models_out);

#endif
