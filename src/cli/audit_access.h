/* The database for commands on the audit chain: read beside a running server, whose locks it neither
 * takes nor waits for.
 *
 * Thread: any. */
#ifndef CLI_AUDIT_ACCESS_H
#define CLI_AUDIT_ACCESS_H

#include "audit/chain.h"
#include "base/reason.h"
#include "base/status.h"
#include "store/store.h"

/* Opens DATA_DIR/weir.db for reading. Statuses of store_open(). */
MUST_CHECK enum status audit_access_open(const char *data_dir, struct store **store_out,
                                         struct reason *reason);
/* Appends a checkpoint, if one is due, so that all entries so far are signed. Statuses of store_open(),
 * audit_open() and audit_start(). */
MUST_CHECK enum status audit_access_checkpoint(const char *data_dir, struct reason *reason);

#endif
