/* A batch of records on their way from the journals into the store, in one transaction.
 *
 * Lifecycle: records are taken in; the batch is applied, as often as it takes; then it is cleared.
 * Taking changes only the batch and the sets of open requests, so a batch that the store refuses is
 * applied again as it is: nothing is read twice.
 *
 * Thread: one. Memory: what the records' payloads hold is borrowed until batch_clear(), unless
 * batch_keep() has copied it. */
#ifndef LEDGER_BATCH_H
#define LEDGER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/status.h"
#include "ledger/open_set.h"
#include "ledger/record.h"
#include "ledger/segment.h"
#include "ledger/sums.h"
#include "store/store_usage.h"

#define BATCH_ROWS_MAX       10000
#define BATCH_TEXT_BYTES_MAX (32u * 1024 * 1024)

/* What is done with the rows that are new, within the transaction: the audit chain's part. Nothing,
 * where `begin` is NULL. */
struct batch_seal {
    enum status (*begin)(void *context, struct store *store, int64_t batch, struct reason *reason);
    enum status (*row)(void *context, const struct store_usage *usage, struct reason *reason);
    enum status (*finish)(void *context, struct store *store, struct reason *reason);
    void *context;
};

struct batch_row {
    struct store_usage usage;
    struct open_request *request; /* owned; NULL: its OPENED record was lost */
    /* Of the last attempt, where there are several. */
    unsigned last_status;
    struct slice last_outcome;
    int64_t last_latency_us;
};

struct batch_open {
    struct open_request *request; /* borrowed from its set */
    uint64_t generation;
    uint32_t worker;
};

struct batch {
    struct batch_row *rows;
    size_t row_count, row_capacity;
    struct store_sum *refused;
    size_t refused_count, refused_capacity;
    struct batch_open *opens; /* to go to usage_open */
    size_t open_count, open_capacity;
    struct store_position *positions; /* one per journal */
    size_t position_count, position_capacity;
    struct sums sums;
    uint64_t records;   /* taken in */
    struct arena texts; /* the records, copied out of the journal's files */
};

/* The batch starts zeroed. */
void batch_fini(struct batch *batch);
void batch_clear(struct batch *batch);
bool batch_is_empty(const struct batch *batch);
bool batch_is_full(const struct batch *batch);

/* Replaces the record's payload by a copy, for a file that is mapped may change at any moment, while the
 * store may refuse the batch for hours. STATUS_NO_MEMORY. STATUS_PROTOCOL: it has changed already. */
MUST_CHECK enum status batch_keep(struct batch *batch, const struct segment_reader *reader,
                                  struct segment_record *record_inout);
/* STATUS_NO_MEMORY: the record is not taken, and may be taken again later. STATUS_INVALID: it is no
 * record that weir writes; nothing happened. */
MUST_CHECK enum status batch_take(struct batch *batch, struct open_set *open, uint64_t segment,
                                  const struct segment_record *record);
/* Its segment is gone while it is open. STATUS_NO_MEMORY. */
MUST_CHECK enum status batch_store_open(struct batch *batch, struct open_request *request,
                                        uint64_t generation, uint32_t worker);
/* A request that will never close; takes it out of the set. STATUS_NO_MEMORY. */
MUST_CHECK enum status batch_take_orphan(struct batch *batch, struct open_set *open,
                                         const struct id *id, bool is_charged);
/* Up to where a journal is read. STATUS_NO_MEMORY. */
MUST_CHECK enum status batch_set_position(struct batch *batch,
                                          const struct store_position *position);

struct batch_result {
    uint64_t inserted; /* rows */
    int64_t number;
};
/* Writes everything or nothing. `seal` may be NULL. Statuses of the store's calls. */
MUST_CHECK enum status batch_apply(struct batch *batch, struct store *store,
                                   const struct batch_seal *seal, struct batch_result *result_out,
                                   struct reason *reason);

#endif
