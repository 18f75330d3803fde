#include "models/tokens/merges.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

#define TOKEN_SIZE_MAX 255
#define SLOTS_TAIL     64 /* empty slots behind the last, so that a search needs no wrap */

bool merges_may_meet(const struct merges *merges, uint32_t left, uint32_t right)
{
    /* When each of the two is gone, merged into what was taken apart for it. Of equals the left
     * one merges first. */
    uint32_t left_gone = TOKEN_NONE;
    uint32_t right_gone = TOKEN_NONE;
    for (;;) {
        const uint32_t merged = merge_of(merges, left, right);
        if (merged != TOKEN_NONE && merged < left_gone && merged <= right_gone)
            return false;
        if (left > right) {
            if (left < TOKEN_BYTES)
                return true;
            left_gone = left;
            left = merges->parts[left].right;
        } else {
            if (right < TOKEN_BYTES)
                return true;
            right_gone = right;
            right = merges->parts[right].left;
        }
    }
}

static void insert(struct merges *merges, uint32_t left, uint32_t right, uint32_t token)
{
    const uint64_t key = merge_key(left, right);
    uint32_t slot = merge_slot(merges, key);
    while (merges->slots[slot] != MERGE_SLOT_EMPTY)
        slot++;
    ASSERT(slot < merges->slot_count + SLOTS_TAIL - 1);
    merges->slots[slot] = key << MERGE_TOKEN_BITS | token;
}

/* The token that is all of [at, end), or TOKEN_NONE. */
static uint32_t whole_token(const struct trie *trie, const uint8_t *at, const uint8_t *end)
{
    uint64_t cell = TRIE_ROOT_BASE;
    for (; at < end; at++) {
        cell = trie_step(trie, trie_base(cell), *at);
        if (trie_label(cell) != *at)
            return TOKEN_NONE;
    }
    return trie_token(cell) - 1; /* 0 becomes TOKEN_NONE */
}

/* What the token is merged from: of all ways to part it in two earlier tokens the one whose
 * halves come to stand side by side. */
static bool find_parts(const struct merges *merges, const struct token_strings *strings,
                       const struct trie *trie, uint32_t token, struct merge *parts_out)
{
    const uint8_t *start = strings->bytes + strings->offsets[token];
    const uint8_t *end = strings->bytes + strings->offsets[token + 1];
    uint64_t cell = TRIE_ROOT_BASE;
    for (const uint8_t *at = start; at + 1 < end;) {
        cell = trie_step(trie, trie_base(cell), *at++);
        const uint32_t left = trie_token(cell) - 1;
        if (left >= token)
            continue;
        const uint32_t right = whole_token(trie, at, end);
        if (right >= token || !merges_may_meet(merges, left, right))
            continue;
        *parts_out = (struct merge){left, right};
        return true;
    }
    return false;
}

static uint64_t opening_of_token(const struct token_strings *strings, uint32_t token)
{
    const uint8_t *start = strings->bytes + strings->offsets[token];
    const uint32_t size = strings->offsets[token + 1] - strings->offsets[token];
    return size == 1 ? opening_of_byte(start[0]) : opening_of_two(start[0], start[1]);
}

/* `partners` collects, of each token, with what it merges when it stands left. In the order of
 * ranks, so that of a token's right part only merges count that come before the token itself. */
static enum status learn(struct merges *merges, const struct token_strings *strings,
                         const struct trie *trie, uint64_t *partners)
{
    for (uint32_t token = 0; token < strings->count; token++) {
        const uint32_t size = strings->offsets[token + 1] - strings->offsets[token];
        struct merge *parts = &merges->parts[token];
        if (size > TOKEN_SIZE_MAX || (size == 1) != (token < TOKEN_BYTES))
            return STATUS_INVALID;
        if (size == 1)
            continue;
        if (!find_parts(merges, strings, trie, token, parts))
            return STATUS_INVALID;
        merges->openings[token] = partners[parts->right] | merges->openings[parts->right];
        partners[parts->left] |= opening_of_token(strings, parts->right);
        insert(merges, parts->left, parts->right, token);
    }
    for (uint32_t token = 0; token < strings->count; token++)
        merges->openings[token] |= partners[token];
    return STATUS_OK;
}

enum status merges_build(struct merges *merges, const struct token_strings *strings,
                         const struct trie *trie)
{
    const size_t count = strings->count;
    *merges = (struct merges){.slot_count = (uint32_t)(count + count / 2)};
    if (count < TOKEN_BYTES || count >= (size_t)1 << MERGE_TOKEN_BITS)
        return STATUS_INVALID;
    const size_t slots_size = (merges->slot_count + SLOTS_TAIL) * sizeof(*merges->slots);
    uint64_t *partners = alloc_zeroed(count, sizeof(*partners));
    merges->parts = alloc_zeroed(count, sizeof(*merges->parts));
    merges->openings = alloc_zeroed(count, sizeof(*merges->openings));
    merges->slots = alloc_bytes(slots_size);
    enum status status = STATUS_NO_MEMORY;
    if (partners != NULL && merges->parts != NULL && merges->openings != NULL &&
        merges->slots != NULL) {
        memset(merges->slots, 0xFF, slots_size);
        status = learn(merges, strings, trie, partners);
    }
    alloc_free(partners);
    if (status != STATUS_OK)
        merges_fini(merges);
    return status;
}

void merges_fini(struct merges *merges)
{
    alloc_free(merges->parts);
    alloc_free(merges->openings);
    alloc_free(merges->slots);
    *merges = (struct merges){0};
}
