/* A journal as the drain reads it: record after record, over the seams between segments.
 *
 * Thread: the drain's. Memory: what is read lies in the segments. */
#ifndef LEDGER_SOURCE_H
#define LEDGER_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "ledger/batch.h"
#include "ledger/open_set.h"
#include "ledger/segment.h"

struct source {
    uint64_t generation;
    uint32_t worker;
    struct open_set open;
    uint64_t number; /* of the segment that the reader is in; 0: before the first */
    struct segment_reader reader;
    /* The segment's bytes, or nothing: it does not exist (yet). */
    struct slice (*segment)(void *context, uint32_t worker, uint64_t number);
    void *context;
    /* Of a worker that lives: the position of what it will append next, and the size of segments;
     * NULL: nobody appends any more. */
    const _Atomic uint64_t *appended;
    size_t segment_bytes;
    bool stops_at_seams;   /* collecting ends where a segment does, as if the batch were full */
    uint64_t records_lost; /* by damage */
    bool is_damaged_here;  /* what lies where the reader is, is no sound record */
};

/* Reads on into the batch until it is full or nothing more is there; sets the batch's position.
 * STATUS_OK: the batch is full, there may be more. STATUS_AGAIN: that is all for now.
 * STATUS_UNSUPPORTED: a record of another version; STATUS_NO_MEMORY. In each case what was taken so
 * far is in the batch, and reading goes on behind it. */
MUST_CHECK enum status source_collect(struct source *source, struct batch *batch);
/* At the end of a journal to which `records` were appended: those that did not come are lost. Returns
 * how many. */
uint64_t source_give_up(struct source *source, uint64_t records);
void source_fini(struct source *source);

#endif
