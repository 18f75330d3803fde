/* The ledger of one process: its workers' journals, their keeper and the drain.
 *
 * Lifecycle: created before the workers run; workers append to their journals; when they have
 * stopped, it is destroyed, which moves the rest into the store.
 *
 * Thread: create and destroy on the thread that starts and stops the workers. */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "ledger/batch.h"
#include "ledger/drain.h"
#include "ledger/journal.h"
#include "ledger/keeper.h"
#include "store/store.h"

struct ledger;

struct ledger_config {
    const char *path; /* of the journal's folder */
    uint32_t worker_count;
    uint64_t journal_bytes;   /* of all segments together; at least ledger_bytes_min() */
    unsigned sync_ms;         /* what a power cut can take */
    bool orphans_are_charged; /* by the estimate that was made when they were opened */
    uint64_t retention_us;    /* rows older than this are removed; 0: kept */
    struct store *store;      /* the drain's alone, outlives the ledger */
    struct batch_seal seal;
    /* Removes some of what is older, in a transaction of its own; STATUS_NOT_FOUND: nothing is. With
     * the seal's context, on the drain's thread; NULL: nothing is removed. */
    enum status (*retain)(void *context, struct store *store, uint64_t before_us,
                          struct reason *reason);
    /* Asks a worker to call journal_finish_page(). The keeper's thread. */
    void (*finish_page)(void *context, uint32_t worker);
    /* Trouble, and its end, in words for the operator. Any of the ledger's threads. */
    void (*report)(void *context, bool is_error, const char *text);
    void *context;
};

uint64_t ledger_bytes_min(uint32_t worker_count);

/* STATUS_IO, STATUS_DENIED, STATUS_INVALID (journal_bytes), STATUS_NO_MEMORY; the reason says what. */
MUST_CHECK enum status ledger_create(const struct ledger_config *config, struct ledger **ledger_out,
                                     struct reason *reason);
/* Drains for at most `wait_ms`. Returns whether all is in the store; what is not stays in the
 * journal for the next start. */
bool ledger_destroy(struct ledger **ledger, uint64_t wait_ms);

struct journal *ledger_journal(struct ledger *ledger, uint32_t worker);

/* Whether the disk has not answered for so long that no request may begin. Any thread. */
bool ledger_is_stalled(const struct ledger *ledger, uint64_t now_ms);

/* Waits until what was appended before the call is in the store, at most `wait_ms`. Returns whether it
 * is. Any thread but the ledger's own. */
bool ledger_catch_up(struct ledger *ledger, uint64_t wait_ms);

struct ledger_figures {
    struct keeper_figures keeper;
    struct drain_figures drain;
};
/* Any thread. */
void ledger_figures(const struct ledger *ledger, struct ledger_figures *figures_out);

#endif
