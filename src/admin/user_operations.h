/* The operations on users; each answers one route of operations.h. Private to the operations. */
#ifndef ADMIN_USER_OPERATIONS_H
#define ADMIN_USER_OPERATIONS_H

#include "admin/operation.h"

unsigned users_create(struct operation *operation);
unsigned users_list(struct operation *operation);
unsigned users_show(struct operation *operation);
unsigned users_set(struct operation *operation);
unsigned users_disable(struct operation *operation);
unsigned users_enable(struct operation *operation);
unsigned users_delete(struct operation *operation);

#endif
