/* The operations on keys; each answers one route of operations.h. Private to the operations. */
#ifndef ADMIN_KEY_OPERATIONS_H
#define ADMIN_KEY_OPERATIONS_H

#include "admin/operation.h"

unsigned keys_create(struct operation *operation);
unsigned keys_list(struct operation *operation);
unsigned keys_show(struct operation *operation);
unsigned keys_set(struct operation *operation);
unsigned keys_revoke(struct operation *operation);
unsigned keys_disable(struct operation *operation);
unsigned keys_enable(struct operation *operation);
unsigned keys_rotate(struct operation *operation);

#endif
