#include "http/body_memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

#define CAPACITY_MIN 4096

static _Atomic uint64_t bytes_max;
static _Atomic uint64_t bytes_used;

void body_memory_set_max(uint64_t bytes)
{
    atomic_store_explicit(&bytes_max, bytes, memory_order_relaxed);
}

uint64_t body_memory_used(void)
{
    return atomic_load_explicit(&bytes_used, memory_order_relaxed);
}

/* Compares and swaps rather than adding and taking back: one that is refused never stands in the
 * way of another. */
static bool take(size_t bytes)
{
    const uint64_t max = atomic_load_explicit(&bytes_max, memory_order_relaxed);
    uint64_t used = body_memory_used();
    do {
        if (used + bytes > max)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&bytes_used, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

enum status body_memory_reserve(struct body_memory *memory, size_t capacity)
{
    if (capacity <= memory->capacity)
        return STATUS_OK;
    const size_t more = capacity - memory->capacity;
    if (!take(more))
        return STATUS_NO_MEMORY;
    char *data = alloc_resize(memory->data, capacity);
    if (data == NULL) {
        atomic_fetch_sub_explicit(&bytes_used, more, memory_order_relaxed);
        return STATUS_NO_MEMORY;
    }
    memory->data = data;
    memory->capacity = capacity;
    return STATUS_OK;
}

enum status body_memory_grow(struct body_memory *memory, size_t capacity)
{
    if (capacity <= memory->capacity)
        return STATUS_OK;
    size_t doubled = memory->capacity < CAPACITY_MIN ? CAPACITY_MIN : memory->capacity * 2;
    return body_memory_reserve(memory, doubled > capacity ? doubled : capacity);
}

enum status body_memory_append(struct body_memory *memory, const void *bytes, size_t size)
{
    const enum status status = body_memory_grow(memory, memory->size + size);
    if (status != STATUS_OK)
        return status;
    if (size > 0)
        memcpy(memory->data + memory->size, bytes, size);
    memory->size += size;
    return STATUS_OK;
}

void body_memory_keep(struct body_memory *memory, struct slice rest, struct slice *rest_out)
{
    if (rest.size > 0)
        memmove(memory->data, rest.data, rest.size);
    memory->size = rest.size;
    *rest_out = slice_of(memory->data, rest.size);
}

void body_memory_free(struct body_memory *memory)
{
    ASSERT(memory->size <= memory->capacity);
    atomic_fetch_sub_explicit(&bytes_used, memory->capacity, memory_order_relaxed);
    alloc_free(memory->data);
    *memory = (struct body_memory){0};
}
