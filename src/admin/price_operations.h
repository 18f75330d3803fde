/* /admin/v1/prices: what models cost here. Private to the operations. */
#ifndef ADMIN_PRICE_OPERATIONS_H
#define ADMIN_PRICE_OPERATIONS_H

#include "admin/operation.h"

/* GET: the configuration's prices and the operator's. */
unsigned prices_list(struct operation *operation);
/* POST {"provider","model","from"?,"prices":{…}}: the operator's, from a day or time on. */
unsigned prices_set(struct operation *operation);
/* DELETE ?provider=&model=&from= */
unsigned prices_remove(struct operation *operation);
/* GET /admin/v1/prices/MODEL: what holds now for each target that may serve the model. */
unsigned prices_show(struct operation *operation);
/* POST /admin/v1/prices/rerate: see admin/rerate_operations.c. */
unsigned prices_rerate(struct operation *operation);

#endif
