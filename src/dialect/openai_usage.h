/* The token counts of a `usage` object (API reference: "The chat completion object", `usage`).
 *
 * Each count is either given or not: a given zero stays a zero. */
#ifndef DIALECT_OPENAI_USAGE_H
#define DIALECT_OPENAI_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "json/json.h"

/* A count above this is no provider's, and taken as not given. */
#define OPENAI_USAGE_TOKENS_MAX (UINT64_C(1) << 40)

enum openai_tokens {
    OPENAI_TOKENS_INPUT,  /* prompt_tokens, cached and audio ones included */
    OPENAI_TOKENS_OUTPUT, /* completion_tokens, reasoning and audio ones included */
    OPENAI_TOKENS_TOTAL,
    OPENAI_TOKENS_CACHED,      /* prompt_tokens_details.cached_tokens, or prompt_cache_hit_tokens */
    OPENAI_TOKENS_CACHE_WRITE, /* prompt_tokens_details.cache_write_tokens, or
                                  cache_creation_input_tokens */
    OPENAI_TOKENS_INPUT_AUDIO,
    OPENAI_TOKENS_REASONING, /* completion_tokens_details.reasoning_tokens */
    OPENAI_TOKENS_OUTPUT_AUDIO,
    OPENAI_TOKENS_COUNT,
};

struct openai_usage {
    uint64_t tokens[OPENAI_TOKENS_COUNT]; /* 0 where not given */
    uint32_t given;                       /* bit 1 << enum openai_tokens */
};

static inline bool openai_usage_has(const struct openai_usage *usage, enum openai_tokens which)
{
    return (usage->given >> which & 1) != 0;
}

/* Reads a checked value. False, and *usage_out untouched, if it is no object or gives no count. */
bool openai_usage_read(struct json_value value, struct openai_usage *usage_out);

#endif
