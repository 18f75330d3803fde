/* A new, a revoked or a deleted admin token: the store, its entry in the audit chain, then the table in
 * memory.
 *
 * Thread: the store's. Errors: those of change_end() and of the store's call. */
#ifndef ADMIN_TOKEN_CHANGE_H
#define ADMIN_TOKEN_CHANGE_H

#include "admin/context.h"
#include "store/store_tokens.h"

/* Fills hash and hint of `token` from the secret and enters it. STATUS_EXISTS, STATUS_NOT_FOUND as
 * store_token_create(). STATUS_LIMITED: see token_table_reserve(). */
MUST_CHECK enum status token_enter(struct admin_context *context, struct slice secret,
                                   struct store_token *token, struct reason *reason);
/* Writes `revoked_at_us` and `updated_at_us`. */
MUST_CHECK enum status token_revoke(struct admin_context *context, const struct store_token *token,
                                    struct reason *reason);
MUST_CHECK enum status token_remove(struct admin_context *context, const struct store_token *token,
                                    struct reason *reason);

#endif
