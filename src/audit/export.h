/* The chain as JSON lines: `{"number":…,"timestamp_us":…,"time":…,"actor":…,"action":…,"subject":…,
 * "details":…,"previous_hash":…,"hash":…}`, hashes in hexadecimal.
 *
 * details is a string, not an object, so that it is byte for byte what was hashed; empty texts are "".
 * With the public key this is all that is needed to check the checkpoints, see docs/audit.md. */
#ifndef AUDIT_EXPORT_H
#define AUDIT_EXPORT_H

#include "base/buffer.h"
#include "store/store_audit.h"

/* Given each line with its newline; borrowed until it returns. A status other than STATUS_OK ends the
 * export and is its status. */
typedef enum status audit_line_writer(void *context, struct slice line);

/* Appends one entry as a line. Statuses of buffer_append(). */
enum status audit_export_entry(const struct store_audit_entry *entry, struct buffer *line);

/* Entries from `first` on. Statuses of the store and of the writer; STATUS_NO_MEMORY. */
MUST_CHECK enum status audit_export(struct store *store, uint64_t first, audit_line_writer *write,
                                    void *context, struct reason *reason);

#endif
