/* Budgets that were set, or moved to another time zone, while a request ran: what the request cost is
 * counted in them too, though nothing was held there.
 *
 * Thread: the worker's. Memory: none. While nothing changes it costs two comparisons a request. */
#ifndef GATEWAY_LATE_BUDGETS_H
#define GATEWAY_LATE_BUDGETS_H

#include <stdint.h>

struct request;

/* The request's levels are about to be looked at for the last time. */
void late_budgets_note(struct request *request);
/* The bill is made; before admit_settle(). */
void late_budgets_settle(struct request *request, uint64_t cost_nanousd);

#endif
