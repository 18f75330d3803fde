/* The operation that lists the audit chain; see admin/operations.h. */
#ifndef ADMIN_AUDIT_OPERATIONS_H
#define ADMIN_AUDIT_OPERATIONS_H

#include "admin/operation.h"

/* Newest first. A page looks at no more than a bounded number of entries, so that a filter that few
 * pass keeps nobody waiting: it may then be short, or empty, and still have a `next`. */
unsigned audit_list(struct operation *operation);

#endif
