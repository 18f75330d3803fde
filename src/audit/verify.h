/* Verifying the chain and the rows it covers: every changed, removed, reordered or added entry or row
 * becomes a finding that says which.
 *
 * Thread: any, while weir writes: what is appended meanwhile is taken into account. No transaction is
 * open, so nobody waits for it.
 * Memory: a few bytes per batch that was priced anew or is out of line, and the rows of one batch. */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/chain.h"
#include "base/id.h"

enum audit_fault {
    AUDIT_ENTRY_CHANGED,    /* its hash does not hold */
    AUDIT_ENTRY_MISSING,    /* removed, also at the end */
    AUDIT_ENTRY_MOVED,      /* genuine, but in the place of another one */
    AUDIT_ENTRY_ADDED,      /* weir did not make it, and no place is missing it */
    AUDIT_ENTRY_UNLINKED,   /* genuine, but of another history than the one before it */
    AUDIT_CHECKPOINT_WRONG, /* the signature is not that of the entries */
    AUDIT_CHECKPOINT_BARE,  /* not signed, since weir itself found an entry changed */
    AUDIT_HEAD_WRONG, /* the head beside the database is missing, changed or of another history */
    AUDIT_TAIL_LOST,  /* an entry says that newer ones were missing when weir went on */
    AUDIT_ROW_CHANGED,
    AUDIT_ROW_MISSING,
    AUDIT_ROW_ADDED,
    AUDIT_BATCH_CHANGED,  /* rows are not as they were sealed, and it cannot be told which */
    AUDIT_BATCH_UNSEALED, /* rows of a batch that no genuine entry covers */
    AUDIT_FAULT_COUNT,
};

/* "entry changed" and the like, in lower case. Static storage. */
const char *audit_fault_name(enum audit_fault fault);

struct audit_finding {
    enum audit_fault fault;
    uint64_t number, number_to; /* the entries that it is about, or that seal the batch; 0: none */
    int64_t batch;              /* -1: it is about entries */
    struct id id;               /* of the row; zeros: none */
    struct slice text;          /* all of it in one sentence without a full stop */
};

struct audit_report {
    uint64_t entries; /* read */
    uint64_t last; /* number of the newest genuine one; 0 although there are entries: the key is not
                         the chain's, or all were replaced */
    uint64_t checkpoints;
    uint64_t last_checkpoint;                                /* later entries are not signed yet */
    uint64_t batches, rows;                                  /* checked */
    uint64_t entries_removed, batches_removed, rows_removed; /* by retention, which said so */
    uint64_t findings;
};

/* A status other than STATUS_OK ends the verifying and is its status. */
struct audit_verifier {
    enum status (*find)(void *context, const struct audit_finding *finding);
    /* Called now and then; may be NULL. */
    enum status (*progress)(void *context, const struct audit_report *so_far);
    void *context;
};

/* STATUS_OK, whatever is found: look at report_out->findings. STATUS_NO_MEMORY; the store's statuses;
 * those of the verifier; STATUS_DENIED, STATUS_IO: the head cannot be read. */
MUST_CHECK enum status audit_verify(struct audit *audit, struct store *store,
                                    const struct audit_verifier *verifier,
                                    struct audit_report *report_out, struct reason *reason);

#endif
