/* Where the chain ends: kept between calls, and read anew from the store where another process, or a
 * transaction that was rolled back, made a difference. Within the lock of the struct audit. */
#ifndef AUDIT_TAIL_H
#define AUDIT_TAIL_H

#include "audit/chain_internal.h"

/* Brings audit->tail up to date. Statuses of the store; STATUS_NO_MEMORY. */
MUST_CHECK enum status tail_update(struct audit *audit, struct store *store, struct reason *reason);
/* Takes over an entry whose canonical bytes are in audit->bytes. */
void tail_add(struct audit *audit, const struct store_audit_entry *entry, bool is_genuine);
/* Whether a checkpoint is due before an entry of this time. */
bool tail_is_checkpoint_due(const struct audit_tail *tail, uint64_t now_us);

#endif
