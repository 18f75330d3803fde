/* What a request names, found in the store, if its actor may see it.
 *
 * Every operation that is open to a team_admin finds things through here alone. What belongs to another
 * team, or to none, is to a team_admin as if it were not there: with the same status and the same words.
 * Private to the operations. Memory: the operation's arena. */
#ifndef ADMIN_LOOKUP_H
#define ADMIN_LOOKUP_H

#include "admin/operation.h"

/* By id or by name. Statuses of store_team_find(), store_user_find() and store_key_find(). */
MUST_CHECK enum status lookup_team(struct operation *operation, struct slice name,
                                   struct store_team *team_out, struct reason *reason);
MUST_CHECK enum status lookup_user(struct operation *operation, struct slice name,
                                   struct store_user *user_out, struct reason *reason);
MUST_CHECK enum status lookup_key(struct operation *operation, struct slice name,
                                  struct store_key *key_out, struct reason *reason);

/* The team that the actor is bound to; NULL: it sees all. */
const struct id *lookup_own_team(const struct operation *operation);

#endif
