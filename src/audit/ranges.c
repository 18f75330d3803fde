#include "audit/ranges.h"

#include <string.h>

#include "base/alloc.h"

#define CAPACITY_MIN 16

void ranges_fini(struct ranges *ranges)
{
    alloc_free(ranges->items);
    *ranges = (struct ranges){0};
}

/* Index of the first range that ends at `number` or later. */
static size_t find(const struct ranges *ranges, uint64_t number)
{
    size_t low = 0, high = ranges->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (ranges->items[middle].to < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum status insert(struct ranges *ranges, size_t at, struct range range)
{
    if (ranges->count == ranges->capacity) {
        const size_t capacity = ranges->capacity == 0 ? CAPACITY_MIN : 2 * ranges->capacity;
        struct range *items = alloc_resize(ranges->items, capacity * sizeof(*items));
        if (items == NULL)
            return STATUS_NO_MEMORY;
        ranges->items = items;
        ranges->capacity = capacity;
    }
    memmove(ranges->items + at + 1, ranges->items + at,
            (ranges->count - at) * sizeof(*ranges->items));
    ranges->items[at] = range;
    ranges->count++;
    return STATUS_OK;
}

/* Unites items[at] with all that it now touches. */
static void merge_from(struct ranges *ranges, size_t at)
{
    struct range *item = &ranges->items[at];
    size_t next = at + 1;
    while (next < ranges->count &&
           (item->to == UINT64_MAX || ranges->items[next].from <= item->to + 1)) {
        if (ranges->items[next].to > item->to)
            item->to = ranges->items[next].to;
        next++;
    }
    memmove(ranges->items + at + 1, ranges->items + next,
            (ranges->count - next) * sizeof(*ranges->items));
    ranges->count -= next - at - 1;
}

enum status ranges_add(struct ranges *ranges, uint64_t from, uint64_t to)
{
    const size_t at = find(ranges, from > 0 ? from - 1 : 0);
    const bool touches =
        at < ranges->count && (to == UINT64_MAX || ranges->items[at].from <= to + 1);
    if (!touches)
        return insert(ranges, at, (struct range){from, to});
    if (from < ranges->items[at].from)
        ranges->items[at].from = from;
    if (to > ranges->items[at].to)
        ranges->items[at].to = to;
    merge_from(ranges, at);
    return STATUS_OK;
}

bool ranges_contain(const struct ranges *ranges, uint64_t number)
{
    const size_t at = find(ranges, number);
    return at < ranges->count && ranges->items[at].from <= number;
}

struct range ranges_next_gap(const struct ranges *ranges, uint64_t from)
{
    size_t at = find(ranges, from);
    if (at < ranges->count && ranges->items[at].from <= from) {
        from = ranges->items[at].to + 1;
        at++;
    }
    return (struct range){from, at < ranges->count ? ranges->items[at].from : UINT64_MAX};
}
