/* A new, a changed or a removed user, with an entry in the audit chain; then the map follows.
 *
 * Thread: the store's. Errors: those of change_end(), of the store's call and of map_follow.h. */
#ifndef ADMIN_USER_CHANGE_H
#define ADMIN_USER_CHANGE_H

#include "admin/context.h"

/* STATUS_EXISTS: the name is taken. */
MUST_CHECK enum status user_enter(struct admin_context *context, const struct store_user *user,
                                  struct reason *reason);
/* `user` is `before` with what changes; its updated_at_us is set here. `action` names the change in the
 * audit chain. STATUS_NOT_FOUND. STATUS_AGAIN: it is not as it was in `before`. */
MUST_CHECK enum status user_change(struct admin_context *context, struct slice action,
                                   const struct store_user *before, struct store_user *user,
                                   struct reason *reason);
/* With all keys; *keys_out, 0 before, says how many. STATUS_NOT_FOUND. */
MUST_CHECK enum status user_remove(struct admin_context *context, const struct store_user *user,
                                   uint64_t *keys_out, struct reason *reason);

#endif
