/* The providers that operations name. Private to the operations. */
#ifndef ADMIN_PROVIDER_LOOKUP_H
#define ADMIN_PROVIDER_LOOKUP_H

#include "admin/operation.h"

/* Returns 0 or a problem of `http_status`, with the nearest right name. *provider_out is NULL where there
 * is no configuration to look into; it borrows from the snapshot. */
unsigned provider_look_up(struct operation *operation, struct slice name, unsigned http_status,
                          const struct config_provider **provider_out);

#endif
