#include "admin/team_operations.h"

#include "admin/level_members.h"
#include "admin/list_page.h"
#include "admin/lookup.h"
#include "admin/member_writer.h"
#include "admin/team_change.h"
#include "admin/user_object.h"
#include "policy/zone.h"

/* The members of a body on a team, those of its level first; set takes those before NAME. */
enum { TIMEZONE = LEVEL_MEMBERS, NAME, MEMBER_COUNT };
#define SET_COUNT NAME

static void init_members(struct body_member members_out[MEMBER_COUNT])
{
    level_members_init(members_out);
    members_out[TIMEZONE] = (struct body_member){"timezone", NULL};
    members_out[NAME] = (struct body_member){"name", NULL};
}

static void write_team(struct json_writer *writer, const struct store_team *team)
{
    json_write_object(writer);
    member_write_id(writer, SLICE("id"), &team->id);
    member_write_text(writer, SLICE("name"), team->name);
    member_write_text(writer, SLICE("timezone"), team->timezone);
    member_write_bool(writer, SLICE("disabled"), team->disabled);
    level_members_write(writer, &team->rules);
    member_write_time(writer, SLICE("created_at"), team->created_at_us);
    member_write_time(writer, SLICE("updated_at"), team->updated_at_us);
    json_write_end(writer);
}

static unsigned answer_team(struct operation *operation, unsigned http_status,
                            const struct store_team *team)
{
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    write_team(&writer, team);
    operation->version_us = team->updated_at_us;
    return http_status;
}

