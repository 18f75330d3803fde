/* A new, a changed or a removed user, with an entry in the audit chain. A new one enters the map, too;
 * of the others the map is the caller's.
 *
 * Thread: the store's. Errors: those of change_end() and of the store's call. */
#ifndef ADMIN_USER_CHANGE_H
#define ADMIN_USER_CHANGE_H

#include "admin/context.h"

/* STATUS_EXISTS: the name is taken. */
MUST_CHECK enum status user_enter(struct admin_context *context, const struct store_user *user,
                                  struct reason *reason);
/* Writes `disabled` and `updated_at_us`. STATUS_NOT_FOUND. */
MUST_CHECK enum status user_change(struct admin_context *context, const struct store_user *user,
                                   struct reason *reason);
/* With all keys; *keys_out, 0 before, says how many. STATUS_NOT_FOUND. */
MUST_CHECK enum status user_remove(struct admin_context *context, const struct store_user *user,
                                   uint64_t *keys_out, struct reason *reason);

#endif
