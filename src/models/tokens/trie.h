/* All tokens of an encoding as a double-array trie: which tokens start at a place of a text.
 *
 * A cell is a node. The child of a node by a byte is the cell at the node's base plus that byte,
 * if that cell bears the byte as its label: no two nodes share a base, so no other node's child
 * can stand there with that label. One load of eight bytes is one step.
 * Memory: trie_build() allocates the cells, trie_fini() frees them. Thread: any once built. */
#ifndef MODELS_TOKENS_TRIE_H
#define MODELS_TOKENS_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define TRIE_ROOT_BASE 1

/* Bits 0-23: the base of its children; 24-33: the label, over 255 in an unused cell;
 * 44-63: the token that ends here plus 1, or 0. */
struct trie {
    uint64_t *cells;
    size_t cell_count;
};

/* The strings of all tokens, one after the other; token i is [offsets[i], offsets[i + 1]). */
struct token_strings {
    const uint8_t *bytes;
    const uint32_t *offsets;
    uint32_t count;
};

/* STATUS_INVALID: an empty token, or two that are equal. STATUS_NO_MEMORY. */
MUST_CHECK enum status trie_build(struct trie *trie, const struct token_strings *strings);
void trie_fini(struct trie *trie);

static inline uint64_t trie_step(const struct trie *trie, uint64_t base, uint8_t byte)
{
    return trie->cells[base + byte];
}

static inline uint64_t trie_base(uint64_t cell)
{
    return cell & 0xFFFFFF;
}

static inline uint64_t trie_label(uint64_t cell)
{
    return cell >> 24 & 0x3FF;
}

/* The token plus 1, or 0. */
static inline uint32_t trie_token(uint64_t cell)
{
    return (uint32_t)(cell >> 44);
}

/* The longest token that starts at `at` and ends at `end` or before it; returns it plus 1, or 0 if
 * none does (every byte is a token, so only if `at` is `end`). */
static inline uint32_t trie_longest(const struct trie *trie, const uint8_t *at, const uint8_t *end,
                                    size_t *size_out)
{
    const uint8_t *start = at;
    uint64_t base = TRIE_ROOT_BASE;
    uint32_t found = 0;
    size_t size = 0;
    while (at < end) {
        const uint64_t cell = trie_step(trie, base, *at);
        if (trie_label(cell) != *at)
            break;
        at++;
        base = trie_base(cell);
        const uint32_t token = trie_token(cell);
        if (token != 0) {
            found = token;
            size = (size_t)(at - start);
        }
    }
    *size_out = size;
    return found;
}

#endif
