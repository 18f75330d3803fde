#include "admin/lookup.h"

#include <string.h>

const struct id *lookup_own_team(const struct operation *operation)
{
    const struct operation_actor *actor = &operation->actor;
    return actor->role == ROLE_TEAM_ADMIN ? &actor->team_id : NULL;
}

static enum status hide(const struct operation *operation, enum status status,
                        const struct id *team_id, const char *what, struct slice name,
                        struct reason *reason)
{
    const struct id *own = lookup_own_team(operation);
    if (own == NULL || status != STATUS_OK || memcmp(own, team_id, sizeof(*own)) == 0)
        return status;
    reason_set(reason, "there is no %s %.*s", what, SLICE_ARGS(name));
    return STATUS_NOT_FOUND;
}

enum status lookup_team(struct operation *operation, struct slice name, struct store_team *team_out,
                        struct reason *reason)
{
    const enum status status =
        store_team_find(operation->context->store, name, operation->arena, team_out, reason);
    return hide(operation, status, &team_out->id, "team", name, reason);
}

enum status lookup_user(struct operation *operation, struct slice name, struct store_user *user_out,
                        struct reason *reason)
{
    const enum status status =
        store_user_find(operation->context->store, name, operation->arena, user_out, reason);
    return hide(operation, status, &user_out->team_id, "user", name, reason);
}

enum status lookup_key(struct operation *operation, struct slice name, struct store_key *key_out,
                       struct reason *reason)
{
    struct store *store = operation->context->store;
    const struct id *own = lookup_own_team(operation);
    struct id id;
    if (own != NULL && id_parse(name, &id) != STATUS_OK) /* names are of each user */
        return store_key_find_of_team(store, own, name, operation->arena, key_out, reason);
    const enum status status = store_key_find(store, name, operation->arena, key_out, reason);
    return hide(operation, status, &key_out->team_id, "key", name, reason);
}
