#include "ledger/sums.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const struct store_sum *sum)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = mix(hash, sum->key_id.bytes + 8, 8);
    hash = mix(hash, sum->model.data, sum->model.size);
    hash = mix(hash, sum->provider.data, sum->provider.size);
    hash = mix(hash, sum->reason.data, sum->reason.size);
    return mix(hash, &sum->hour_us, sizeof(sum->hour_us));
}

static bool same_id(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool same_bucket(const struct store_sum *a, const struct store_sum *b)
{
    return a->hour_us == b->hour_us && same_id(&a->key_id, &b->key_id) &&
           same_id(&a->user_id, &b->user_id) && same_id(&a->team_id, &b->team_id) &&
           slice_equal(a->model, b->model) && slice_equal(a->provider, b->provider) &&
           slice_equal(a->reason, b->reason);
}

static uint32_t *slot_of(const struct sums *sums, const struct store_sum *sum)
{
    size_t at = hash_of(sum) & (sums->slot_count - 1);
    while (sums->slots[at] != 0 && !same_bucket(&sums->items[sums->slots[at] - 1], sum))
        at = (at + 1) & (sums->slot_count - 1);
    return &sums->slots[at];
}

/* Twice as many slots as items, so that searches stay short. */
static enum status grow(struct sums *sums)
{
    const size_t capacity = sums->capacity == 0 ? 256 : sums->capacity * 2;
    struct store_sum *items = alloc_resize(sums->items, capacity * sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    sums->items = items;
    uint32_t *slots = alloc_zeroed(capacity * 2, sizeof(*slots));
    if (slots == NULL)
        return STATUS_NO_MEMORY;
    alloc_free(sums->slots);
    sums->slots = slots;
    sums->slot_count = capacity * 2;
    sums->capacity = capacity;
    for (size_t i = 0; i < sums->count; i++)
        *slot_of(sums, &sums->items[i]) = (uint32_t)i + 1;
    return STATUS_OK;
}

enum status sums_add(struct sums *sums, const struct store_sum *sum)
{
    if (sums->count == sums->capacity && grow(sums) != STATUS_OK)
        return STATUS_NO_MEMORY;
    uint32_t *slot = slot_of(sums, sum);
    if (*slot != 0) {
        store_sum_merge(&sums->items[*slot - 1], sum);
        return STATUS_OK;
    }
    sums->items[sums->count++] = *sum;
    *slot = (uint32_t)sums->count;
    return STATUS_OK;
}

static int compare_ids(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare(const void *left, const void *right)
{
    const struct store_sum *a = left;
    const struct store_sum *b = right;
    if (a->hour_us != b->hour_us)
        return a->hour_us < b->hour_us ? -1 : 1;
    const int users = compare_ids(&a->user_id, &b->user_id);
    return users != 0 ? users : compare_ids(&a->key_id, &b->key_id);
}

void sums_sort(struct sums *sums)
{
    if (sums->count > 1)
        qsort(sums->items, sums->count, sizeof(sums->items[0]), compare);
}

void sums_clear(struct sums *sums)
{
    sums->count = 0;
    if (sums->slot_count > 0)
        memset(sums->slots, 0, sums->slot_count * sizeof(sums->slots[0]));
}

void sums_fini(struct sums *sums)
{
    alloc_free(sums->items);
    alloc_free(sums->slots);
    *sums = (struct sums){0};
}
