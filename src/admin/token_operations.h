/* The operations on admin tokens; see admin/operations.h. Each returns the HTTP status. */
#ifndef ADMIN_TOKEN_OPERATIONS_H
#define ADMIN_TOKEN_OPERATIONS_H

#include "admin/operation.h"

unsigned tokens_create(struct operation *operation);
unsigned tokens_list(struct operation *operation);
unsigned tokens_show(struct operation *operation);
unsigned tokens_revoke(struct operation *operation);
unsigned tokens_delete(struct operation *operation);

#endif
