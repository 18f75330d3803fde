/* Shares of budgets that were reached: told in the log and the metrics at once, and kept for the audit
 * chain, which another thread writes.
 *
 * Thread: telling on any worker, taking on one thread. Memory: each alert owns its texts; at most
 * BUDGET_ALERTS_MAX wait, further ones are only logged. */
#ifndef GATEWAY_BUDGET_ALERTS_H
#define GATEWAY_BUDGET_ALERTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/id.h"
#include "policy/admission.h"

#define BUDGET_ALERTS_MAX       1000
#define BUDGET_ALERT_NAME_BYTES 128 /* longer names are cut */

struct budget_alert {
    struct budget_alert *next;
    enum level_kind level;
    char name[BUDGET_ALERT_NAME_BYTES]; /* of the user, team, rule or provider; the key's id */
    struct limit limit;
    unsigned percent;
    uint64_t spent_nanousd;
    uint64_t time_us;
};

/* Begins zeroed. */
struct budget_alerts {
    _Atomic(struct budget_alert *) newest;
    atomic_uint waiting;
};

/* The `on_alert` of policy/admission.h; `context` is the request that settles. */
admission_on_alert budget_alerts_tell;

/* Takes all that wait, the oldest first; each is to be freed with budget_alert_free(). */
struct budget_alert *budget_alerts_take(struct budget_alerts *alerts);
/* Frees *alert and sets it to the next one. */
void budget_alert_free(struct budget_alert **alert);

#endif
