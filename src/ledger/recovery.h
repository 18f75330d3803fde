/* What a process that died left in the journal: read, told apart and moved into the store.
 *
 * Thread: the drain's. */
#ifndef LEDGER_RECOVERY_H
#define LEDGER_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "ledger/batch.h"
#include "ledger/directory.h"
#include "store/store_usage.h"

struct recovery_config {
    struct directory *directory;
    struct store *store;
    const struct batch_seal *seal;
    bool orphans_are_charged;
};

struct recovery_result {
    uint64_t rows, orphans, records_lost;
};

/* Recovers one generation whose lock is held: afterwards its segments are gone. STATUS_UNSUPPORTED:
 * another version of weir wrote it, it stays as it is. Other failures: it may be tried again; what
 * was done is done. */
MUST_CHECK enum status recovery_run(const struct recovery_config *config, uint64_t generation,
                                    struct recovery_result *result_out, struct reason *reason);

#endif
