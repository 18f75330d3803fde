/* The operations of the driver on admin tokens. See store/store_tokens.h for each one's contract. */
#ifndef STORE_SQLITE_TOKEN_OPERATIONS_H
#define STORE_SQLITE_TOKEN_OPERATIONS_H

#include "store/store_tokens.h"

enum status sqlite_token_create(struct store *store, const struct store_token *token,
                                struct reason *reason);
enum status sqlite_token_find(struct store *store, struct slice id_or_name, struct arena *arena,
                              struct store_token *token_out, struct reason *reason);
enum status sqlite_token_update(struct store *store, const struct store_token *token,
                                struct reason *reason);
enum status sqlite_token_delete(struct store *store, const struct id *id, struct reason *reason);
enum status sqlite_tokens_list(struct store *store, const struct store_page *page,
                               store_token_visitor *visit, void *context, struct reason *reason);
enum status sqlite_tokens_load(struct store *store, store_token_visitor *visit, void *context,
                               struct reason *reason);
enum status sqlite_token_used(struct store *store, const struct store_use *use,
                              struct reason *reason);

#endif
