/* What a server writes into the audit chain about itself: its start, reloads and the stop.
 *
 * Thread: the store's while it runs; before and after, the process's first.
 * Errors: those of admin/change.h. */
#ifndef CLI_SERVE_AUDIT_H
#define CLI_SERVE_AUDIT_H

#include "admin/context.h"

/* Before anything else is appended: begins the chain where there is none. */
MUST_CHECK enum status serve_audit_start(struct admin_context *context, struct slice version,
                                         struct reason *reason);
/* Another configuration is in force; `file` is where it comes from, and may be empty. */
MUST_CHECK enum status serve_audit_reload(struct admin_context *context, struct slice file,
                                          struct reason *reason);
/* After everything else was appended: the stop, and a checkpoint that covers it. */
MUST_CHECK enum status serve_audit_stop(struct admin_context *context, struct slice version,
                                        struct reason *reason);
/* Each second, so that the head beside the database knows of what was appended last. Does nothing where
 * nothing was. */
MUST_CHECK enum status serve_audit_save_head(struct admin_context *context, struct reason *reason);

#endif
