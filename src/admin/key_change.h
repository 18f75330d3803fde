/* A new or a changed key, first into the store, with an entry in the audit chain, then into the map.
 *
 * What the map needs is allocated before the store changes, so that the two cannot part.
 * Thread: the store's. */
#ifndef ADMIN_KEY_CHANGE_H
#define ADMIN_KEY_CHANGE_H

#include "admin/context.h"
#include "base/slice.h"

/* Fills hash and hint of `key` from the secret and enters it. What reads fill of its user is the
 * user's. STATUS_INVALID: the secret cannot be a key. STATUS_EXISTS: the secret, or the user's name for
 * it, is taken. Else the statuses of store_key_create(), map_prepare_key() and change_end(). */
MUST_CHECK enum status key_enter(struct admin_context *context, struct slice secret,
                                 struct store_key *key, struct reason *reason);

/* `key` is `before` with what changes; its updated_at_us is set here. `action` names the change in the
 * audit chain. Statuses of store_key_update(), map_prepare_key() and change_end(). */
MUST_CHECK enum status key_change(struct admin_context *context, struct slice action,
                                  const struct store_key *before, struct store_key *key,
                                  struct reason *reason);

/* Gives the key a new secret; the present one works on until `until_us`, and one before it ends now. */
MUST_CHECK enum status key_rotate(struct admin_context *context, struct slice secret,
                                  uint64_t until_us, struct store_key *key, struct reason *reason);

#endif
