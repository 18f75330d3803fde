/* The mapping of counters: one page that says what it is, then records of 64 bytes, all words atomic.
 * A record is an index, so that another process that maps the same memory counts in the same words.
 *
 * The mapping is as long as it can ever be from the start, and empty: the kernel gives a page when a
 * record in it is first written, so memory is what is used. Which records are in use, and by how many
 * levels, this process keeps for itself: 4 bytes a record.
 *
 * Thread: any; taking and dropping records is under a lock, counters_record() is not. */
#ifndef POLICY_COUNTERS_H
#define POLICY_COUNTERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "policy/budget.h"
#include "policy/level.h"

#define COUNTERS_RECORDS_MAX    16000000U
#define COUNTERS_MAGIC          UINT64_C(0x7265746e75726977) /* "wiruntre" */
#define COUNTERS_LAYOUT_VERSION 1

union counter {
    _Atomic uint64_t words[8]; /* of requests in flight only the first is used */
    struct {
        _Atomic uint64_t arrival_ns; /* of the GCRA */
        _Atomic uint64_t scale;      /* the limit whose units it counts in since it changed; or 0 */
    } rate;
    struct budget budget;
};
_Static_assert(sizeof(union counter) == 64, "a record is a cache line");

/* What the first page says. */
struct counters_header {
    uint64_t magic;
    uint32_t layout_version;
    uint32_t record_bytes;
    uint64_t record_count_max;
};

/* For counters.c alone, but for `records`. */
struct counters {
    unsigned char *mapping;
    union counter *records;
    size_t mapping_bytes;
    uint32_t record_count_max;
    int descriptor;

    pthread_mutex_t lock; /* of all below */
    /* Of a record in use the number of its references, of a free one the next free one. */
    uint32_t *slots;
    uint32_t slot_count; /* records that were ever used */
    uint32_t slot_room;
    uint32_t first_free;
    uint32_t used;
};

/* counters_create() with another number of records, for tests. */
MUST_CHECK enum status counters_create_of(uint32_t record_count_max, struct counters **counters_out,
                                          struct reason *reason);

/* A record of zeros with one reference. STATUS_NO_MEMORY, STATUS_LIMITED: none is free. */
MUST_CHECK enum status counters_take(struct counters *counters, uint32_t *index_out);
/* One more reference. */
void counters_share(struct counters *counters, uint32_t index);
/* One fewer; the last one frees the record. */
void counters_drop(struct counters *counters, uint32_t index);

static inline union counter *counters_record(const struct counters *counters, uint32_t index)
{
    return &counters->records[index];
}
const struct counters_header *counters_header(const struct counters *counters);

#endif
