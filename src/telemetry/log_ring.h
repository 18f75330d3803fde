/* A bounded queue of records from one thread to one other, without locks.
 *
 * A record lies in one piece, after a word with its size; where the end of the memory is too near,
 * a word says so and the record begins at the start.
 *
 *   head  bytes ever appended; the producer's, published after the record is written
 *   tail  bytes ever taken;    the consumer's, published after the record was read
 *
 * Invariants: tail <= head <= tail + capacity; both are multiples of 8.
 * Thread: reserve and commit are the producer's, peek and consume the consumer's.
 * Memory: the ring owns its bytes. */
#ifndef TELEMETRY_LOG_RING_H
#define TELEMETRY_LOG_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

#define LOG_RING_LINE 64 /* a cache line; what two threads write lies that far apart */

struct log_ring {
    char *data;
    uint64_t capacity; /* a power of two */

    char before_producer[LOG_RING_LINE];
    _Atomic uint64_t head;
    uint64_t tail_seen; /* what the producer last knew of tail */
    uint64_t reserved;  /* where the record begins that is being written */
    _Atomic uint64_t dropped;

    char before_consumer[LOG_RING_LINE];
    _Atomic uint64_t tail;
    char after_consumer[LOG_RING_LINE];
};

/* `capacity` is a power of two of at least 64. STATUS_NO_MEMORY. */
MUST_CHECK enum status log_ring_init(struct log_ring *ring, size_t capacity);
void log_ring_fini(struct log_ring *ring);

/* Room for a record of at most `size` bytes, aligned to 8. NULL: the ring is full, or the record
 * larger than half of it; it is counted as dropped. */
char *log_ring_reserve(struct log_ring *ring, size_t size);
/* Publishes the first `size` bytes of what was reserved. */
void log_ring_commit(struct log_ring *ring, size_t size);

/* The oldest record, which stays until it is consumed. False: there is none. */
bool log_ring_peek(struct log_ring *ring, struct slice *record_out);
/* Takes away the record that was peeked at. */
void log_ring_consume(struct log_ring *ring, struct slice record);

uint64_t log_ring_dropped(const struct log_ring *ring);

#endif
