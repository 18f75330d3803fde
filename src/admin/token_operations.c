#include "admin/token_operations.h"

#include <string.h>

#include "admin/change.h"
#include "admin/expiry.h"
#include "admin/list_page.h"
#include "admin/lookup.h"
#include "admin/member_writer.h"
#include "admin/role.h"
#include "admin/token_change.h"
#include "identity/key.h"

static const char *state_of(const struct store_token *token, uint64_t now_us)
{
    if (token->revoked_at_us != 0)
        return "revoked";
    return token->expires_at_us != 0 && token->expires_at_us <= now_us ? "expired" : "active";
}

static void write_team(struct json_writer *writer, const struct store_token *token)
{
    static const struct id none;
    member_write_text(writer, SLICE("team"), token->team_name);
    if (memcmp(&token->team_id, &none, sizeof(none)) == 0)
        member_write_text(writer, SLICE("team_id"), slice_of(NULL, 0));
    else
        member_write_id(writer, SLICE("team_id"), &token->team_id);
}

/* `secret` has data only for a token that was just made. */
static void write_token(struct json_writer *writer, const struct store_token *token,
                        struct slice secret, uint64_t now_us)
{
    json_write_object(writer);
    member_write_id(writer, SLICE("id"), &token->id);
    if (secret.data != NULL)
        member_write_text(writer, SLICE("token"), secret);
    member_write_text(writer, SLICE("name"), token->name);
    member_write_text(writer, SLICE("role"), token->role);
    write_team(writer, token);
    member_write_text(writer, SLICE("hint"), token->hint);
    member_write_text(writer, SLICE("state"), slice_from_text(state_of(token, now_us)));
    member_write_time(writer, SLICE("expires_at"), token->expires_at_us);
    member_write_time(writer, SLICE("revoked_at"), token->revoked_at_us);
    member_write_time(writer, SLICE("created_at"), token->created_at_us);
    member_write_time(writer, SLICE("updated_at"), token->updated_at_us);
    member_write_time(writer, SLICE("last_used_at"), token->last_used_at_us);
    json_write_end(writer);
}

static unsigned answer_token(struct operation *operation, unsigned http_status,
                             const struct store_token *token, struct slice secret)
{
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    write_token(&writer, token, secret, operation->now_us);
    operation->version_us = token->updated_at_us;
    return http_status;
}

