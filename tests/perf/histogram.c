#include "histogram.h"

#include <inttypes.h>
#include <stdio.h>

/* Values below HISTOGRAM_STEPS have a bucket each; above, a bucket is a power of two's step. */
static unsigned bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    const unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return (shift + 1) * HISTOGRAM_STEPS + (unsigned)(value >> shift) % HISTOGRAM_STEPS;
}

/* The middle of the bucket. */
static uint64_t value_of(unsigned bucket)
{
    if (bucket < HISTOGRAM_STEPS)
        return bucket;
    const unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    const uint64_t low = (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << shift;
    return low + (UINT64_C(1) << shift) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned per_mille)
{
    const uint64_t rank = histogram->count * per_mille / 1000;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen > rank)
            return value_of(bucket);
    }
    return histogram->max;
}

void histogram_print_us(const char *name, const struct histogram *histogram_ns)
{
    printf("\"%s\":{\"count\":%" PRIu64, name, histogram_ns->count);
    static const struct {
        const char *name;
        unsigned per_mille;
    } quantiles[] = {{"p50", 500}, {"p99", 990}, {"p999", 999}};
    for (unsigned i = 0; i < 3; i++)
        printf(",\"%s\":%.1f", quantiles[i].name,
               (double)histogram_quantile(histogram_ns, quantiles[i].per_mille) / 1e3);
    printf(",\"max\":%.1f}", (double)histogram_ns->max / 1e3);
}
