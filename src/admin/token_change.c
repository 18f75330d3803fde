#include "admin/token_change.h"

#include "admin/change.h"
#include "admin/member_writer.h"
#include "identity/key.h"

static enum status end_change(struct change *change, const struct store_token *token,
                              enum status status, struct reason *reason)
{
    change_set_id(change, &token->id);
    member_write_text(&change->writer, SLICE("name"), token->name);
    member_write_text(&change->writer, SLICE("role"), token->role);
    if (token->team_name.data != NULL)
        member_write_text(&change->writer, SLICE("team"), token->team_name);
    member_write_time(&change->writer, SLICE("expires_at"), token->expires_at_us);
    return change_end(change, status, reason);
}

enum status token_enter(struct admin_context *context, struct slice secret,
                        struct store_token *token, struct reason *reason)
{
    struct change change;
    enum status status = key_hasher_hash(context->hasher, secret, token->hash);
    token->hint = key_hint(secret);
    if (status == STATUS_OK && context->tokens != NULL)
        status = token_table_reserve(context->tokens, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, SLICE("token.create"), &change, reason);
    if (status == STATUS_OK)
        status = store_token_create(context->store, token, reason);
    status = end_change(&change, token, status, reason);
    if (status == STATUS_OK && context->tokens != NULL)
        token_table_put(context->tokens, token);
    return status;
}

enum status token_revoke(struct admin_context *context, const struct store_token *token,
                         struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, SLICE("token.revoke"), &change, reason);
    if (status == STATUS_OK)
        status = store_token_update(context->store, token, reason);
    status = end_change(&change, token, status, reason);
    if (status == STATUS_OK && context->tokens != NULL)
        token_table_remove(context->tokens, &token->id);
    return status;
}

enum status token_remove(struct admin_context *context, const struct store_token *token,
                         struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, SLICE("token.delete"), &change, reason);
    if (status == STATUS_OK)
        status = store_token_delete(context->store, &token->id, reason);
    status = end_change(&change, token, status, reason);
    if (status == STATUS_OK && context->tokens != NULL)
        token_table_remove(context->tokens, &token->id);
    return status;
}
