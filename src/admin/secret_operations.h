/* The operations on credentials of providers; each answers one route of operations.h. No answer holds a
 * credential. Private to the operations. */
#ifndef ADMIN_SECRET_OPERATIONS_H
#define ADMIN_SECRET_OPERATIONS_H

#include "admin/operation.h"

unsigned secrets_list(struct operation *operation);
unsigned secrets_show(struct operation *operation);
unsigned secrets_set(struct operation *operation);
unsigned secrets_delete(struct operation *operation);
unsigned secrets_rotate(struct operation *operation);

#endif
