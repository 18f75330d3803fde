/* Counts per key, in memory: what a transaction adds up before it writes, and what a report groups.
 *
 * A key is any run of bytes. Counts are held at INT64_MAX where they would go beyond.
 * Thread: one at a time. Memory: the tally owns its keys. */
#ifndef STORE_SQLITE_TALLY_H
#define STORE_SQLITE_TALLY_H

#include <stdint.h>

#include "base/arena.h"
#include "store/store_usage.h"

/* In the order of the columns of the three tables of sums. */
enum count {
    COUNT_REFUSED,
    COUNT_REQUESTS,
    COUNT_ANSWERED,
    COUNT_ESTIMATED,
    COUNT_UNPRICED,
    COUNT_ANSWERED_TOKENS,
    COUNT_COST,
    COUNT_ANSWERED_COST,
    COUNT_TOKENS, /* the first of those of enum store_tokens */
};
#define COUNT_COUNT ((int)COUNT_TOKENS + (int)STORE_TOKENS_COUNT)

struct counts {
    uint64_t values[COUNT_COUNT]; /* at most INT64_MAX */
};

struct tally_entry {
    struct slice key;
    uint64_t hash;
    struct counts counts;
};

struct tally {
    struct tally_entry *entries; /* in the order in which their keys came */
    size_t count;
    uint32_t
        *slots; /* 1 + an index into entries; 0: free. A power of two of them, half of them free */
    size_t slot_count;
    uint64_t seed; /* of the hash, so that nobody can choose keys that collide */
    struct arena keys;
};

void tally_init(struct tally *tally);
void tally_fini(struct tally *tally);
/* Forgets all keys. */
void tally_clear(struct tally *tally);

/* Adds to the counts of the key. STATUS_NO_MEMORY: nothing was added. */
MUST_CHECK enum status tally_add(struct tally *tally, struct slice key,
                                 const struct counts *counts);

/* What a sum adds: its requests are refused ones if it has a reason. */
struct counts counts_of(const struct store_sum *sum);

#endif
