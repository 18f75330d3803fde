/* The drain: a thread that moves what the journals say into the store, exactly once.
 *
 * First, and again from time to time, it recovers the generations whose process has died: what is
 * left of their journals goes into the store, and requests that never closed become rows with the
 * outcome "orphaned". Then it follows the journals of its own process.
 *
 * A batch goes into the store in one transaction with the position that it reaches. While the store
 * fails, or its file is gone, the same batch is tried again each second; the journals grow. Each
 * trouble is reported once, and its end.
 *
 * Thread: as each function says. */
#ifndef LEDGER_DRAIN_H
#define LEDGER_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "ledger/batch.h"
#include "ledger/directory.h"
#include "ledger/journal.h"
#include "ledger/keeper.h"
#include "store/store.h"

struct drain;

struct drain_config {
    struct directory *directory;
    uint64_t generation; /* one's own */
    struct journal *const *journals;
    uint32_t worker_count;
    size_t segment_bytes;
    struct keeper *keeper;
    struct store *store; /* the drain's alone */
    struct batch_seal seal;
    /* Removes some of what is older, in a transaction of its own; STATUS_NOT_FOUND: nothing is. With
     * the seal's context, on the drain's thread; NULL: nothing is removed. */
    enum status (*retain)(void *context, struct store *store, uint64_t before_us,
                          struct reason *reason);
    bool orphans_are_charged;
    uint64_t retention_us; /* rows older than this are removed; 0: kept */
    void (*report)(void *context, bool is_error, const char *text);
    void *context;
};

MUST_CHECK enum status drain_create(const struct drain_config *config, struct drain **drain_out,
                                    struct reason *reason);
/* Moves what is left, for at most `wait_ms`, and stops the thread. Returns whether everything is in
 * the store. */
bool drain_destroy(struct drain **drain, uint64_t wait_ms);

/* Waits until what was appended before the call is in the store, at most `wait_ms`. Returns whether it
 * is. Any thread but the drain's. */
bool drain_catch_up(struct drain *drain, uint64_t wait_ms);

struct drain_figures {
    uint64_t rows, batches, failures;
    uint64_t records;      /* read from this process's journals */
    uint64_t records_lost; /* by damage */
    uint64_t orphans;      /* found by recovery */
    uint64_t recovered_rows;
    uint64_t busy_ns;       /* CPU time of the thread */
    uint64_t open_requests; /* opened and not closed, as far as is read */
    bool is_recovering;     /* the generations that were there at the start are not done yet */
    bool has_failed;        /* the store refuses */
};
/* Any thread. */
void drain_figures(const struct drain *drain, struct drain_figures *figures_out);

#endif
