#include "identity/lookup.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/slab.h"

#define SEGMENT_SLOTS 512
_Static_assert(SEGMENT_SLOTS * 16 + 64 <= SLAB_BYTES_MAX, "a segment is an object of the slab");
/* Removed slots count as used, or a search for what is not there would not end. Insertions whose room
 * was reserved together may go beyond it. */
#define USED_MAX (SEGMENT_SLOTS / 4 * 3)
_Static_assert(USED_MAX + LOOKUP_RESERVED_MAX < SEGMENT_SLOTS, "there is room beyond it");
/* With fewer items than this a full segment is mostly removed slots: it is copied, not split. */
#define SPLIT_MIN (SEGMENT_SLOTS / 2)
/* 4 million segments: a billion items. Only hashes that are not random come here. */
#define DEPTH_MAX 22

/* States of a slot: free (item is NULL) -> item -> another item of the same hash -> removed. It
 * never becomes free again, so a reader that sees an item also sees its hash, which was written
 * before. */
struct slot {
    uint64_t hash;
    void *_Atomic item;
};

/* Holds the items whose hashes begin with the same `depth` bits. */
struct segment {
    struct retired retired;
    unsigned depth;
    unsigned used; /* slots that are not free */
    unsigned items;
    struct slot slots[SEGMENT_SLOTS];
};

/* A segment of depth d stands 2^(depth - d) times side by side. */
struct lookup_directory {
    struct retired retired;
    unsigned depth;
    struct segment *_Atomic segments[];
};

static char removed_mark;
#define REMOVED ((void *)&removed_mark)

static void directory_free(struct retired *retired)
{
    alloc_free(LIST_ENTRY(retired, struct lookup_directory, retired));
}

static void segment_destroy(struct segment *segment)
{
    slab_give(segment, sizeof(*segment));
}

static void segment_free(struct retired *retired)
{
    segment_destroy(LIST_ENTRY(retired, struct segment, retired));
}

static size_t directory_bytes(unsigned depth)
{
    return sizeof(struct lookup_directory) + (sizeof(struct segment *) << depth);
}

/* The first `depth` bits; in two steps, since depth may be 0. */
static size_t directory_place(uint64_t hash, unsigned depth)
{
    return (size_t)((hash >> 1) >> (63 - depth));
}

static struct segment *segment_at(const struct lookup_directory *directory, size_t place)
{
    return atomic_load_explicit(&directory->segments[place], memory_order_acquire);
}

static struct lookup_directory *directory_of(const struct lookup *lookup)
{
    return atomic_load_explicit(&lookup->directory, memory_order_acquire);
}

static struct segment *segment_of(const struct lookup *lookup, uint64_t hash)
{
    const struct lookup_directory *directory = directory_of(lookup);
    return segment_at(directory, directory_place(hash, directory->depth));
}

static struct segment *segment_create(unsigned depth)
{
    struct segment *segment = slab_take(sizeof(*segment));
    if (segment != NULL)
        segment->depth = depth;
    return segment;
}

enum status lookup_init(struct lookup *lookup, struct grace *grace)
{
    struct lookup_directory *directory = alloc_zeroed(1, directory_bytes(0));
    struct segment *segment = directory != NULL ? segment_create(0) : NULL;
    if (segment == NULL) {
        alloc_free(directory);
        return STATUS_NO_MEMORY;
    }
    atomic_init(&directory->segments[0], segment);
    atomic_init(&lookup->directory, directory);
    lookup->grace = grace;
    lookup->count = 0;
    lookup->bytes = directory_bytes(0) + sizeof(*segment);
    return STATUS_OK;
}

void lookup_fini(struct lookup *lookup)
{
    struct lookup_directory *directory = directory_of(lookup);
    if (directory == NULL)
        return;
    size_t place = 0;
    while (place < (size_t)1 << directory->depth) {
        struct segment *segment = segment_at(directory, place);
        place += (size_t)1 << (directory->depth - segment->depth);
        segment_destroy(segment);
    }
    alloc_free(directory);
    atomic_store_explicit(&lookup->directory, NULL, memory_order_relaxed);
}

static void *slot_item(const struct slot *slot)
{
    return atomic_load_explicit(&slot->item, memory_order_acquire);
}

void *lookup_find(const struct lookup *lookup, uint64_t hash, lookup_matcher *matches,
                  const void *wanted)
{
    const struct segment *segment = segment_of(lookup, hash);
    for (size_t i = 0; i < SEGMENT_SLOTS; i++) {
        const struct slot *slot = &segment->slots[(hash + i) % SEGMENT_SLOTS];
        void *item = slot_item(slot);
        if (item == NULL)
            return NULL;
        if (slot->hash == hash && item != REMOVED && matches(item, wanted))
            return item;
    }
    return NULL;
}

/* For the writer: the slot that holds exactly this item, which is there. */
static struct slot *slot_of(struct segment *segment, uint64_t hash, const void *item)
{
    size_t at = hash % SEGMENT_SLOTS;
    while (slot_item(&segment->slots[at]) != item) {
        ASSERT(slot_item(&segment->slots[at]) != NULL);
        at = (at + 1) % SEGMENT_SLOTS;
    }
    return &segment->slots[at];
}

