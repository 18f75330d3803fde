/* The operation that gives out the description of the admin API; see admin/operations.h. */
#ifndef ADMIN_OPENAPI_OPERATIONS_H
#define ADMIN_OPENAPI_OPERATIONS_H

#include "admin/operation.h"

unsigned openapi_show(struct operation *operation);

#endif