/* The token that the path names. Returns 0 or the problem's status. */
static unsigned find_token(struct operation *operation, struct store_token *token_out)
{
    const struct slice item = operation->target.item;
    if (slice_starts_with(item, SLICE("weir-admin-")))
        return operation_problem(operation, 400, "give the token's id or name, never the secret");
    struct reason reason = {""};
    const enum status status =
        store_token_find(operation->context->store, item, operation->arena, token_out, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

/* --- Create -------------------------------------------------------------------------------------- */

static enum status take_role(const struct body_member *member, struct store_token *token,
                             struct reason *reason)
{
    enum role role;
    token->role = body_text(member);
    if (token->role.data != NULL && role_find(token->role, &role) == STATUS_OK)
        return STATUS_OK;
    reason_set(reason, "role is admin, operator, viewer or team_admin");
    return STATUS_INVALID;
}

/* A team_admin has a team, and nobody else has. */
static enum status take_team(struct operation *operation, const struct body_member *member,
                             struct store_token *token, struct reason *reason)
{
    struct store_team team;
    const bool is_wanted = slice_equal(token->role, role_name(ROLE_TEAM_ADMIN));
    const struct slice name = body_text(member);
    if (is_wanted != (name.data != NULL) ||
        (member->value != NULL && name.data == NULL && !yyjson_is_null(member->value))) {
        reason_set(reason, is_wanted ? "a team_admin is of a team: give its id or name as team"
                                     : "only a team_admin has a team");
        return STATUS_INVALID;
    }
    if (!is_wanted)
        return STATUS_OK;
    const enum status status = lookup_team(operation, name, &team, reason);
    if (status != STATUS_OK)
        return status;
    token->team_id = team.id;
    token->team_name = team.name;
    return STATUS_OK;
}

static enum status take_expires(struct operation *operation, const struct body_member *member,
                                struct store_token *token, struct reason *reason)
{
    if (member->value == NULL || yyjson_is_null(member->value))
        return STATUS_OK;
    return expiry_parse(body_text(member), operation->now_us, &token->expires_at_us, reason);
}

unsigned tokens_create(struct operation *operation)
{
    struct body_member members[] = {
        {"name", NULL}, {"role", NULL}, {"team", NULL}, {"expires", NULL}};
    const unsigned failed =
        operation_read_body(operation, members, sizeof(members) / sizeof(members[0]));
    if (failed != 0)
        return failed;
    struct store_token token = {.id = id_make(operation->now_us),
                                .name = body_text(&members[0]),
                                .created_at_us = operation->now_us,
                                .updated_at_us = operation->now_us};
    struct reason reason = {""};
    char made[KEY_TOKEN_SIZE];
    const struct slice secret = slice_of(made, sizeof(made));

    enum status status = operation_check_name(token.name, &reason);
    if (status == STATUS_OK)
        status = take_role(&members[1], &token, &reason);
    if (status == STATUS_OK)
        status = take_team(operation, &members[2], &token, &reason);
    if (status == STATUS_OK)
        status = take_expires(operation, &members[3], &token, &reason);
    key_make_token(made);
    if (status == STATUS_OK)
        status = token_enter(operation->context, secret, &token, &reason);
    const unsigned http_status = status == STATUS_OK ? answer_token(operation, 201, &token, secret)
                                                     : operation_failed(operation, status, &reason);
    explicit_bzero(made, sizeof(made));
    return http_status;
}

/* --- The others ---------------------------------------------------------------------------------- */

static enum status write_item(void *context, const struct store_token *token)
{
    struct list_page *list = context;
    if (!list_page_takes(list, &token->id))
        return STATUS_AGAIN;
    write_token(&list->writer, token, slice_of(NULL, 0), list->operation->now_us);
    return buffer_status(list->operation->answer);
}

unsigned tokens_list(struct operation *operation)
{
    static const struct slice parameters[] = {{"limit", 5}, {"after", 5}};
    struct list_page list;
    unsigned failed = operation_check_parameters(operation, parameters, 2);
    if (failed == 0)
        failed = list_page_begin(&list, operation);
    if (failed != 0)
        return failed;
    struct reason reason = {""};
    enum status status = admin_save_last_used(operation->context, &reason);
    if (status == STATUS_OK)
        status =
            store_tokens_list(operation->context->store, &list.page, write_item, &list, &reason);
    return list_page_end(&list, status, &reason);
}

unsigned tokens_show(struct operation *operation)
{
    struct store_token token = {.name = {NULL, 0}};
    const unsigned failed = find_token(operation, &token);
    if (failed != 0)
        return failed;
    return answer_token(operation, 200, &token, slice_of(NULL, 0));
}

unsigned tokens_revoke(struct operation *operation)
{
    struct store_token token = {.name = {NULL, 0}};
    struct reason reason = {""};
    const unsigned failed = find_token(operation, &token);
    if (failed != 0)
        return failed;
    if (token.revoked_at_us == 0) {
        token.revoked_at_us = operation->now_us;
        token.updated_at_us = change_time(operation->context, token.updated_at_us);
        const enum status status = token_revoke(operation->context, &token, &reason);
        if (status != STATUS_OK)
            return operation_failed(operation, status, &reason);
    }
    return answer_token(operation, 200, &token, slice_of(NULL, 0));
}

unsigned tokens_delete(struct operation *operation)
{
    struct store_token token = {.name = {NULL, 0}};
    struct reason reason = {""};
    const unsigned failed = find_token(operation, &token);
    if (failed != 0)
        return failed;
    const enum status status = token_remove(operation->context, &token, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_id(&writer, SLICE("id"), &token.id);
    member_write_text(&writer, SLICE("name"), token.name);
    member_write_bool(&writer, SLICE("deleted"), true);
    json_write_end(&writer);
    return 200;
}
