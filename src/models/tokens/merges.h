/* How tokens grow out of each other: byte-pair encoding merges two neighbours into the token of
 * the lowest rank (its number), leftmost first, until no two of them make a token.
 *
 * Whether two tokens stand side by side in the end is decided by the merges at the seam alone. So
 * a sequence of tokens is the encoding of its bytes exactly if each two neighbours may meet; and
 * so a text is encoded without merging anything: see models/tokens/path.h.
 * Memory: merges_build() allocates, merges_fini() frees. Thread: any once built. */
#ifndef MODELS_TOKENS_MERGES_H
#define MODELS_TOKENS_MERGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "models/tokens/trie.h"

#define TOKEN_BYTES 256 /* the first tokens are the single bytes, in any order */
#define TOKEN_NONE  UINT32_MAX

/* Of a token. Packed, since a look-up that misses the cache is what costs most. */
struct merge {
    uint64_t openings; /* which bytes behind the token may merge with its end */
    /* Bits 0-17 and 18-35: left and right, what it is merged from (of single bytes 0); 36-49 and
     * 50-63: first and last, when its first and its last byte merge within it, rounded down to
     * MERGE_TIME (of single bytes: never, all ones). */
    uint64_t parts;
};

#define MERGE_TOKEN_BITS 18
#define MERGE_TIME_BITS  14
#define MERGE_TIME_SHIFT (MERGE_TOKEN_BITS - MERGE_TIME_BITS)
#define MERGE_NEVER      ((UINT32_C(1) << MERGE_TIME_BITS) - 1)

static inline uint32_t merge_left(const struct merge *merge)
{
    return (uint32_t)merge->parts & ((UINT32_C(1) << MERGE_TOKEN_BITS) - 1);
}

static inline uint32_t merge_right(const struct merge *merge)
{
    return (uint32_t)(merge->parts >> MERGE_TOKEN_BITS) & ((UINT32_C(1) << MERGE_TOKEN_BITS) - 1);
}

static inline uint32_t merge_first(const struct merge *merge)
{
    return (uint32_t)(merge->parts >> 2 * MERGE_TOKEN_BITS) & MERGE_NEVER;
}

static inline uint32_t merge_last(const struct merge *merge)
{
    return (uint32_t)(merge->parts >> (64 - MERGE_TIME_BITS));
}

struct merges {
    struct merge *of; /* of each token */
    /* A hash table of all tokens of more than two bytes by their parts: the token, and above
     * MERGE_TOKEN_BITS more of the hash, so that few others are looked at. */
    uint32_t *slots;
    uint32_t slot_count;
    uint32_t *of_bytes;   /* by two bytes: the token they make, or TOKEN_NONE */
    uint32_t *beginnings; /* of each token: the longest other one that begins it, or TOKEN_NONE */
    uint8_t bytes[TOKEN_BYTES]; /* of each token that is a single byte */
};

/* STATUS_INVALID: the first tokens are not the single bytes, or one can never come about.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status merges_build(struct merges *merges, const struct token_strings *strings,
                                    const struct trie *trie);
void merges_fini(struct merges *merges);

#define MERGE_SLOT_EMPTY UINT32_MAX

/* The upper half chooses a slot, the highest bits of the lower half go into it. */
static inline uint64_t merge_hash(uint32_t left, uint32_t right)
{
    const uint64_t key = (uint64_t)left << MERGE_TOKEN_BITS | right;
    const uint64_t mixed = key * UINT64_C(0x9E3779B97F4A7C15);
    return mixed ^ mixed >> 32;
}

static inline uint32_t merge_slot(const struct merges *merges, uint64_t hash)
{
    return (uint32_t)((hash >> 32) * merges->slot_count >> 32);
}

/* The token that the two make, or TOKEN_NONE. */
static inline uint32_t merge_of(const struct merges *merges, uint32_t left, uint32_t right)
{
    if ((left | right) < TOKEN_BYTES)
        return merges->of_bytes[merges->bytes[left] * TOKEN_BYTES + merges->bytes[right]];
    const uint64_t hash = merge_hash(left, right);
    for (uint32_t slot = merge_slot(merges, hash);; slot++) {
        const uint32_t entry = merges->slots[slot];
        if (entry == MERGE_SLOT_EMPTY)
            return TOKEN_NONE;
        if ((entry ^ (uint32_t)hash) >> MERGE_TOKEN_BITS != 0)
            continue;
        const uint32_t token = entry & ((UINT32_C(1) << MERGE_TOKEN_BITS) - 1);
        const struct merge *merge = &merges->of[token];
        if (merge_left(merge) == left && merge_right(merge) == right)
            return token;
    }
}

static inline uint64_t opening_of_byte(uint8_t first)
{
    return UINT64_C(1) << (first & 31);
}

static inline uint64_t opening_of_two(uint8_t first, uint8_t second)
{
    return UINT64_C(1) << (32 + ((first * 4u ^ second ^ second >> 3) & 31));
}

/* The marks of what begins at `at` (< end), to be looked for in `openings`. */
static inline uint64_t opening_of(const uint8_t *at, const uint8_t *end)
{
    return opening_of_byte(at[0]) | (end - at > 1 ? opening_of_two(at[0], at[1]) : 0);
}

/* Whether the two bytes at the seam are sure to merge with each other. (If not, other merges may
 * still cross it.) */
static inline bool merge_at_seam(const struct merges *merges, uint32_t left, uint32_t right,
                                 uint8_t last_of_left, uint8_t first_of_right)
{
    const uint32_t merged = merges->of_bytes[last_of_left * TOKEN_BYTES + first_of_right];
    const uint32_t time = merged >> MERGE_TIME_SHIFT; /* of TOKEN_NONE: beyond never */
    return time < merge_last(&merges->of[left]) && time < merge_first(&merges->of[right]);
}

/* Whether no merge ever crosses the seam between the two. Walks back in time through the states
 * at the seam: of both neighbours the one that came about later is taken apart.
 * `left_is_longest`: the text holds no longer token that starts where `left` does, so that `left`
 * as a whole merges with nothing behind it. */
bool merges_may_meet(const struct merges *merges, uint32_t left, uint32_t right,
                     bool left_is_longest);

#endif
