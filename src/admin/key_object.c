#include "admin/key_object.h"

#include "admin/level_members.h"
#include "admin/lookup.h"
#include "admin/member_writer.h"

/* What a person wants to know first; the same order as identity_check(). */
static const char *state_of(const struct store_key *key, uint64_t now_us)
{
    if (key->revoked_at_us != 0)
        return "revoked";
    if (key->disabled)
        return "disabled";
    if (key->user_disabled)
        return "user_disabled";
    if (key->team_disabled)
        return "team_disabled";
    return key->expires_at_us != 0 && key->expires_at_us <= now_us ? "expired" : "active";
}

void key_object_write(struct json_writer *writer, const struct store_key *key, struct slice secret,
                      uint64_t now_us)
{
    json_write_object(writer);
    member_write_id(writer, SLICE("id"), &key->id);
    if (secret.data != NULL)
        member_write_text(writer, SLICE("key"), secret);
    member_write_text(writer, SLICE("user"), key->user_name);
    member_write_id(writer, SLICE("user_id"), &key->user_id);
    member_write_filled(writer, SLICE("name"), key->name);
    member_write_text(writer, SLICE("hint"), key->hint);
    member_write_text(writer, SLICE("state"), slice_from_text(state_of(key, now_us)));
    level_members_write(writer, &key->rules);
    member_write_bool(writer, SLICE("disabled"), key->disabled);
    member_write_time(writer, SLICE("expires_at"), key->expires_at_us);
    member_write_time(writer, SLICE("former_ends_at"),
                      key->former_until_us > now_us ? key->former_until_us : 0);
    member_write_time(writer, SLICE("revoked_at"), key->revoked_at_us);
    member_write_time(writer, SLICE("created_at"), key->created_at_us);
    member_write_time(writer, SLICE("updated_at"), key->updated_at_us);
    member_write_time(writer, SLICE("last_used_at"), key->last_used_at_us);
    json_write_end(writer);
}

unsigned key_object_answer(struct operation *operation, unsigned http_status,
                           const struct store_key *key, struct slice secret)
{
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    key_object_write(&writer, key, secret, operation->now_us);
    operation->version_us = key->updated_at_us;
    return http_status;
}

unsigned key_object_find(struct operation *operation, struct store_key *key_out)
{
    const struct slice item = operation->target.item;
    if (slice_starts_with(item, SLICE("sk-weir-")))
        return operation_problem(operation, 400, "give the key's id or name, never the secret");
    struct reason reason = {""};
    const enum status status = lookup_key(operation, item, key_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

unsigned key_object_find_live(struct operation *operation, struct store_key *key_out)
{
    const unsigned failed = key_object_find(operation, key_out);
    if (failed == 0 && key_out->revoked_at_us != 0)
        return operation_problem(operation, 409,
                                 "the key was revoked, which is for ever; make another one");
    return failed;
}
