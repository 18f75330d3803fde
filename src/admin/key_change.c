#include "admin/key_change.h"

#include "admin/change.h"
#include "admin/level_members.h"
#include "admin/map_follow.h"
#include "admin/member_writer.h"
#include "identity/key.h"

static void write_details(struct json_writer *writer, const struct store_key *before,
                          const struct store_key *key)
{
    member_write_text(writer, SLICE("user"), key->user_name);
    member_write_filled(writer, SLICE("name"), key->name);
    level_members_write_changes(writer, &before->rules, &key->rules);
    if (before->expires_at_us != key->expires_at_us)
        member_write_time(writer, SLICE("expires_at"), key->expires_at_us);
    if (before->former_until_us != key->former_until_us)
        member_write_time(writer, SLICE("former_ends_at"), key->former_until_us);
}

static enum status hash(struct admin_context *context, struct slice secret,
                        unsigned char hash_out[KEY_HASH_SIZE], struct reason *reason)
{
    enum status status = key_check(secret, reason);
    if (status != STATUS_OK)
        return status;
    status = key_hasher_hash(context->hasher, secret, hash_out);
    if (status != STATUS_OK)
        reason_set(reason, "the key cannot be hashed: out of memory");
    return status;
}

enum status key_enter(struct admin_context *context, struct slice secret, struct store_key *key,
                      struct reason *reason)
{
    static const struct store_key nothing;
    struct change change;
    struct map_change map;
    enum status status = hash(context, secret, key->hash, reason);
    if (status != STATUS_OK)
        return status;
    key->hint = key_hint(secret);
    status = map_prepare_key(context, NULL, key, &map, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, SLICE("key.create"), &change, reason);
    if (status == STATUS_OK)
        status = store_key_create(context->store, key, reason);
    change_set_id(&change, &key->id);
    write_details(&change.writer, &nothing, key);
    return map_end(&map, change_end(&change, status, reason));
}

enum status key_change(struct admin_context *context, struct slice action,
                       const struct store_key *before, struct store_key *key, struct reason *reason)
{
    struct change change;
    struct map_change map;
    key->updated_at_us = change_time(context, before->updated_at_us);
    enum status status = map_prepare_key(context, before, key, &map, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, action, &change, reason);
    if (status == STATUS_OK)
        status = store_key_update(context->store, key, before->updated_at_us, reason);
    change_set_id(&change, &key->id);
    write_details(&change.writer, before, key);
    return map_end(&map, change_end(&change, status, reason));
}

enum status key_rotate(struct admin_context *context, struct slice secret, uint64_t until_us,
                       struct store_key *key, struct reason *reason)
{
    const struct store_key before = *key;
    const enum status status = hash(context, secret, key->hash, reason);
    if (status != STATUS_OK)
        return status;
    memcpy(key->former_hash, before.hash, sizeof(key->former_hash));
    key->former_until_us = until_us;
    key->hint = key_hint(secret);
    return key_change(context, SLICE("key.rotate"), &before, key, reason);
}
