#include "store/store_tokens.h"

#include "base/assert.h"
#include "store/store_driver.h"

enum status store_token_create(struct store *store, const struct store_token *token,
                               struct reason *reason)
{
    ASSERT(token->name.size > 0);
    return store->driver->token_create(store, token, reason);
}

enum status store_token_find(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_token *token_out, struct reason *reason)
{
    return store->driver->token_find(store, id_or_name, arena, token_out, reason);
}

enum status store_token_update(struct store *store, const struct store_token *token,
                               struct reason *reason)
{
    return store->driver->token_update(store, token, reason);
}

enum status store_token_delete(struct store *store, const struct id *id, struct reason *reason)
{
    return store->driver->token_delete(store, id, reason);
}

enum status store_tokens_list(struct store *store, const struct store_page *page,
                              store_token_visitor *visit, void *context, struct reason *reason)
{
    ASSERT(page->limit > 0);
    return store->driver->tokens_list(store, page, visit, context, reason);
}

enum status store_tokens_load(struct store *store, store_token_visitor *visit, void *context,
                              struct reason *reason)
{
    return store->driver->tokens_load(store, visit, context, reason);
}

enum status store_token_used(struct store *store, const struct store_use *use,
                             struct reason *reason)
{
    return store->driver->token_used(store, use, reason);
}
