#include "admin/user_operations.h"

#include "admin/list_page.h"
#include "admin/member_writer.h"
#include "admin/user_change.h"

static void write_user(struct json_writer *writer, const struct store_user *user)
{
    json_write_object(writer);
    member_write_id(writer, SLICE("id"), &user->id);
    member_write_text(writer, SLICE("name"), user->name);
    member_write_bool(writer, SLICE("disabled"), user->disabled);
    member_write_time(writer, SLICE("created_at"), user->created_at_us);
    member_write_time(writer, SLICE("updated_at"), user->updated_at_us);
    json_write_end(writer);
}

static unsigned answer_user(struct operation *operation, unsigned http_status,
                            const struct store_user *user)
{
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    write_user(&writer, user);
    return http_status;
}

/* The user that the path names. Returns 0 or the problem's status. */
static unsigned find_user(struct operation *operation, struct store_user *user_out)
{
    struct reason reason = {""};
    const enum status status = store_user_find(operation->context->store, operation->target.item,
                                               operation->arena, user_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

unsigned users_create(struct operation *operation)
{
    struct body_member name = {"name", NULL};
    const unsigned failed = operation_read_body(operation, &name, 1);
    if (failed != 0)
        return failed;
    const struct store_user user = {
        .id = id_make(operation->now_us),
        .name = body_text(&name),
        .created_at_us = operation->now_us,
        .updated_at_us = operation->now_us,
    };
    struct reason reason = {""};
    enum status status = operation_check_name(user.name, &reason);
    if (status == STATUS_OK)
        status = user_enter(operation->context, &user, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return answer_user(operation, 201, &user);
}

static enum status write_item(void *context, const struct store_user *user)
{
    struct list_page *list = context;
    if (!list_page_takes(list, &user->id))
        return STATUS_AGAIN;
    write_user(&list->writer, user);
    return buffer_status(list->operation->answer);
}

unsigned users_list(struct operation *operation)
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
        store_users_list(operation->context->store, &list.page, write_item, &list, &reason);
    return list_page_end(&list, status, &reason);
}

unsigned users_show(struct operation *operation)
{
    struct store_user user;
    const unsigned failed = find_user(operation, &user);
    if (failed != 0)
        return failed;
    return answer_user(operation, 200, &user);
}

static unsigned set_disabled(struct operation *operation, bool disabled)
{
    struct admin_context *context = operation->context;
    struct store_user user;
    const unsigned failed = find_user(operation, &user);
    if (failed != 0)
        return failed;
    if (user.disabled != disabled) {
        struct reason reason = {""};
        user.disabled = disabled;
        user.updated_at_us = operation->now_us;
        const enum status status = user_change(context, &user, &reason);
        if (status != STATUS_OK)
            return operation_failed(operation, status, &reason);
    }
    if (context->map != NULL)
        identity_map_set_user_disabled(context->map, &user.id, disabled);
    return answer_user(operation, 200, &user);
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
    struct admin_context *context = operation->context;
    struct store_user user;
    const unsigned failed = find_user(operation, &user);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    uint64_t keys = 0;
    const enum status status = user_remove(context, &user, &keys, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    if (context->map != NULL)
        identity_map_remove_user(context->map, &user.id);

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
