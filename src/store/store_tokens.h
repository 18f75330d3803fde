/* The tokens of the admin API in the database.
 *
 * Thread, memory and errors as in store/store.h. */
#ifndef STORE_STORE_TOKENS_H
#define STORE_STORE_TOKENS_H

#include "store/store.h"

/* A row of admin_tokens. Times are microseconds since 1970, UTC; 0 stands for "never". */
struct store_token {
    struct id id;
    struct slice name; /* not empty; unique among the tokens that are not revoked */
    unsigned char hash[STORE_HASH_SIZE]; /* HMAC-SHA-256 of the secret; unique */
    struct slice hint;                   /* the last characters of the secret */
    struct slice role;                   /* "admin", "operator", "viewer" or "team_admin" */
    struct id team_id;                   /* of a team_admin; zeros: none */
    struct slice team_name;              /* filled by reads, ignored by writes */
    uint64_t expires_at_us;
    uint64_t revoked_at_us;
    uint64_t created_at_us;
    uint64_t updated_at_us;
    uint64_t last_used_at_us;
};
typedef enum status store_token_visitor(void *context, const struct store_token *token);

/* STATUS_EXISTS: the name, the hash or the id is taken. STATUS_NOT_FOUND: no such team. */
MUST_CHECK enum status store_token_create(struct store *store, const struct store_token *token,
                                          struct reason *reason);
/* Finds by id or by name; among names a token that is not revoked comes first. STATUS_NOT_FOUND.
 * STATUS_EXISTS: several revoked tokens have that name, so only an id can tell them apart. */
MUST_CHECK enum status store_token_find(struct store *store, struct slice id_or_name,
                                        struct arena *arena, struct store_token *token_out,
                                        struct reason *reason);
/* Writes `revoked_at_us` and `updated_at_us` of the token with that id. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_token_update(struct store *store, const struct store_token *token,
                                          struct reason *reason);
/* STATUS_NOT_FOUND. */
MUST_CHECK enum status store_token_delete(struct store *store, const struct id *id,
                                          struct reason *reason);
MUST_CHECK enum status store_tokens_list(struct store *store, const struct store_page *page,
                                         store_token_visitor *visit, void *context,
                                         struct reason *reason);
/* Every token that is not revoked. */
MUST_CHECK enum status store_tokens_load(struct store *store, store_token_visitor *visit,
                                         void *context, struct reason *reason);
/* Moves the time of last use forward (`key_id` is the token's); an unknown token is passed over. */
MUST_CHECK enum status store_token_used(struct store *store, const struct store_use *use,
                                        struct reason *reason);

#endif
