/* A new, a changed or a removed team, with an entry in the audit chain; then the map follows.
 *
 * Thread: the store's. Errors: those of change_end(), of the store's call and of map_follow.h. */
#ifndef ADMIN_TEAM_CHANGE_H
#define ADMIN_TEAM_CHANGE_H

#include "admin/context.h"

/* STATUS_EXISTS: the name is taken. */
MUST_CHECK enum status team_enter(struct admin_context *context, const struct store_team *team,
                                  struct reason *reason);
/* `team` is `before` with what changes; its updated_at_us is set here. `action` names the change in the
 * audit chain. STATUS_NOT_FOUND. STATUS_AGAIN: it is not as it was in `before`. */
MUST_CHECK enum status team_change(struct admin_context *context, struct slice action,
                                   const struct store_team *before, struct store_team *team,
                                   struct reason *reason);
/* Its users stay; *users_out, 0 before, says how many. STATUS_NOT_FOUND. */
MUST_CHECK enum status team_remove(struct admin_context *context, const struct store_team *team,
                                   uint64_t *users_out, struct reason *reason);

#endif
