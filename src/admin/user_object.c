#include "admin/user_object.h"

#include "admin/level_members.h"
#include "admin/member_writer.h"
#include "admin/user_change.h"

void user_object_write(struct json_writer *writer, const struct store_user *user)
{
    json_write_object(writer);
    member_write_id(writer, SLICE("id"), &user->id);
    member_write_text(writer, SLICE("name"), user->name);
    member_write_text(writer, SLICE("team"), user->team_name);
    if (user->team_name.data != NULL)
        member_write_id(writer, SLICE("team_id"), &user->team_id);
    else
        member_write_text(writer, SLICE("team_id"), slice_of(NULL, 0));
    member_write_bool(writer, SLICE("disabled"), user->disabled);
    level_members_write(writer, &user->rules);
    member_write_time(writer, SLICE("created_at"), user->created_at_us);
    member_write_time(writer, SLICE("updated_at"), user->updated_at_us);
    json_write_end(writer);
}

unsigned user_object_answer(struct operation *operation, unsigned http_status,
                            const struct store_user *user)
{
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    user_object_write(&writer, user);
    operation->version_us = user->updated_at_us;
    return http_status;
}

unsigned user_object_save(struct operation *operation, struct slice action,
                          const struct store_user *before, struct store_user *user)
{
    struct reason reason = {""};
    const enum status status = user_change(operation->context, action, before, user, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return user_object_answer(operation, 200, user);
}
