/* Shares of budgets that were reached, as entries "budget.alert" of the audit chain.
 *
 * Thread: the store's. */
#ifndef ADMIN_ALERT_AUDIT_H
#define ADMIN_ALERT_AUDIT_H

#include "admin/context.h"
#include "gateway/budget_alerts.h"

/* Takes over the list, writes an entry for each and frees all. Statuses of change_end(): those that
 * could not be written are lost here, and stand in the log. */
MUST_CHECK enum status alert_audit_note(struct admin_context *context, struct budget_alert *alerts,
                                        struct reason *reason);

#endif
