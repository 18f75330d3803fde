/* All tokens of an encoding as a double-array trie: which tokens start at a place of a text.
 *
 * A cell is a node. The child of a node by a byte is the cell at the node's base plus that byte,
 * if that cell bears the byte as its label: no two nodes share a base, so no other node's child
 * can stand there with that label. One load of four bytes is one step.
 * Memory: trie_build() allocates the cells, trie_fini() frees them. Thread: any once built. */
#ifndef MODELS_TOKENS_TRIE_H
#define MODELS_TOKENS_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define TRIE_ROOT_BASE 1

struct trie {
    /* Bits 0-21: the base of its children; 22: a token ends here; 23-31: the label, over 255 in an
     * unused cell. */
    uint32_t *cells;
    uint32_t *tokens; /* of each cell in which one ends */
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

#define TRIE_BASE_BITS  22
#define TRIE_TOKEN_BIT  (UINT32_C(1) << TRIE_BASE_BITS)
#define TRIE_LABEL_BITS 9 /* the highest */
#define TRIE_NO_TOKEN   UINT32_MAX

static inline uint32_t trie_base(uint32_t cell)
{
    return cell & (TRIE_TOKEN_BIT - 1);
}

static inline uint32_t trie_label(uint32_t cell)
{
    return cell >> (32 - TRIE_LABEL_BITS);
}

/* The longest token that starts at `at` and ends at `end` or before it, or TRIE_NO_TOKEN (every
 * byte is a token: only if `at` is `end`). */
static inline uint32_t trie_longest(const struct trie *trie, const uint8_t *at, const uint8_t *end,
                                    size_t *size_out)
{
    const uint8_t *start = at;
    const uint8_t *found_end = at;
    uint32_t found = 0;
    uint32_t base = TRIE_ROOT_BASE;
    while (at < end) {
        const uint32_t place = base + *at;
        const uint32_t cell = trie->cells[place];
        if (trie_label(cell) != *at)
            break;
        at++;
        base = trie_base(cell);
        if ((cell & TRIE_TOKEN_BIT) != 0) {
            found = place;
            found_end = at;
        }
    }
    *size_out = (size_t)(found_end - start);
    return found == 0 ? TRIE_NO_TOKEN : trie->tokens[found];
}

#endif
