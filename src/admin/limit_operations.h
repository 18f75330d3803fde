/* The operations that tell where limits and budgets stand; see admin/operations.h. */
#ifndef ADMIN_LIMIT_OPERATIONS_H
#define ADMIN_LIMIT_OPERATIONS_H

#include "admin/operation.h"

/* Of the teams, users or keys that ?level= names and the actor sees, page by page. A page looks at no
 * more than a bounded number of them: where few have limits it may be short, or empty, and still have a
 * `next`. What is counted is in the memory of a server: without one they are 503. */
unsigned limits_list(struct operation *operation);
unsigned budgets_list(struct operation *operation);

#endif
