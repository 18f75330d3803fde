/* The hourly sums of one batch, added up in memory so that each bucket is written once.
 *
 * Thread: one. Memory: the keys' texts are borrowed until sums_clear(). */
#ifndef LEDGER_SUMS_H
#define LEDGER_SUMS_H

#include <stddef.h>

#include "base/status.h"
#include "store/store_usage.h"

struct sums {
    struct store_sum *items;
    size_t count, capacity;
    uint32_t *slots; /* index + 1 of the item, 0: free */
    size_t slot_count;
};

/* The sums start zeroed. */
void sums_fini(struct sums *sums);
void sums_clear(struct sums *sums);
/* STATUS_NO_MEMORY: nothing was added. */
MUST_CHECK enum status sums_add(struct sums *sums, const struct store_sum *sum);
/* Orders them as the tables are, so that neighbours are written after each other. Nothing may be added
 * until sums_clear(). */
void sums_sort(struct sums *sums);

#endif
