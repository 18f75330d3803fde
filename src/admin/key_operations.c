#include "admin/key_operations.h"

#include <string.h>

#include "admin/expiry.h"
#include "admin/key_change.h"
#include "admin/key_object.h"
#include "admin/level_members.h"
#include "admin/list_page.h"
#include "admin/lookup.h"
#include "base/clock.h"
#include "config/units.h"
#include "identity/key.h"

#define OVERLAP_DEFAULT SLICE("24h")
#define OVERLAP_MS_MAX  (UINT64_C(366) * 86400 * MS_PER_S)

/* The members of a body on a key, those of its level first; create takes all, set those before USER. */
enum { NAME = LEVEL_MEMBERS, EXPIRES, USER, KEY, MEMBER_COUNT };
#define SET_COUNT USER

static void init_members(struct body_member members_out[MEMBER_COUNT])
{
    level_members_init(members_out);
    members_out[NAME] = (struct body_member){"name", NULL};
    members_out[EXPIRES] = (struct body_member){"expires", NULL};
    members_out[USER] = (struct body_member){"user", NULL};
    members_out[KEY] = (struct body_member){"key", NULL};
}

static enum status take_expires(struct operation *operation, const struct body_member *member,
                                struct store_key *key, struct reason *reason)
{
    key->expires_at_us = 0;
    if (yyjson_is_null(member->value))
        return STATUS_OK;
    const struct slice text = body_text(member);
    return expiry_parse(text, operation->now_us, &key->expires_at_us, reason);
}

/* Puts the members that are there into the key, which keeps the rest. */
static enum status take_members(struct operation *operation,
                                const struct body_member members[MEMBER_COUNT],
                                struct store_key *key, struct reason *reason)
{
    const struct body_member *name = &members[NAME];
    enum status status = STATUS_OK;
    if (name->value != NULL) {
        key->name = body_text(name);
        if (!yyjson_is_null(name->value))
            status = operation_check_name(key->name, reason);
    }
    if (status == STATUS_OK)
        status = level_members_read(members, operation->arena, &key->rules, reason);
    if (status == STATUS_OK && members[EXPIRES].value != NULL)
        status = take_expires(operation, &members[EXPIRES], key, reason);
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
    const enum status status = lookup_user(operation, body_text(member), &user, reason);
    if (status != STATUS_OK)
        return status;
    key->user_id = user.id;
    key->user_name = user.name;
    key->user_disabled = user.disabled;
    key->team_id = user.team_id;
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
    struct body_member members[MEMBER_COUNT];
    init_members(members);
    const unsigned failed = operation_read_body(operation, members, MEMBER_COUNT);
    if (failed != 0)
        return failed;
    struct store_key key = {.id = id_make(operation->now_us),
                            .created_at_us = operation->now_us,
                            .updated_at_us = operation->now_us};
    struct reason reason = {""};
    char made[KEY_TEXT_SIZE];
    struct slice secret = {NULL, 0};

    enum status status = find_owner(operation, &members[USER], &key, &reason);
    if (status == STATUS_OK)
        status = take_members(operation, members, &key, &reason);
    if (status == STATUS_OK)
        status = choose_secret(&members[KEY], made, &secret, &reason);
    if (status == STATUS_OK)
        status = key_enter(operation->context, secret, &key, &reason);
    const unsigned http_status = status == STATUS_OK
                                     ? key_object_answer(operation, 201, &key, secret)
                                     : operation_failed(operation, status, &reason);
    explicit_bzero(made, sizeof(made));
    return http_status;
}

