/* What a key, a user or a team may do and how much, as members of the admin API:
 *
 *   models, routes, networks   arrays of texts, or null: all
 *   tags                       the same; null: none
 *   limits, budgets            arrays of texts as of policy/limit.h, without and with money; null: none
 *   warn_only                  whether budgets only warn
 *
 * In the store each is one text joined by commas, in the one form that its parser writes.
 * Thread: any; pure. Memory: what is read lies in the caller's arena. */
#ifndef ADMIN_LEVEL_MEMBERS_H
#define ADMIN_LEVEL_MEMBERS_H

#include <stdbool.h>

#include "admin/operation.h"
#include "base/arena.h"
#include "base/reason.h"
#include "base/status.h"
#include "json/write.h"
#include "store/store.h"

#define LEVEL_MEMBERS 7 /* of a body */

/* Names the members, for operation_read_body(). */
void level_members_init(struct body_member members_out[LEVEL_MEMBERS]);
/* Whether any of them was given. */
bool level_members_are_given(const struct body_member members[LEVEL_MEMBERS]);
/* Puts those that were given into the rules. STATUS_INVALID: the reason says which and why.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status level_members_read(const struct body_member members[LEVEL_MEMBERS],
                                          struct arena *arena, struct store_rules *rules,
                                          struct reason *reason);

/* Writes all of them. */
void level_members_write(struct json_writer *writer, const struct store_rules *rules);
/* Writes those in which the rules differ, as they are after the change. */
void level_members_write_changes(struct json_writer *writer, const struct store_rules *before,
                                 const struct store_rules *after);

#endif
