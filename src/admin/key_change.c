#include "admin/key_change.h"

#include "admin/change.h"
#include "admin/key_models.h"
#include "admin/member_writer.h"
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
    if (status == STATUS_OK)
        return STATUS_OK;
    identity_rules_unref(&spec.rules);
    reason_set(reason, "the key cannot be held in memory: %s", status_name(status));
    return status;
}

static void write_details(struct json_writer *writer, const struct store_key *key)
{
    member_write_text(writer, SLICE("user"), key->user_name);
    member_write_text(writer, SLICE("name"), key->name);
    key_models_write(writer, SLICE("models"), key->models);
    member_write_time(writer, SLICE("expires_at"), key->expires_at_us);
}

static enum status write_and_note(struct admin_context *context, struct slice action,
                                  store_writer *write, const struct store_key *key,
                                  struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, action, &change, reason);
    if (status == STATUS_OK)
        status = write(context->store, key, reason);
    change_set_id(&change, &key->id);
    write_details(&change.writer, key);
    return change_end(&change, status, reason);
}

static enum status write_both(struct admin_context *context, struct slice action,
                              store_writer *write, const struct store_key *key,
                              struct reason *reason)
{
    if (context->map == NULL)
        return write_and_note(context, action, write, key, reason);
    struct identity_key *prepared = NULL;
    enum status status = prepare(context, key, &prepared, reason);
    if (status != STATUS_OK)
        return status;
    status = write_and_note(context, action, write, key, reason);
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
    return write_both(context, SLICE("key.create"), store_key_create, key, reason);
}

enum status key_change(struct admin_context *context, struct slice action,
                       const struct store_key *key, struct reason *reason)
{
    return write_both(context, action, store_key_update, key, reason);
}
