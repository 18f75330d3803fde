#include "telemetry/log_ring.h"

#include "base/alloc.h"
#include "base/assert.h"

#define WORD_SIZE     sizeof(uint64_t)
#define SKIP_TO_START UINT64_MAX /* in the place of a record's size */

enum status log_ring_init(struct log_ring *ring, size_t capacity)
{
    ASSERT(capacity >= 64 && (capacity & (capacity - 1)) == 0);
    memset(ring, 0, sizeof(*ring));
    ring->data = alloc_bytes(capacity);
    ring->capacity = capacity;
    return ring->data != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void log_ring_fini(struct log_ring *ring)
{
    alloc_free(ring->data);
    ring->data = NULL;
}

static char *place(const struct log_ring *ring, uint64_t position)
{
    return ring->data + (position & (ring->capacity - 1));
}

static uint64_t bytes_to_end(const struct log_ring *ring, uint64_t position)
{
    return ring->capacity - (position & (ring->capacity - 1));
}

/* Of the record with its word. */
static uint64_t footprint(size_t size)
{
    return WORD_SIZE + ((size + WORD_SIZE - 1) & ~(WORD_SIZE - 1));
}

static bool has_room(struct log_ring *ring, uint64_t end)
{
    if (end - ring->tail_seen <= ring->capacity)
        return true;
    ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return end - ring->tail_seen <= ring->capacity;
}

static char *drop(struct log_ring *ring)
{
    const uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
    atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
    return NULL;
}

char *log_ring_reserve(struct log_ring *ring, size_t size)
{
    if (size > ring->capacity / 2 - WORD_SIZE)
        return drop(ring);
    const uint64_t needed = footprint(size);
    const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const uint64_t to_end = bytes_to_end(ring, head);
    ring->reserved = needed <= to_end ? head : head + to_end;
    if (!has_room(ring, ring->reserved + needed))
        return drop(ring);
    if (ring->reserved != head)
        memcpy(place(ring, head), &(uint64_t){SKIP_TO_START}, WORD_SIZE);
    return place(ring, ring->reserved) + WORD_SIZE;
}

void log_ring_commit(struct log_ring *ring, size_t size)
{
    memcpy(place(ring, ring->reserved), &(uint64_t){size}, WORD_SIZE);
    atomic_store_explicit(&ring->head, ring->reserved + footprint(size), memory_order_release);
}

bool log_ring_peek(struct log_ring *ring, struct slice *record_out)
{
    const uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == head)
        return false;
    uint64_t size;
    memcpy(&size, place(ring, tail), WORD_SIZE);
    if (size == SKIP_TO_START) { /* is published together with the record that follows */
        tail += bytes_to_end(ring, tail);
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
        memcpy(&size, place(ring, tail), WORD_SIZE);
    }
    *record_out = slice_of(place(ring, tail) + WORD_SIZE, size);
    return true;
}

void log_ring_consume(struct log_ring *ring, struct slice record)
{
    const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    ASSERT(record.data == place(ring, tail) + WORD_SIZE);
    atomic_store_explicit(&ring->tail, tail + footprint(record.size), memory_order_release);
}

uint64_t log_ring_dropped(const struct log_ring *ring)
{
    return atomic_load_explicit(&ring->dropped, memory_order_relaxed);
}