static void segment_insert(struct segment *segment, uint64_t hash, void *item)
{
    ASSERT(segment->used < SEGMENT_SLOTS);
    size_t at = hash % SEGMENT_SLOTS;
    while (slot_item(&segment->slots[at]) != NULL)
        at = (at + 1) % SEGMENT_SLOTS;
    segment->slots[at].hash = hash;
    atomic_store_explicit(&segment->slots[at].item, item, memory_order_release);
    segment->used++;
    segment->items++;
}

/* Distributes the items among halves[0] and, where the bit after `depth` is set, halves[1]. */
static void segment_distribute(const struct segment *segment, struct segment *halves[2])
{
    for (size_t i = 0; i < SEGMENT_SLOTS; i++) {
        const struct slot *slot = &segment->slots[i];
        void *item = slot_item(slot);
        if (item == NULL || item == REMOVED)
            continue;
        segment_insert(halves[slot->hash >> (63 - segment->depth) & 1], slot->hash, item);
    }
}

/* Puts both halves (which may be the same) in the place of the segment, and retires it. */
static void segment_replace(struct lookup *lookup, uint64_t hash, struct segment *segment,
                            struct segment *halves[2])
{
    struct lookup_directory *directory = directory_of(lookup);
    const size_t span = (size_t)1 << (directory->depth - segment->depth);
    const size_t first = directory_place(hash, directory->depth) / span * span;
    for (size_t i = 0; i < span; i++) {
        struct segment *half = halves[i >= span / 2 && span > 1];
        atomic_store_explicit(&directory->segments[first + i], half, memory_order_release);
    }
    grace_retire(lookup->grace, &segment->retired, segment_free);
}

static enum status segment_copy(struct lookup *lookup, uint64_t hash, struct segment *segment)
{
    struct segment *copy = segment_create(segment->depth);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    struct segment *both[2] = {copy, copy};
    segment_distribute(segment, both);
    segment_replace(lookup, hash, segment, both);
    return STATUS_OK;
}

static enum status directory_double(struct lookup *lookup)
{
    struct lookup_directory *directory = directory_of(lookup);
    const unsigned depth = directory->depth + 1;
    if (depth > DEPTH_MAX)
        return STATUS_NO_MEMORY;
    struct lookup_directory *doubled = alloc_bytes(directory_bytes(depth));
    if (doubled == NULL)
        return STATUS_NO_MEMORY;
    doubled->depth = depth;
    for (size_t i = 0; i < (size_t)1 << depth; i++)
        atomic_init(&doubled->segments[i], segment_at(directory, i / 2));
    atomic_store_explicit(&lookup->directory, doubled, memory_order_release);
    grace_retire(lookup->grace, &directory->retired, directory_free);
    lookup->bytes += directory_bytes(depth) - directory_bytes(depth - 1);
    return STATUS_OK;
}

static enum status segment_split(struct lookup *lookup, uint64_t hash, struct segment *segment)
{
    if (segment->depth == directory_of(lookup)->depth) {
        const enum status status = directory_double(lookup);
        if (status != STATUS_OK)
            return status;
    }
    struct segment *low = segment_create(segment->depth + 1);
    struct segment *high = low != NULL ? segment_create(segment->depth + 1) : NULL;
    if (high == NULL) {
        segment_destroy(low);
        return STATUS_NO_MEMORY;
    }
    struct segment *halves[2] = {low, high};
    segment_distribute(segment, halves);
    segment_replace(lookup, hash, segment, halves);
    lookup->bytes += sizeof(*segment);
    return STATUS_OK;
}

enum status lookup_reserve(struct lookup *lookup, uint64_t hash)
{
    for (;;) {
        struct segment *segment = segment_of(lookup, hash);
        if (segment->used < USED_MAX)
            return STATUS_OK;
        const enum status status = segment->items < SPLIT_MIN
                                       ? segment_copy(lookup, hash, segment)
                                       : segment_split(lookup, hash, segment);
        if (status != STATUS_OK)
            return status;
    }
}

void lookup_insert(struct lookup *lookup, uint64_t hash, void *item)
{
    struct segment *segment = segment_of(lookup, hash);
    ASSERT(segment->used < SEGMENT_SLOTS - 1);
    segment_insert(segment, hash, item);
    lookup->count++;
}

void lookup_replace(struct lookup *lookup, uint64_t hash, const void *former, void *item)
{
    struct slot *slot = slot_of(segment_of(lookup, hash), hash, former);
    atomic_store_explicit(&slot->item, item, memory_order_release);
}

void lookup_remove(struct lookup *lookup, uint64_t hash, const void *item)
{
    struct segment *segment = segment_of(lookup, hash);
    struct slot *slot = slot_of(segment, hash, item);
    atomic_store_explicit(&slot->item, REMOVED, memory_order_release);
    segment->items--;
    lookup->count--;
}

void lookup_visit(const struct lookup *lookup, lookup_visitor *visit, void *context)
{
    const struct lookup_directory *directory = directory_of(lookup);
    size_t place = 0;
    while (place < (size_t)1 << directory->depth) {
        const struct segment *segment = segment_at(directory, place);
        place += (size_t)1 << (directory->depth - segment->depth);
        for (size_t i = 0; i < SEGMENT_SLOTS; i++) {
            void *item = slot_item(&segment->slots[i]);
            if (item != NULL && item != REMOVED)
                visit(context, item);
        }
    }
}
