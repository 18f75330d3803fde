#include "store/sqlite/tally.h"

#include <string.h>

#include "base/alloc.h"
#include "base/random.h"

#define SLOTS_FIRST 64

void tally_init(struct tally *tally)
{
    *tally = (struct tally){.seed = random_u64()};
    arena_init(&tally->keys, NULL, 0, SIZE_MAX);
}

void tally_fini(struct tally *tally)
{
    alloc_free(tally->entries);
    alloc_free(tally->slots);
    arena_fini(&tally->keys);
    tally->entries = NULL;
    tally->slots = NULL;
    tally->count = 0;
    tally->slot_count = 0;
}

void tally_clear(struct tally *tally)
{
    if (tally->count == 0)
        return;
    tally->count = 0;
    memset(tally->slots, 0, tally->slot_count * sizeof(*tally->slots));
    arena_fini(&tally->keys);
    arena_init(&tally->keys, NULL, 0, SIZE_MAX);
}

/* FNV-1a from a secret start, its bits mixed once more because the low ones choose the slot. */
static uint64_t hash_of(const struct tally *tally, struct slice key)
{
    uint64_t hash = tally->seed;
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001b3);
    return (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t *slot_of(const struct tally *tally, struct slice key, uint64_t hash)
{
    const size_t mask = tally->slot_count - 1;
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &tally->slots[i];
        if (*slot == 0)
            return slot;
        const struct tally_entry *entry = &tally->entries[*slot - 1];
        if (entry->hash == hash && slice_equal(entry->key, key))
            return slot;
    }
}

static enum status grow(struct tally *tally)
{
    const size_t slot_count = tally->slot_count == 0 ? SLOTS_FIRST : 2 * tally->slot_count;
    if (slot_count > UINT32_MAX)
        return STATUS_NO_MEMORY;
    uint32_t *slots = alloc_zeroed(slot_count, sizeof(*slots));
    if (slots == NULL)
        return STATUS_NO_MEMORY;
    struct tally_entry *entries =
        alloc_resize(tally->entries, slot_count / 2 * sizeof(*tally->entries));
    if (entries == NULL) {
        alloc_free(slots);
        return STATUS_NO_MEMORY;
    }
    alloc_free(tally->slots);
    tally->entries = entries;
    tally->slots = slots;
    tally->slot_count = slot_count;
    for (size_t i = 0; i < tally->count; i++)
        *slot_of(tally, entries[i].key, entries[i].hash) = (uint32_t)(i + 1);
    return STATUS_OK;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    return b > (uint64_t)INT64_MAX - a ? (uint64_t)INT64_MAX : a + b;
}

enum status tally_add(struct tally *tally, struct slice key, const struct counts *counts)
{
    if (2 * tally->count >= tally->slot_count && grow(tally) != STATUS_OK)
        return STATUS_NO_MEMORY;
    const uint64_t hash = hash_of(tally, key);
    uint32_t *slot = slot_of(tally, key, hash);
    if (*slot == 0) {
        const struct slice copy = arena_copy(&tally->keys, key);
        if (copy.data == NULL)
            return STATUS_NO_MEMORY;
        tally->entries[tally->count] = (struct tally_entry){copy, hash, *counts};
        *slot = (uint32_t)++tally->count;
        return STATUS_OK;
    }
    struct tally_entry *entry = &tally->entries[*slot - 1];
    for (int i = 0; i < COUNT_COUNT; i++)
        entry->counts.values[i] = add_capped(entry->counts.values[i], counts->values[i]);
    return STATUS_OK;
}

static uint64_t capped(uint64_t value)
{
    return value > INT64_MAX ? (uint64_t)INT64_MAX : value;
}

struct counts counts_of(const struct store_sum *sum)
{
    struct counts counts = {{0}};
    counts.values[sum->reason.size > 0 ? COUNT_REFUSED : COUNT_REQUESTS] = capped(sum->requests);
    counts.values[COUNT_ANSWERED] = capped(sum->answered);
    counts.values[COUNT_ESTIMATED] = capped(sum->estimated);
    counts.values[COUNT_UNPRICED] = capped(sum->unpriced);
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        counts.values[COUNT_TOKENS + i] = capped(sum->tokens[i]);
    counts.values[COUNT_ANSWERED_TOKENS] = capped(sum->answered_tokens);
    counts.values[COUNT_COST] = sum->cost_nanousd > 0 ? (uint64_t)sum->cost_nanousd : 0;
    counts.values[COUNT_ANSWERED_COST] =
        sum->answered_cost_nanousd > 0 ? (uint64_t)sum->answered_cost_nanousd : 0;
    return counts;
}
