/* Counts times so that quantiles are known within 1.6 %: each power of two has 64 steps. */
#ifndef PERF_HISTOGRAM_H
#define PERF_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 6
#define HISTOGRAM_STEPS     (1u << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_BUCKETS   ((64 - HISTOGRAM_STEP_BITS) * HISTOGRAM_STEPS)

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);
/* The value that `per_mille` of the values do not exceed; 0 when there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned per_mille);
/* Prints `"name":{"count":…,"p50":…,"p99":…,"p999":…,"max":…}` in microseconds. */
void histogram_print_us(const char *name, const struct histogram *histogram_ns);

#endif
