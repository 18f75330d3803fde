/* The operations on teams; each answers one route of operations.h. Private to the operations. */
#ifndef ADMIN_TEAM_OPERATIONS_H
#define ADMIN_TEAM_OPERATIONS_H

#include "admin/operation.h"

unsigned teams_create(struct operation *operation);
unsigned teams_list(struct operation *operation);
unsigned teams_show(struct operation *operation);
unsigned teams_set(struct operation *operation);
unsigned teams_add(struct operation *operation);
unsigned teams_remove(struct operation *operation);
unsigned teams_disable(struct operation *operation);
unsigned teams_enable(struct operation *operation);
unsigned teams_delete(struct operation *operation);

#endif
