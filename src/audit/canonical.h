/* The bytes over which entries and rows are hashed: every column, in a fixed order, so that two
 * different rows never have the same bytes.
 *
 * Layout: the kind ("weir.entry" or "weir.usage", length first), the version, then the fields.
 * Numbers are 8 bytes, big-endian (STORE_UNKNOWN is -1, so never 0); ids are 16 bytes, zeros for
 * none; texts are their length in 4 bytes, then their bytes; booleans are one byte. A later layout
 * gets another version, and a verifier tries what the entry or batch says.
 *
 * Errors: those of the buffer (base/buffer.h), whose content the bytes replace. */
#ifndef AUDIT_CANONICAL_H
#define AUDIT_CANONICAL_H

#include "base/buffer.h"
#include "store/store_audit.h"
#include "store/store_usage.h"

#define CANONICAL_VERSION 1

/* Everything of the entry but its hash. */
MUST_CHECK enum status canonical_entry(const struct store_audit_entry *entry,
                                       struct buffer *bytes_out);
MUST_CHECK enum status canonical_usage(const struct store_usage *usage, struct buffer *bytes_out);

#endif
