#include "admin/team_change.h"

#include "admin/change.h"
#include "admin/level_members.h"
#include "admin/map_follow.h"
#include "admin/member_writer.h"

static void write_details(struct json_writer *writer, const struct store_team *before,
                          const struct store_team *team)
{
    member_write_text(writer, SLICE("name"), team->name);
    if (!slice_equal(before->timezone, team->timezone))
        member_write_text(writer, SLICE("timezone"), team->timezone);
    level_members_write_changes(writer, &before->rules, &team->rules);
}

enum status team_enter(struct admin_context *context, const struct store_team *team,
                       struct reason *reason)
{
    static const struct store_team nothing;
    struct change change;
    struct map_change map;
    enum status status = map_prepare_team(context, team, &map, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, SLICE("team.create"), &change, reason);
    if (status == STATUS_OK)
        status = store_team_create(context->store, team, reason);
    change_set_id(&change, &team->id);
    write_details(&change.writer, &nothing, team);
    return map_end(&map, change_end(&change, status, reason));
}

enum status team_change(struct admin_context *context, struct slice action,
                        const struct store_team *before, struct store_team *team,
                        struct reason *reason)
{
    struct change change;
    struct map_change map;
    team->updated_at_us = change_time(context, before->updated_at_us);
    enum status status = map_prepare_team(context, team, &map, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, action, &change, reason);
    if (status == STATUS_OK)
        status = store_team_update(context->store, team, before->updated_at_us, reason);
    change_set_id(&change, &team->id);
    write_details(&change.writer, before, team);
    return map_end(&map, change_end(&change, status, reason));
}

enum status team_remove(struct admin_context *context, const struct store_team *team,
                        uint64_t *users_out, struct reason *reason)
{
    struct change change;
    struct map_change map;
    enum status status = map_prepare_team_removal(context, &team->id, &map, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, SLICE("team.delete"), &change, reason);
    if (status == STATUS_OK)
        status = store_team_delete(context->store, &team->id, context->now_us(), users_out, reason);
    change_set_id(&change, &team->id);
    member_write_text(&change.writer, SLICE("name"), team->name);
    member_write_number(&change.writer, SLICE("users_released"), *users_out);
    status = map_end(&map, change_end(&change, status, reason));
    if (status == STATUS_OK && context->tokens != NULL)
        token_table_remove_team(context->tokens, &team->id);
    return status;
}
