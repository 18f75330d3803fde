/* The details of weir's own entries: JSON objects whose members are numbers and texts without
 * escapes, in a fixed order, that weir itself wrote.
 *
 * Reading is for entries whose hash holds: others may hold anything, and are not read at all.
 * Pure functions. */
#ifndef AUDIT_DETAILS_H
#define AUDIT_DETAILS_H

#include "base/slice.h"
#include "base/status.h"

/* The value after `"name":`, without quotes. STATUS_NOT_FOUND: no such member, or null. */
MUST_CHECK enum status details_find(struct slice details, const char *name,
                                    struct slice *value_out);
/* STATUS_NOT_FOUND. STATUS_INVALID: no such number. */
MUST_CHECK enum status details_u64(struct slice details, const char *name, uint64_t *value_out);
/* Exactly `size` bytes in hexadecimal. STATUS_NOT_FOUND. STATUS_INVALID. */
MUST_CHECK enum status details_hex(struct slice details, const char *name, void *bytes_out,
                                   size_t size);

#endif
