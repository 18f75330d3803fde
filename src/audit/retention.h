/* Removing what is older than it has to be kept, in such a way that the chain says so.
 *
 * Thread and errors as in audit/chain.h, but for the transaction: each call makes one of its own, so
 * none is open; after an error it is rolled back. */
#ifndef AUDIT_RETENTION_H
#define AUDIT_RETENTION_H

#include "audit/chain.h"

/* One call removes about so many rows, so that nobody waits long for the database. */
#define AUDIT_REMOVE_ROWS 10000

struct audit_removal {
    int64_t from, to; /* batches */
    uint64_t rows;
};

/* Removes the oldest batches whose rows are all older than `before_us`, after a checkpoint that covers
 * them, and appends "usage.remove" with the details {"from":N,"to":N,"rows":N}. To be called until
 * STATUS_NOT_FOUND: there is nothing more to remove. */
MUST_CHECK enum status audit_remove_rows(struct audit *audit, struct store *store,
                                         uint64_t before_us, uint64_t now_us,
                                         struct audit_removal *removal_out, struct reason *reason);

/* Removes the entries before the newest checkpoint that is older than `before_us` and before which no
 * entry seals rows that are still there, and appends "audit.remove" with the details {"before":N}.
 * *removed_out is how many; STATUS_NOT_FOUND: none may be removed. */
MUST_CHECK enum status audit_remove_entries(struct audit *audit, struct store *store,
                                            uint64_t before_us, uint64_t now_us,
                                            uint64_t *removed_out, struct reason *reason);

#endif
