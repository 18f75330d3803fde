/* Sealing the rows of a batch: one entry for all of them.
 *
 *     audit_batch_add() for each row that was inserted; audit_batch_seal()
 *
 * The entry has the batch's number as its subject and the details
 *     {"rows":N,"hash":"HEX","tags":"BASE64"}
 * with three bytes of tag a row (audit/rows.h). A later entry for the same batch replaces it.
 *
 * Thread: one at a time; sealing takes the lock of the struct audit.
 * Memory: 48 bytes a row, kept between batches. Errors: as audit_append(). */
#ifndef AUDIT_BATCH_H
#define AUDIT_BATCH_H

#include "audit/chain.h"
#include "audit/rows.h"
#include "store/store_usage.h"

struct audit_batch;

/* STATUS_NO_MEMORY. `audit` outlives it. */
MUST_CHECK enum status audit_batch_create(struct audit *audit, struct audit_batch **batch_out,
                                          struct reason *reason);
/* Frees *batch, if any, and sets it to NULL. */
void audit_batch_destroy(struct audit_batch **batch);

/* Forgets the rows: after a rollback. */
void audit_batch_clear(struct audit_batch *batch);
/* A row, in any order, exactly as it was given to store_usage_insert(), which inserted it.
 * STATUS_TOO_LARGE: AUDIT_BATCH_ROWS_MAX. STATUS_NO_MEMORY. */
MUST_CHECK enum status audit_batch_add(struct audit_batch *batch, const struct store_usage *usage,
                                       struct reason *reason);
/* Appends the entry of the rows added, all of batch `number`, within the transaction that inserted
 * them, and forgets them. Nothing happens if there are none. */
MUST_CHECK enum status audit_batch_seal(struct audit_batch *batch, struct store *store,
                                        int64_t number, uint64_t now_us, struct reason *reason);
/* Reads the rows of batch `number` from the store and appends an entry "usage.rerate" for them: after
 * a change of prices, within the transaction that made it. */
MUST_CHECK enum status audit_batch_reseal(struct audit_batch *batch, struct store *store,
                                          int64_t number, uint64_t now_us, struct reason *reason);

#endif
