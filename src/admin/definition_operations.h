/* The operations on providers and models of the API; each answers one route of operations.h. Private to the
 * operations. */
#ifndef ADMIN_DEFINITION_OPERATIONS_H
#define ADMIN_DEFINITION_OPERATIONS_H

#include "admin/operation.h"

unsigned providers_create(struct operation *operation);
unsigned providers_list(struct operation *operation);
unsigned providers_show(struct operation *operation);
unsigned providers_set(struct operation *operation);
unsigned providers_delete(struct operation *operation);
unsigned models_create(struct operation *operation);
unsigned models_list(struct operation *operation);
unsigned models_show(struct operation *operation);
unsigned models_set(struct operation *operation);
unsigned models_delete(struct operation *operation);

#endif
