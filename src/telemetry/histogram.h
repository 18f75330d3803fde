/* Histograms of durations that one thread counts and another reads.
 *
 * Thread: one writer; readers see each cell whole, the cells not as of one instant. */
#ifndef TELEMETRY_HISTOGRAM_H
#define TELEMETRY_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "telemetry/metric.h"

#define HISTOGRAM_BOUNDS_MAX 18

/* The upper bounds of the buckets, ascending; above the last there is one more bucket. */
struct histogram_scale {
    size_t count;
    uint64_t bounds_ns[HISTOGRAM_BOUNDS_MAX];
};

extern const struct histogram_scale histogram_requests; /* 1 ms to 600 s */
extern const struct histogram_scale histogram_turns;    /* 10 µs to 1 s */

struct histogram {
    metric_cell buckets[HISTOGRAM_BOUNDS_MAX + 1];
    metric_cell sum_ns;
};

/* Counting the bounds below the value has no branch that could be foretold wrongly. */
static inline void histogram_observe(struct histogram *histogram,
                                     const struct histogram_scale *scale, uint64_t value_ns)
{
    size_t bucket = 0;
    for (size_t i = 0; i < scale->count; i++)
        bucket += value_ns > scale->bounds_ns[i];
    metric_add(&histogram->buckets[bucket], 1);
    metric_add(&histogram->sum_ns, value_ns);
}

#endif
