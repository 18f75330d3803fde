#include "admin/user_operations.h"

#include "admin/level_members.h"
#include "admin/list_page.h"
#include "admin/lookup.h"
#include "admin/member_writer.h"
#include "admin/user_change.h"
#include "admin/user_object.h"

/* The members of a body on a user, those of its level first; set takes those before NAME. */
enum { TEAM = LEVEL_MEMBERS, NAME, MEMBER_COUNT };
#define SET_COUNT NAME

/* The user that the path names. Returns 0 or the problem's status. */
static unsigned find_user(struct operation *operation, struct store_user *user_out)
{
    struct reason reason = {""};
    const enum status status = lookup_user(operation, operation->target.item, user_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

static void init_members(struct body_member members_out[MEMBER_COUNT])
{
    level_members_init(members_out);
    members_out[TEAM] = (struct body_member){"team", NULL};
    members_out[NAME] = (struct body_member){"name", NULL};
}

/* The team that the member names; null is none, which a team_admin cannot want. */
static enum status take_team(struct operation *operation, const struct body_member *member,
                             struct store_user *user, struct reason *reason)
{
    struct store_team team = {.name = {NULL, 0}};
    if (!yyjson_is_null(member->value) && !yyjson_is_str(member->value)) {
        reason_set(reason, "team is the id or name of a team, or null for none");
        return STATUS_INVALID;
    }
    if (yyjson_is_null(member->value) && lookup_own_team(operation) != NULL) {
        reason_set(reason, "a team_admin's users are in its team");
        return STATUS_INVALID;
    }
    if (yyjson_is_str(member->value)) {
        const enum status status = lookup_team(operation, body_text(member), &team, reason);
        if (status != STATUS_OK)
            return status;
    }
    user->team_id = team.id;
    user->team_name = team.name;
    return STATUS_OK;
}

/* Puts the members that are there into the user, who keeps the rest. */
static enum status take_members(struct operation *operation,
                                const struct body_member members[MEMBER_COUNT],
                                struct store_user *user, struct reason *reason)
{
    enum status status = STATUS_OK;
    if (members[TEAM].value != NULL)
        status = take_team(operation, &members[TEAM], user, reason);
    if (status == STATUS_OK)
        status = level_members_read(members, operation->arena, &user->rules, reason);
    return status;
}

/* Whoever a team_admin makes is in its team, whether the body says so or not. */
static enum status join_own_team(struct operation *operation, struct store_user *user,
                                 struct reason *reason)
{
    struct store_team team;
    char id[ID_TEXT_SIZE];
    id_format(lookup_own_team(operation), id);
    const enum status status = lookup_team(operation, slice_of(id, sizeof(id)), &team, reason);
    if (status != STATUS_OK)
        return status;
    user->team_id = team.id;
    user->team_name = team.name;
    return STATUS_OK;
}

unsigned users_create(struct operation *operation)
{
    struct body_member members[MEMBER_COUNT];
    init_members(members);
    const unsigned failed = operation_read_body(operation, members, MEMBER_COUNT);
    if (failed != 0)
        return failed;
    struct store_user user = {
        .id = id_make(operation->now_us),
        .name = body_text(&members[NAME]),
        .created_at_us = operation->now_us,
        .updated_at_us = operation->now_us,
    };
    struct reason reason = {""};
    enum status status = operation_check_name(user.name, &reason);
    if (status == STATUS_OK)
        status = take_members(operation, members, &user, &reason);
    if (status == STATUS_OK && lookup_own_team(operation) != NULL)
        status = join_own_team(operation, &user, &reason);
    if (status == STATUS_OK)
        status = user_enter(operation->context, &user, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return user_object_answer(operation, 201, &user);
}

static enum status write_item(void *context, const struct store_user *user)
{
    struct list_page *list = context;
    if (!list_page_takes(list, &user->id))
        return STATUS_AGAIN;
    user_object_write(&list->writer, user);
    return buffer_status(list->operation->answer);
}

/* The team that ?team= names, if any. Returns 0 or the problem's status. */
static unsigned find_filter(struct operation *operation, struct store_team *team_out,
                            bool *filtered_out)
{
    const struct slice name = target_parameter(&operation->target, SLICE("team"));
    *filtered_out = name.data != NULL;
    if (!*filtered_out)
        return 0;
    struct reason reason = {""};
    const enum status status = lookup_team(operation, name, team_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

unsigned users_list(struct operation *operation)
{
    static const struct slice parameters[] = {{"limit", 5}, {"after", 5}, {"team", 4}};
    struct list_page list;
    struct store_team team;
    bool filtered = false;
    unsigned failed = operation_check_parameters(operation, parameters, 3);
    if (failed == 0)
        failed = find_filter(operation, &team, &filtered);
    const struct id *team_id = filtered ? &team.id : lookup_own_team(operation);
    if (failed == 0)
        failed = list_page_begin(&list, operation);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    const enum status status = store_users_list(operation->context->store, team_id, &list.page,
                                                write_item, &list, &reason);
    return list_page_end(&list, status, &reason);
}

unsigned users_show(struct operation *operation)
{
    struct store_user user;
    const unsigned failed = find_user(operation, &user);
    if (failed != 0)
        return failed;
    return user_object_answer(operation, 200, &user);
}

unsigned users_set(struct operation *operation)
{
    struct body_member members[MEMBER_COUNT];
    struct store_user before;
    init_members(members);
    unsigned failed = find_user(operation, &before);
    if (failed == 0)
        failed = operation_read_body(operation, members, SET_COUNT);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    struct store_user user = before;
    const enum status status = take_members(operation, members, &user, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return user_object_save(operation, SLICE("user.set"), &before, &user);
}

/* One who is so already is left alone. */
static unsigned set_disabled(struct operation *operation, bool disabled)
{
    struct store_user before;
    const unsigned failed = find_user(operation, &before);
    if (failed != 0)
        return failed;
    if (before.disabled == disabled)
        return user_object_answer(operation, 200, &before);
    struct store_user user = before;
    user.disabled = disabled;
    return user_object_save(operation, disabled ? SLICE("user.disable") : SLICE("user.enable"),
                            &before, &user);
}

unsigned users_disable(struct operation *operation)
{
    return set_disabled(operation, true);
}

unsigned users_enable(struct operation *operation)
{
    return set_disabled(operation, false);
}

unsigned users_delete(struct operation *operation)
{
    struct store_user user;
    const unsigned failed = find_user(operation, &user);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    uint64_t keys = 0;
    const enum status status = user_remove(operation->context, &user, &keys, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);

    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_id(&writer, SLICE("id"), &user.id);
    member_write_text(&writer, SLICE("name"), user.name);
    member_write_bool(&writer, SLICE("deleted"), true);
    member_write_number(&writer, SLICE("keys_deleted"), keys);
    json_write_end(&writer);
    return 200;
}
