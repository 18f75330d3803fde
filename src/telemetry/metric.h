/* A number that one thread changes and any thread reads.
 *
 * The owner loads and stores without a locked instruction; a reader gets a whole value that was
 * true a moment ago. A gauge may be counted up by one thread's cell and down by another's: only
 * the sum over the threads is meant, and unsigned wrapping makes it right. */
#ifndef TELEMETRY_METRIC_H
#define TELEMETRY_METRIC_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t metric_cell;

static inline uint64_t metric_read(const metric_cell *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

static inline void metric_set(metric_cell *cell, uint64_t value)
{
    atomic_store_explicit(cell, value, memory_order_relaxed);
}

static inline void metric_add(metric_cell *cell, uint64_t amount)
{
    metric_set(cell, metric_read(cell) + amount);
}

static inline void metric_subtract(metric_cell *cell, uint64_t amount)
{
    metric_set(cell, metric_read(cell) - amount);
}

static inline void metric_raise(metric_cell *cell, uint64_t value)
{
    if (value > metric_read(cell))
        metric_set(cell, value);
}

#endif
