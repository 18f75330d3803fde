#include "admin/user_change.h"

#include "admin/change.h"
#include "admin/member_writer.h"
#include "admin/spec.h"

static enum status end_change(struct change *change, const struct store_user *user,
                              enum status status, struct reason *reason)
{
    change_set_id(change, &user->id);
    member_write_text(&change->writer, SLICE("name"), user->name);
    return change_end(change, status, reason);
}

static enum status write_and_note(struct admin_context *context, const struct store_user *user,
                                  struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, SLICE("user.create"), &change, reason);
    if (status == STATUS_OK)
        status = store_user_create(context->store, user, reason);
    return end_change(&change, user, status, reason);
}

/* What the map needs is allocated before the store changes, so that the two cannot part. */
enum status user_enter(struct admin_context *context, const struct store_user *user,
                       struct reason *reason)
{
    if (context->map == NULL)
        return write_and_note(context, user, reason);
    struct identity_user_spec spec;
    struct identity_change *prepared = NULL;
    enum status status = admin_user_spec_of(user, &spec);
    if (status == STATUS_OK)
        status = identity_map_prepare_user(context->map, &spec, &prepared);
    if (status != STATUS_OK) {
        reason_set(reason, "the user cannot be held in memory: %s", status_name(status));
        return status;
    }
    status = write_and_note(context, user, reason);
    if (status == STATUS_OK)
        identity_map_publish_change(context->map, &prepared);
    else
        identity_map_abandon_change(context->map, &prepared);
    return status;
}

enum status user_change(struct admin_context *context, const struct store_user *user,
                        struct reason *reason)
{
    struct change change;
    const struct slice action = user->disabled ? SLICE("user.disable") : SLICE("user.enable");
    enum status status = change_begin(context, action, &change, reason);
    if (status == STATUS_OK)
        status = store_user_update(context->store, user, reason);
    return end_change(&change, user, status, reason);
}

enum status user_remove(struct admin_context *context, const struct store_user *user,
                        uint64_t *keys_out, struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, SLICE("user.delete"), &change, reason);
    if (status == STATUS_OK)
        status = store_user_delete(context->store, &user->id, keys_out, reason);
    member_write_number(&change.writer, SLICE("keys_deleted"), *keys_out);
    return end_change(&change, user, status, reason);
}
