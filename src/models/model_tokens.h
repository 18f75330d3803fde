/* Which encoding counts the tokens of a model, and what its chat format adds.
 *
 * By the model's name: what stands before the last '/' (a provider's or an organisation's name) and
 * "ft:" do not count, nor does case; then the longest beginning that is known, else a family's name
 * anywhere in it. OpenAI's models are counted as they count themselves. Other families are counted
 * with o200k_base times a factor that was measured against their public tokenizers, or, where there
 * is none, with o200k_base as it is; both are estimates. How far they are off is in
 * docs/performance.md, "Token counting".
 * Thread: any. Memory: constant tables. */
#ifndef MODELS_MODEL_TOKENS_H
#define MODELS_MODEL_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "models/tokens/tokenizer.h"

/* What an image costs: a base, and at high detail a price for each tile of 512 pixels. */
struct image_price {
    uint16_t base_tokens;
    uint16_t tile_tokens;
};

/* What a chat adds to its texts (OpenAI Cookbook, "How to count tokens with tiktoken"). */
struct chat_format {
    uint8_t message_tokens;  /* for each message */
    int8_t name_tokens;      /* for each name, besides its text */
    uint8_t function_tokens; /* for each function */
    bool is_estimate;        /* published for other models, not for this one */
    struct image_price image;
};

struct model_tokens {
    enum token_encoding encoding;
    uint32_t factor_permille; /* the model's tokens for 1,000 of the encoding's */
    bool is_estimate;         /* even of plain text */
    struct chat_format format;
};

/* How to count for the model of this name; any name will do. */
const struct model_tokens *model_tokens_find(struct slice model);

/* Tokens of the encoding as tokens of the model, rounded up. */
static inline uint64_t model_tokens_scale(const struct model_tokens *model, uint64_t tokens)
{
    return model->factor_permille == 1000
               ? tokens
               : (tokens / 1000) * model->factor_permille +
                     ((tokens % 1000) * model->factor_permille + 999) / 1000;
}

#endif
