/* The admin tokens in memory: a request is let in or refused without a look into the database.
 *
 * The thread of the store changes the table, right after the store; the control thread looks into it. What
 * a change needs is reserved before the store changes, so that the two cannot part.
 *
 * Thread: any; a lock is held for the length of a search. Memory: the table owns copies. */
#ifndef ADMIN_TOKEN_TABLE_H
#define ADMIN_TOKEN_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "admin/role.h"
#include "base/reason.h"
#include "base/status.h"
#include "store/store_tokens.h"

#define TOKEN_TABLE_MAX       1000 /* tokens that are not revoked */
#define TOKEN_NAME_BYTES_MAX  128
#define TOKEN_ACTOR_BYTES_MAX (sizeof("token:") - 1 + TOKEN_NAME_BYTES_MAX)

struct token_table;

/* STATUS_NO_MEMORY. */
MUST_CHECK enum status token_table_create(struct token_table **table_out);
/* Frees *table, if any, and sets it to NULL. */
void token_table_destroy(struct token_table **table);

/* Makes room for one more. STATUS_LIMITED: there are TOKEN_TABLE_MAX. STATUS_NO_MEMORY. */
MUST_CHECK enum status token_table_reserve(struct token_table *table, struct reason *reason);
/* Takes the token in; the room was reserved. One that is of no known role lets nobody in. */
void token_table_put(struct token_table *table, const struct store_token *token);
void token_table_remove(struct token_table *table, const struct id *id);
/* Removes all tokens of the team. */
void token_table_remove_team(struct token_table *table, const struct id *team_id);

/* Who holds the token with this hash; `actor_out->name` is written to `name_out`. Notes its use.
 * STATUS_NOT_FOUND: nobody, or it has expired. */
MUST_CHECK enum status token_table_find(struct token_table *table,
                                        const unsigned char hash[STORE_HASH_SIZE], uint64_t now_us,
                                        char name_out[TOKEN_ACTOR_BYTES_MAX],
                                        struct operation_actor *actor_out);

/* Takes the next use that is not saved yet. Returns false if there is none. */
bool token_table_take_used(struct token_table *table, struct store_use *use_out);

#endif
