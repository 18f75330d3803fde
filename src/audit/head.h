/* The head: number and hash of the newest entry, kept beside the database in
 * DATA_DIR/secrets/audit.head, so that entries cut off the chain's end are missed.
 *
 * The file is one line, `NUMBER HASH MAC` (hexadecimal), the MAC over what stands before it. */
#ifndef AUDIT_HEAD_H
#define AUDIT_HEAD_H

#include "audit/keys.h"
#include "store/store.h"

struct audit_head {
    uint64_t number;
    unsigned char hash[STORE_HASH_SIZE];
};

/* STATUS_NOT_FOUND: none yet. STATUS_INVALID: weir did not write it like this. STATUS_DENIED,
 * STATUS_NO_MEMORY, STATUS_IO. */
MUST_CHECK enum status head_read(const struct audit_keys *keys, const char *data_dir,
                                 struct audit_head *head_out, struct reason *reason);
/* STATUS_DENIED, STATUS_IO. */
MUST_CHECK enum status head_write(const struct audit_keys *keys, const char *data_dir,
                                  const struct audit_head *head, struct reason *reason);

#endif
