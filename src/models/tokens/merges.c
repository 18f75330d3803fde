#include "models/tokens/merges.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

#define TOKEN_SIZE_MAX 255
#define SLOTS_TAIL     64 /* empty slots behind the last, so that a search needs no wrap */

bool merges_may_meet(const struct merges *merges, uint32_t left, uint32_t right,
                     bool left_is_longest)
{
    /* When each of the two is gone, merged into what was taken apart for it. Of equals the left
     * one merges first. */
    uint32_t left_gone = TOKEN_NONE;
    uint32_t right_gone = TOKEN_NONE;
    while (left_is_longest && left <= right) {
        if (right < TOKEN_BYTES)
            return true;
        right_gone = right;
        right = merge_left(&merges->of[right]);
    }
    if (left_is_longest) {
        if (left < TOKEN_BYTES)
            return true;
        left_gone = left;
        left = merge_right(&merges->of[left]);
    }
    for (;;) {
        const uint32_t merged = merge_of(merges, left, right);
        if (merged != TOKEN_NONE && merged < left_gone && merged <= right_gone)
            return false;
        if (left > right) {
            if (left < TOKEN_BYTES)
                return true;
            left_gone = left;
            left = merge_right(&merges->of[left]);
        } else {
            if (right < TOKEN_BYTES)
                return true;
            right_gone = right;
            right = merge_left(&merges->of[right]);
        }
    }
}

static void insert(struct merges *merges, uint32_t left, uint32_t right, uint32_t token)
{
    if ((left | right) < TOKEN_BYTES) {
        merges->of_bytes[merges->bytes[left] * TOKEN_BYTES + merges->bytes[right]] = token;
        return;
    }
    const uint64_t hash = merge_hash(left, right);
    uint32_t slot = merge_slot(merges, hash);
    while (merges->slots[slot] != MERGE_SLOT_EMPTY)
        slot++;
    ASSERT(slot < merges->slot_count + SLOTS_TAIL - 1);
    merges->slots[slot] = (uint32_t)hash >> MERGE_TOKEN_BITS << MERGE_TOKEN_BITS | token;
    /* All bits set would be an empty slot, but no token has so high a number. */
    ASSERT(merges->slots[slot] != MERGE_SLOT_EMPTY);
}

/* The token that is all of [at, end), or TOKEN_NONE. */
static uint32_t whole_token(const struct trie *trie, const uint8_t *at, const uint8_t *end)
{
    size_t size;
    const uint32_t token = trie_longest(trie, at, end, &size);
    return size == (size_t)(end - at) ? token : TOKEN_NONE;
}

/* The longest token that begins the token and is not itself. */
static uint32_t beginning_of(const struct token_strings *strings, const struct trie *trie,
                             uint32_t token)
{
    const uint8_t *start = strings->bytes + strings->offsets[token];
    size_t size;
    return trie_longest(trie, start, strings->bytes + strings->offsets[token + 1] - 1, &size);
}

/* The token's parts, and when its outermost bytes merge: a part that is a single byte with this
 * merge, others as they do within the part. */
static void pack(const struct merges *merges, struct merge *merge, uint32_t token, uint32_t left,
                 uint32_t right)
{
    const uint64_t now = token >> MERGE_TIME_SHIFT;
    const uint64_t first = left < TOKEN_BYTES ? now : merge_first(&merges->of[left]);
    const uint64_t last = right < TOKEN_BYTES ? now : merge_last(&merges->of[right]);
    merge->parts = left | (uint64_t)right << MERGE_TOKEN_BITS | first << 2 * MERGE_TOKEN_BITS |
                   last << (64 - MERGE_TIME_BITS);
}

/* What the token is merged from: of all ways to part it in two earlier tokens the one whose
 * halves come to stand side by side. */
static bool find_parts(const struct merges *merges, const struct token_strings *strings,
                       const struct trie *trie, uint32_t token, struct merge *merge)
{
    const uint8_t *start = strings->bytes + strings->offsets[token];
    const uint8_t *end = strings->bytes + strings->offsets[token + 1];
    uint32_t base = TRIE_ROOT_BASE;
    for (const uint8_t *at = start; at + 1 < end;) {
        const uint32_t place = base + *at++;
        const uint32_t left = trie->tokens[place];
        base = trie_base(trie->cells[place]);
        if (left >= token)
            continue;
        const uint32_t right = whole_token(trie, at, end);
        if (right >= token || !merges_may_meet(merges, left, right, false))
            continue;
        pack(merges, merge, token, left, right);
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
        struct merge *merge = &merges->of[token];
        if (size > TOKEN_SIZE_MAX || (size == 1) != (token < TOKEN_BYTES))
            return STATUS_INVALID;
        merges->beginnings[token] = beginning_of(strings, trie, token);
        if (size == 1) {
            merges->bytes[token] = strings->bytes[strings->offsets[token]];
            merge->parts = UINT64_MAX << 2 * MERGE_TOKEN_BITS;
            continue;
        }
        if (!find_parts(merges, strings, trie, token, merge))
            return STATUS_INVALID;
        const uint32_t left = merge_left(merge);
        const uint32_t right = merge_right(merge);
        merge->openings = partners[right] | merges->of[right].openings;
        partners[left] |= opening_of_token(strings, right);
        insert(merges, left, right, token);
    }
    for (uint32_t token = 0; token < strings->count; token++)
        merges->of[token].openings |= partners[token];
    return STATUS_OK;
}

static bool allocate(struct merges *merges, size_t count)
{
    const size_t slots_size = (merges->slot_count + SLOTS_TAIL) * sizeof(*merges->slots);
    const size_t bytes_size = TOKEN_BYTES * TOKEN_BYTES * sizeof(*merges->of_bytes);
    merges->of = alloc_zeroed(count, sizeof(*merges->of));
    merges->slots = alloc_bytes(slots_size);
    merges->of_bytes = alloc_bytes(bytes_size);
    merges->beginnings = alloc_bytes(count * sizeof(*merges->beginnings));
    if (merges->beginnings == NULL || merges->of == NULL || merges->slots == NULL ||
        merges->of_bytes == NULL)
        return false;
    memset(merges->slots, 0xFF, slots_size);    /* MERGE_SLOT_EMPTY */
    memset(merges->of_bytes, 0xFF, bytes_size); /* TOKEN_NONE */
    return true;
}

enum status merges_build(struct merges *merges, const struct token_strings *strings,
                         const struct trie *trie)
{
    const size_t count = strings->count;
    *merges = (struct merges){.slot_count = (uint32_t)(2 * count)};
    if (count < TOKEN_BYTES || count >= (size_t)1 << MERGE_TOKEN_BITS)
        return STATUS_INVALID;
    uint64_t *partners = alloc_zeroed(count, sizeof(*partners));
    enum status status = STATUS_NO_MEMORY;
    if (partners != NULL && allocate(merges, count))
        status = learn(merges, strings, trie, partners);
    alloc_free(partners);
    if (status != STATUS_OK)
        merges_fini(merges);
    return status;
}

void merges_fini(struct merges *merges)
{
    alloc_free(merges->of);
    alloc_free(merges->slots);
    alloc_free(merges->of_bytes);
    alloc_free(merges->beginnings);
    *merges = (struct merges){0};
}
