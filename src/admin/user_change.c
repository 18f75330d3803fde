#include "admin/user_change.h"

#include "admin/change.h"
#include "admin/level_members.h"
#include "admin/map_follow.h"
#include "admin/member_writer.h"

static void write_details(struct json_writer *writer, const struct store_user *before,
                          const struct store_user *user)
{
    member_write_text(writer, SLICE("name"), user->name);
    if (memcmp(&before->team_id, &user->team_id, sizeof(user->team_id)) != 0)
        member_write_text(writer, SLICE("team"), user->team_name);
    level_members_write_changes(writer, &before->rules, &user->rules);
}

enum status user_enter(struct admin_context *context, const struct store_user *user,
                       struct reason *reason)
{
    static const struct store_user nothing;
    struct change change;
    struct map_change map;
    enum status status = map_prepare_user(context, user, &map, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, SLICE("user.create"), &change, reason);
    if (status == STATUS_OK)
        status = store_user_create(context->store, user, reason);
    change_set_id(&change, &user->id);
    write_details(&change.writer, &nothing, user);
    return map_end(&map, change_end(&change, status, reason));
}

enum status user_change(struct admin_context *context, struct slice action,
                        const struct store_user *before, struct store_user *user,
                        struct reason *reason)
{
    struct change change;
    struct map_change map;
    user->updated_at_us = change_time(context, before->updated_at_us);
    enum status status = map_prepare_user(context, user, &map, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, action, &change, reason);
    if (status == STATUS_OK)
        status = store_user_update(context->store, user, before->updated_at_us, reason);
    change_set_id(&change, &user->id);
    write_details(&change.writer, before, user);
    return map_end(&map, change_end(&change, status, reason));
}

enum status user_remove(struct admin_context *context, const struct store_user *user,
                        uint64_t *keys_out, struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, SLICE("user.delete"), &change, reason);
    if (status == STATUS_OK)
        status = store_user_delete(context->store, &user->id, keys_out, reason);
    change_set_id(&change, &user->id);
    member_write_number(&change.writer, SLICE("keys_deleted"), *keys_out);
    member_write_text(&change.writer, SLICE("name"), user->name);
    status = change_end(&change, status, reason);
    if (status == STATUS_OK)
        map_remove_user(context, &user->id);
    return status;
}
