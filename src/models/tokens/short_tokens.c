#include "models/tokens/short_tokens.h"

#include "base/alloc.h"

#define PLACES ((size_t)1 << SHORT_TOKEN_BITS)

enum status short_tokens_build(struct short_tokens *table, const struct token_strings *strings)
{
    table->keys = alloc_zeroed(PLACES, sizeof(*table->keys));
    table->tokens = alloc_zeroed(PLACES, sizeof(*table->tokens));
    if (table->keys == NULL || table->tokens == NULL) {
        short_tokens_fini(table);
        return STATUS_NO_MEMORY;
    }
    for (uint32_t token = 0; token < strings->count; token++) {
        const uint8_t *bytes = strings->bytes + strings->offsets[token];
        const uint32_t size = strings->offsets[token + 1] - strings->offsets[token];
        uint64_t key = 0;
        if (size > SHORT_TOKEN_BYTES)
            continue;
        for (uint32_t i = 0; i < size; i++)
            key |= (uint64_t)bytes[i] << 8 * i;
        const uint32_t place = short_token_place(key);
        if (table->tokens[place] == 0) {
            table->keys[place] = key;
            table->tokens[place] = size << SHORT_TOKEN_SHIFT | token;
        }
    }
    return STATUS_OK;
}

void short_tokens_fini(struct short_tokens *table)
{
    alloc_free(table->keys);
    alloc_free(table->tokens);
    *table = (struct short_tokens){0};
}
