/* A new or a changed key, first into the store, with an entry in the audit chain, then into the map.
 *
 * What the map needs is allocated before the store changes, so that the two cannot part.
 * Thread: the store's. */
#ifndef ADMIN_KEY_CHANGE_H
#define ADMIN_KEY_CHANGE_H

#include "admin/context.h"
#include "base/slice.h"

/* Fills hash and hint of `key` from the secret and enters it. `key->user_name` and
 * `key->user_disabled` are the user's. STATUS_INVALID: the secret cannot be a key. STATUS_EXISTS:
 * the secret, or the user's name for it, is taken. Else the statuses of store_key_create() and of
 * change_end(). */
MUST_CHECK enum status key_enter(struct admin_context *context, struct slice secret,
                                 struct store_key *key, struct reason *reason);

/* Writes what store_key_update() writes; `action` names the change in the audit chain. Statuses of
 * store_key_update(). */
MUST_CHECK enum status key_change(struct admin_context *context, struct slice action,
                                  const struct store_key *key, struct reason *reason);

#endif