/* The team that the path names. Returns 0 or the problem's status. */
static unsigned find_team(struct operation *operation, struct store_team *team_out)
{
    struct reason reason = {""};
    const enum status status = lookup_team(operation, operation->target.item, team_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

/* null is UTC. */
static enum status take_timezone(const struct body_member *member, struct store_team *team,
                                 struct reason *reason)
{
    const struct zone *zone;
    team->timezone = body_text(member);
    if (yyjson_is_null(member->value))
        return STATUS_OK;
    if (team->timezone.size == 0) {
        reason_set(reason, "timezone is a name such as \"Europe/Berlin\", or null for UTC");
        return STATUS_INVALID;
    }
    const enum status status = zone_find(team->timezone, &zone, reason);
    return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
}

/* Puts the members that are there into the team, which keeps the rest. */
static enum status take_members(struct operation *operation,
                                const struct body_member members[MEMBER_COUNT],
                                struct store_team *team, struct reason *reason)
{
    enum status status = STATUS_OK;
    if (members[TIMEZONE].value != NULL)
        status = take_timezone(&members[TIMEZONE], team, reason);
    if (status == STATUS_OK)
        status = level_members_read(members, operation->arena, &team->rules, reason);
    return status;
}

/* `none` stands for no team wherever one is named. */
static enum status check_name(struct slice name, struct reason *reason)
{
    if (!slice_equal(name, SLICE("none")))
        return operation_check_name(name, reason);
    reason_set(reason, "a team is not called none, which stands for no team");
    return STATUS_INVALID;
}

unsigned teams_create(struct operation *operation)
{
    struct body_member members[MEMBER_COUNT];
    init_members(members);
    const unsigned failed = operation_read_body(operation, members, MEMBER_COUNT);
    if (failed != 0)
        return failed;
    struct store_team team = {
        .id = id_make(operation->now_us),
        .name = body_text(&members[NAME]),
        .created_at_us = operation->now_us,
        .updated_at_us = operation->now_us,
    };
    struct reason reason = {""};
    enum status status = check_name(team.name, &reason);
    if (status == STATUS_OK)
        status = take_members(operation, members, &team, &reason);
    if (status == STATUS_OK)
        status = team_enter(operation->context, &team, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return answer_team(operation, 201, &team);
}

static enum status write_item(void *context, const struct store_team *team)
{
    struct list_page *list = context;
    if (!list_page_takes(list, &team->id))
        return STATUS_AGAIN;
    write_team(&list->writer, team);
    return buffer_status(list->operation->answer);
}

unsigned teams_list(struct operation *operation)
{
    static const struct slice parameters[] = {{"limit", 5}, {"after", 5}};
    struct list_page list;
    unsigned failed = operation_check_parameters(operation, parameters, 2);
    if (failed == 0)
        failed = list_page_begin(&list, operation);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    const enum status status =
        store_teams_list(operation->context->store, &list.page, write_item, &list, &reason);
    return list_page_end(&list, status, &reason);
}

unsigned teams_show(struct operation *operation)
{
    struct store_team team;
    const unsigned failed = find_team(operation, &team);
    return failed != 0 ? failed : answer_team(operation, 200, &team);
}

static unsigned save_team(struct operation *operation, struct slice action,
                          const struct store_team *before, struct store_team *team)
{
    struct reason reason = {""};
    const enum status status = team_change(operation->context, action, before, team, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return answer_team(operation, 200, team);
}

unsigned teams_set(struct operation *operation)
{
    struct body_member members[MEMBER_COUNT];
    struct store_team before;
    init_members(members);
    unsigned failed = find_team(operation, &before);
    if (failed == 0)
        failed = operation_read_body(operation, members, SET_COUNT);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    struct store_team team = before;
    const enum status status = take_members(operation, members, &team, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return save_team(operation, SLICE("team.set"), &before, &team);
}

/* One that is so already is left alone. */
static unsigned set_disabled(struct operation *operation, bool disabled)
{
    struct store_team before;
    const unsigned failed = find_team(operation, &before);
    if (failed != 0)
        return failed;
    if (before.disabled == disabled)
        return answer_team(operation, 200, &before);
    struct store_team team = before;
    team.disabled = disabled;
    return save_team(operation, disabled ? SLICE("team.disable") : SLICE("team.enable"), &before,
                     &team);
}

unsigned teams_disable(struct operation *operation)
{
    return set_disabled(operation, true);
}

unsigned teams_enable(struct operation *operation)
{
    return set_disabled(operation, false);
}

/* --- Who is in it --------------------------------------------------------------------------------- */

/* The team of the path and the user of the body. Returns 0 or the problem's status. */
static unsigned find_both(struct operation *operation, struct store_team *team_out,
                          struct store_user *user_out)
{
    struct body_member member = {"user", NULL};
    unsigned failed = find_team(operation, team_out);
    if (failed == 0)
        failed = operation_read_body(operation, &member, 1);
    if (failed != 0)
        return failed;
    if (!yyjson_is_str(member.value))
        return operation_problem(operation, 400, "user is missing: the id or name of a user");
    struct reason reason = {""};
    const enum status status = lookup_user(operation, body_text(&member), user_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

static bool is_in(const struct store_user *user, const struct store_team *team)
{
    return memcmp(&user->team_id, &team->id, sizeof(team->id)) == 0;
}

/* One who is in another team leaves it: a user has one team, or none. */
unsigned teams_add(struct operation *operation)
{
    struct store_team team;
    struct store_user before;
    const unsigned failed = find_both(operation, &team, &before);
    if (failed != 0)
        return failed;
    if (is_in(&before, &team))
        return user_object_answer(operation, 200, &before);
    struct store_user user = before;
    user.team_id = team.id;
    user.team_name = team.name;
    return user_object_save(operation, SLICE("user.set"), &before, &user);
}

unsigned teams_remove(struct operation *operation)
{
    struct store_team team;
    struct store_user before;
    const unsigned failed = find_both(operation, &team, &before);
    if (failed != 0)
        return failed;
    if (!is_in(&before, &team))
        return operation_problem(operation, 404, "%.*s is not in the team %.*s",
                                 SLICE_ARGS(before.name), SLICE_ARGS(team.name));
    struct store_user user = before;
    user.team_id = (struct id){{0}};
    user.team_name = slice_of(NULL, 0);
    return user_object_save(operation, SLICE("user.set"), &before, &user);
}

unsigned teams_delete(struct operation *operation)
{
    struct store_team team;
    const unsigned failed = find_team(operation, &team);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    uint64_t users = 0;
    const enum status status = team_remove(operation->context, &team, &users, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);

    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_id(&writer, SLICE("id"), &team.id);
    member_write_text(&writer, SLICE("name"), team.name);
    member_write_bool(&writer, SLICE("deleted"), true);
    member_write_number(&writer, SLICE("users_released"), users);
    json_write_end(&writer);
    return 200;
}
