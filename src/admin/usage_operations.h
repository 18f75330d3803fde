/* GET /admin/v1/usage: reports of what requests used and cost. Private to the operations. */
#ifndef ADMIN_USAGE_OPERATIONS_H
#define ADMIN_USAGE_OPERATIONS_H

#include "admin/operation.h"

unsigned usage_report(struct operation *operation);

#endif
