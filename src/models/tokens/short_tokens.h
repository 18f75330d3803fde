/* A short cut to the tokens that most pieces are: those of at most eight bytes.
 *
 * One load by a hash of the bytes; of tokens that want the same place the one of the lowest rank
 * has it, since ranks follow how often a token occurs. What is not found here is found in the trie.
 * Memory: short_tokens_build() allocates, short_tokens_fini() frees. Thread: any once built. */
#ifndef MODELS_TOKENS_SHORT_TOKENS_H
#define MODELS_TOKENS_SHORT_TOKENS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"
#include "models/tokens/trie.h"

#define SHORT_TOKEN_BYTES 8
#define SHORT_TOKEN_BITS  15

struct short_tokens {
    uint64_t *keys;   /* the bytes, the first one lowest, zeros behind them */
    uint32_t *tokens; /* and above SHORT_TOKEN_SHIFT the size; 0 is no size */
};

#define SHORT_TOKEN_SHIFT 24

/* STATUS_NO_MEMORY. */
MUST_CHECK enum status short_tokens_build(struct short_tokens *table,
                                          const struct token_strings *strings);
void short_tokens_fini(struct short_tokens *table);

static inline uint32_t short_token_place(uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - SHORT_TOKEN_BITS));
}

/* The token that is these bytes (1 to SHORT_TOKEN_BYTES), or TRIE_NO_TOKEN if the table has none.
 * Reads SHORT_TOKEN_BYTES whatever the size. */
static inline uint32_t short_token(const struct short_tokens *table, const uint8_t *at, size_t size)
{
    uint64_t key;
    memcpy(&key, at, sizeof(key));
    key = le64toh(key) & UINT64_MAX >> (64 - 8 * size);
    const uint32_t place = short_token_place(key);
    const uint32_t entry = table->tokens[place];
    return table->keys[place] == key && entry >> SHORT_TOKEN_SHIFT == size
               ? entry & ((UINT32_C(1) << SHORT_TOKEN_SHIFT) - 1)
               : TRIE_NO_TOKEN;
}

#endif
