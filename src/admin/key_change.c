#include "admin/key_change.h"

#include "admin/spec.h"
#include "identity/key.h"

typedef enum status store_writer(struct store *store, const struct store_key *key,
                                 struct reason *reason);

static enum status prepare(struct admin_context *context, const struct store_key *key,
                           struct identity_key **prepared_out, struct reason *reason)
{
    struct identity_spec spec;
    enum status status = admin_spec_of(key, &spec);
    if (status == STATUS_OK)
        status = identity_map_prepare(context->map, &spec, prepared_out);
    if (status != STATUS_OK)
        reason_set(reason, "the key cannot be held in memory: %s", status_name(status));
    return status;
}

static enum status write_both(struct admin_context *context, store_writer *write,
                              const struct store_key *key, struct reason *reason)
{
    if (context->map == NULL)
        return write(context->store, key, reason);
    struct identity_key *prepared = NULL;
    enum status status = prepare(context, key, &prepared, reason);
    if (status != STATUS_OK)
        return status;
    status = write(context->store, key, reason);
    if (status == STATUS_OK)
        identity_map_publish(context->map, &prepared);
    else
        identity_map_abandon(context->map, &prepared);
    return status;
}

enum status key_enter(struct admin_context *context, struct slice secret, struct store_key *key,
                      struct reason *reason)
{
    enum status status = key_check(secret, reason);
    if (status != STATUS_OK)
        return status;
    status = key_hasher_hash(context->hasher, secret, key->hash);
    if (status != STATUS_OK) {
        reason_set(reason, "the key cannot be hashed: out of memory");
        return status;
    }
    key->hint = key_hint(secret);
    return write_both(context, store_key_create, key, reason);
}

enum status key_change(struct admin_context *context, const struct store_key *key,
                       struct reason *reason)
{
    return write_both(context, store_key_update, key, reason);
}
