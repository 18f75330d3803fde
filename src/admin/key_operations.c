#include "admin/key_operations.h"

#include <string.h>

#include "admin/expiry.h"
#include "admin/key_change.h"
#include "admin/key_models.h"
#include "admin/list_page.h"
#include "admin/member_writer.h"
#include "identity/key.h"

/* What a person wants to know first; the same order as identity_check(). */
static const char *state_of(const struct store_key *key, uint64_t now_us)
{
    if (key->revoked_at_us != 0)
        return "revoked";
    if (key->disabled)
        return "disabled";
    if (key->user_disabled)
        return "user_disabled";
    return key->expires_at_us != 0 && key->expires_at_us <= now_us ? "expired" : "active";
}

/* `secret` has data only for a key that was just made. */
static void write_key(struct json_writer *writer, const struct store_key *key, struct slice secret,
                      uint64_t now_us)
{
    json_write_object(writer);
    member_write_id(writer, SLICE("id"), &key->id);
    if (secret.data != NULL)
        member_write_text(writer, SLICE("key"), secret);
    member_write_text(writer, SLICE("user"), key->user_name);
    member_write_id(writer, SLICE("user_id"), &key->user_id);
    member_write_text(writer, SLICE("name"), key->name);
    member_write_text(writer, SLICE("hint"), key->hint);
    member_write_text(writer, SLICE("state"), slice_from_text(state_of(key, now_us)));
    key_models_write(writer, SLICE("models"), key->models);
    member_write_bool(writer, SLICE("disabled"), key->disabled);
    member_write_time(writer, SLICE("expires_at"), key->expires_at_us);
    member_write_time(writer, SLICE("revoked_at"), key->revoked_at_us);
    member_write_time(writer, SLICE("created_at"), key->created_at_us);
    member_write_time(writer, SLICE("last_used_at"), key->last_used_at_us);
    json_write_end(writer);
}

static unsigned answer_key(struct operation *operation, unsigned http_status,
                           const struct store_key *key, struct slice secret)
{
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    write_key(&writer, key, secret, operation->now_us);
    return http_status;
}