static enum status write_item(void *context, const struct store_key *key)
{
    struct list_page *list = context;
    if (!list_page_takes(list, &key->id))
        return STATUS_AGAIN;
    key_object_write(&list->writer, key, slice_of(NULL, 0), list->operation->now_us);
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
    const enum status status = lookup_user(operation, name, user_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

/* What is shown as the last use should not lag behind by the interval of saving. If it cannot be
 * saved now, the list is still right but for that. */
static void save_last_used(struct operation *operation)
{
    const enum status status = admin_save_last_used(operation->context, NULL);
    (void)status;
}

/* Of the user, or of all whom the actor sees. */
static enum status list_keys(struct operation *operation, const struct id *user_id,
                             struct list_page *list, struct reason *reason)
{
    struct store *store = operation->context->store;
    const struct id *team_id = lookup_own_team(operation);
    if (user_id == NULL && team_id != NULL)
        return store_keys_list_of_team(store, team_id, &list->page, write_item, list, reason);
    return store_keys_list(store, user_id, &list->page, write_item, list, reason);
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
    const enum status status = list_keys(operation, filtered ? &user.id : NULL, &list, &reason);
    return list_page_end(&list, status, &reason);
}

unsigned keys_show(struct operation *operation)
{
    struct store_key key = {.name = {NULL, 0}};
    save_last_used(operation);
    const unsigned failed = key_object_find(operation, &key);
    if (failed != 0)
        return failed;
    return key_object_answer(operation, 200, &key, slice_of(NULL, 0));
}

static unsigned save_key(struct operation *operation, struct slice action,
                         const struct store_key *before, struct store_key *key)
{
    struct reason reason = {""};
    const enum status status = key_change(operation->context, action, before, key, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return key_object_answer(operation, 200, key, slice_of(NULL, 0));
}

unsigned keys_set(struct operation *operation)
{
    struct body_member members[MEMBER_COUNT];
    struct store_key before = {.name = {NULL, 0}};
    init_members(members);
    unsigned failed = key_object_find_live(operation, &before);
    if (failed == 0)
        failed = operation_read_body(operation, members, SET_COUNT);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    struct store_key key = before;
    const enum status status = take_members(operation, members, &key, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return save_key(operation, SLICE("key.set"), &before, &key);
}

unsigned keys_revoke(struct operation *operation)
{
    struct store_key before = {.name = {NULL, 0}};
    const unsigned failed = key_object_find(operation, &before);
    if (failed != 0)
        return failed;
    struct store_key key = before;
    if (key.revoked_at_us == 0)
        key.revoked_at_us = operation->now_us;
    return save_key(operation, SLICE("key.revoke"), &before, &key);
}

static unsigned set_disabled(struct operation *operation, bool disabled)
{
    struct store_key before = {.name = {NULL, 0}};
    const unsigned failed = key_object_find_live(operation, &before);
    if (failed != 0)
        return failed;
    struct store_key key = before;
    key.disabled = disabled;
    return save_key(operation, disabled ? SLICE("key.disable") : SLICE("key.enable"), &before,
                    &key);
}

unsigned keys_disable(struct operation *operation)
{
    return set_disabled(operation, true);
}

unsigned keys_enable(struct operation *operation)
{
    return set_disabled(operation, false);
}

/* Until when the former secret works. A body without members, or none, stands for the default. */
static unsigned read_overlap(struct operation *operation, uint64_t *until_us_out)
{
    struct body_member overlap = {"overlap", NULL};
    uint64_t overlap_ms = 0;
    const unsigned failed =
        operation->body.size > 0 ? operation_read_body(operation, &overlap, 1) : 0;
    if (failed != 0)
        return failed;
    const struct slice text = overlap.value != NULL ? body_text(&overlap) : OVERLAP_DEFAULT;
    if (units_parse_duration(text, &overlap_ms) != STATUS_OK || overlap_ms > OVERLAP_MS_MAX)
        return operation_problem(operation, 400,
                                 "overlap is how long the former secret works on, such as 24h; "
                                 "0s ends it at once, 366d is the most");
    *until_us_out = operation->now_us + overlap_ms * US_PER_MS;
    return 0;
}

unsigned keys_rotate(struct operation *operation)
{
    struct store_key key = {.name = {NULL, 0}};
    char made[KEY_TEXT_SIZE];
    struct reason reason = {""};
    uint64_t until_us = 0;
    unsigned failed = key_object_find_live(operation, &key);
    if (failed == 0)
        failed = read_overlap(operation, &until_us);
    if (failed != 0)
        return failed;
    key_make(made);
    const struct slice secret = slice_of(made, sizeof(made));
    const enum status status = key_rotate(operation->context, secret, until_us, &key, &reason);
    const unsigned http_status = status == STATUS_OK
                                     ? key_object_answer(operation, 200, &key, secret)
                                     : operation_failed(operation, status, &reason);
    explicit_bzero(made, sizeof(made));
    return http_status;
}