/* The key that the path names. Returns 0 or the problem's status. */
static unsigned find_key(struct operation *operation, struct store_key *key_out)
{
    const struct slice item = operation->target.item;
    if (slice_starts_with(item, SLICE("sk-weir-")))
        return operation_problem(operation, 400, "give the key's id or name, never the secret");
    struct reason reason = {""};
    const enum status status =
        store_key_find(operation->context->store, item, operation->arena, key_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

/* The members that create and set have in common. A key that is NULL here keeps what it has. */
struct key_members {
    struct body_member *name, *models, *expires;
};

static enum status take_expires(struct operation *operation, const struct body_member *member,
                                struct store_key *key, struct reason *reason)
{
    key->expires_at_us = 0;
    if (yyjson_is_null(member->value))
        return STATUS_OK;
    const struct slice text = body_text(member);
    return expiry_parse(text, operation->now_us, &key->expires_at_us, reason);
}

/* Puts the members that are there into the key. */
static enum status take_members(struct operation *operation, const struct key_members *members,
                                struct store_key *key, struct reason *reason)
{
    enum status status = STATUS_OK;
    if (members->name->value != NULL) {
        key->name = body_text(members->name);
        if (!yyjson_is_null(members->name->value))
            status = operation_check_name(key->name, reason);
    }
    if (status == STATUS_OK && members->models->value != NULL)
        status = key_models_read(members->models->value, operation->arena, &key->models, reason);
    if (status == STATUS_OK && members->expires->value != NULL)
        status = take_expires(operation, members->expires, key, reason);
    return status;
}

static enum status find_owner(struct operation *operation, const struct body_member *member,
                              struct store_key *key, struct reason *reason)
{
    struct store_user user;
    if (!yyjson_is_str(member->value)) {
        reason_set(reason, "user is missing: the id or name of the user that the key is for");
        return STATUS_INVALID;
    }
    const enum status status = store_user_find(operation->context->store, body_text(member),
                                               operation->arena, &user, reason);
    if (status != STATUS_OK)
        return status;
    key->user_id = user.id;
    key->user_name = user.name;
    key->user_disabled = user.disabled;
    return STATUS_OK;
}

/* The application's own secret, or a new one written to `made`. */
static enum status choose_secret(const struct body_member *member, char made[KEY_TEXT_SIZE],
                                 struct slice *secret_out, struct reason *reason)
{
    if (member->value == NULL) {
        key_make(made);
        *secret_out = slice_of(made, KEY_TEXT_SIZE);
        return STATUS_OK;
    }
    *secret_out = body_text(member);
    return key_check(*secret_out, reason);
}

unsigned keys_create(struct operation *operation)
{
    struct body_member members[] = {
        {"user", NULL}, {"name", NULL}, {"models", NULL}, {"expires", NULL}, {"key", NULL}};
    const unsigned failed =
        operation_read_body(operation, members, sizeof(members) / sizeof(members[0]));
    if (failed != 0)
        return failed;
    const struct key_members common = {&members[1], &members[2], &members[3]};
    struct store_key key = {.id = id_make(operation->now_us), .created_at_us = operation->now_us};
    struct reason reason = {""};
    char made[KEY_TEXT_SIZE];
    struct slice secret = {NULL, 0};

    enum status status = find_owner(operation, &members[0], &key, &reason);
    if (status == STATUS_OK)
        status = take_members(operation, &common, &key, &reason);
    if (status == STATUS_OK)
        status = choose_secret(&members[4], made, &secret, &reason);
    if (status == STATUS_OK)
        status = key_enter(operation->context, secret, &key, &reason);
    const unsigned http_status = status == STATUS_OK ? answer_key(operation, 201, &key, secret)
                                                     : operation_failed(operation, status, &reason);
    explicit_bzero(made, sizeof(made));
    return http_status;
}

static enum status write_item(void *context, const struct store_key *key)
{
    struct list_page *list = context;
    if (!list_page_takes(list, &key->id))
        return STATUS_AGAIN;
    write_key(&list->writer, key, slice_of(NULL, 0), list->operation->now_us);
    return buffer_status(list->operation->answer);
}

/* The user that ?user= names, if any. Returns 0 or the problem's status. */
static unsigned find_filter(struct operation *operation, struct store_user *user_out,
                            bool *filtered_out)
{
    const struct slice name = target_parameter(&operation->target, SLICE("user"));
    *filtered_out = name.data != NULL;
    if (!*filtered_out)
        return 0;
    struct reason reason = {""};
    const enum status status =
        store_user_find(operation->context->store, name, operation->arena, user_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

/* What is shown as the last use should not lag behind by the interval of saving. If it cannot be
 * saved now, the list is still right but for that. */
static void save_last_used(struct operation *operation)
{
    const enum status status = admin_save_last_used(operation->context, NULL);
    (void)status;
}

unsigned keys_list(struct operation *operation)
{
    static const struct slice parameters[] = {{"limit", 5}, {"after", 5}, {"user", 4}};
    struct list_page list;
    struct store_user user;
    bool filtered = false;
    unsigned failed = operation_check_parameters(operation, parameters, 3);
    if (failed == 0)
        failed = find_filter(operation, &user, &filtered);
    if (failed == 0)
        failed = list_page_begin(&list, operation);
    if (failed != 0)
        return failed;
    save_last_used(operation);
    struct reason reason = {""};
    const enum status status =
        store_keys_list(operation->context->store, filtered ? &user.id : NULL, &list.page,
                        write_item, &list, &reason);
    return list_page_end(&list, status, &reason);
}

unsigned keys_show(struct operation *operation)
{
    struct store_key key = {.name = {NULL, 0}};
    save_last_used(operation);
    const unsigned failed = find_key(operation, &key);
    if (failed != 0)
        return failed;
    return answer_key(operation, 200, &key, slice_of(NULL, 0));
}

static unsigned save_key(struct operation *operation, struct slice action,
                         const struct store_key *key)
{
    struct reason reason = {""};
    const enum status status = key_change(operation->context, action, key, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return answer_key(operation, 200, key, slice_of(NULL, 0));
}

/* The key that the path names, if it was not revoked: that is for ever. */
static unsigned find_live_key(struct operation *operation, struct store_key *key_out)
{
    const unsigned failed = find_key(operation, key_out);
    if (failed == 0 && key_out->revoked_at_us != 0)
        return operation_problem(operation, 409,
                                 "the key was revoked, which is for ever; make "
                                 "another one");
    return failed;
}

unsigned keys_set(struct operation *operation)
{
    struct body_member members[] = {{"name", NULL}, {"models", NULL}, {"expires", NULL}};
    struct store_key key = {.name = {NULL, 0}};
    unsigned failed = find_live_key(operation, &key);
    if (failed == 0)
        failed = operation_read_body(operation, members, sizeof(members) / sizeof(members[0]));
    if (failed != 0)
        return failed;
    const struct key_members common = {&members[0], &members[1], &members[2]};
    struct reason reason = {""};
    const enum status status = take_members(operation, &common, &key, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return save_key(operation, SLICE("key.set"), &key);
}

unsigned keys_revoke(struct operation *operation)
{
    struct store_key key = {.name = {NULL, 0}};
    const unsigned failed = find_key(operation, &key);
    if (failed != 0)
        return failed;
    if (key.revoked_at_us == 0)
        key.revoked_at_us = operation->now_us;
    return save_key(operation, SLICE("key.revoke"), &key);
}

static unsigned set_disabled(struct operation *operation, bool disabled)
{
    struct store_key key = {.name = {NULL, 0}};
    const unsigned failed = find_live_key(operation, &key);
    if (failed != 0)
        return failed;
    key.disabled = disabled;
    return save_key(operation, disabled ? SLICE("key.disable") : SLICE("key.enable"), &key);
}

unsigned keys_disable(struct operation *operation)
{
    return set_disabled(operation, true);
}

unsigned keys_enable(struct operation *operation)
{
    return set_disabled(operation, false);
}
