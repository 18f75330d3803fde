#include "admin/operations.h"

#include "admin/operation.h"
#include "admin/precondition.h"
#include "base/assert.h"

/* Everything that an operation keeps of its path, its names and its lists. */
#define ARENA_BYTES_MAX 262144
#define PATH_BYTES_MAX  8192
/* Room for any answer but a list, had before anything is done: what was done can then be told. */
#define ANSWER_RESERVE_BYTES 65536

/* --- What a change takes ----------------------------------------------------------------------- */

/* Asks for the object as GET does: who may not see it learns nothing, and a handler that was added needs
 * to do nothing for this. Returns 0 or the problem's status. */
static unsigned read_version(struct operation *operation, uint64_t *version_us_out)
{
    char allow[ROUTES_ALLOW_BYTES];
    const struct slice action = operation->target.action;
    operation->target.action = (struct slice){0};
    const struct admin_route *show = routes_find(&operation->target, SLICE("GET"), allow);
    ASSERT(show != NULL && show->match == MATCH_NONE);
    const unsigned http_status = show->handle(operation);
    operation->target.action = action;
    if (http_status >= 400)
        return http_status;
    *version_us_out = operation->version_us;
    operation->version_us = 0;
    buffer_clear(operation->answer);
    return 0;
}

/* Nothing can change between this and the handler: operations run one after another. What has no version
 * is not changed in this way; its handler says so. Returns 0 or the problem's status. */
static unsigned check_match(struct operation *operation, const struct admin_request *request,
                            enum match match)
{
    uint64_t version_us = 0;
    const bool is_needed = match == MATCH_OBJECT && request->needs_match;
    if (match == MATCH_NONE || (!is_needed && request->if_match.data == NULL))
        return 0;
    const unsigned failed = read_version(operation, &version_us);
    if (failed == 404 && match == MATCH_GIVEN) /* RFC 9110 section 13.1.1: not even * matches */
        return operation_problem(operation, 412,
                                 "there is none yet; leave If-Match out to make it");
    if (failed != 0 || version_us == 0)
        return failed;
    if (request->if_match.data == NULL)
        return operation_problem(operation, 428,
                                 "say which version is meant: If-Match with the ETag that GET "
                                 "answers, or *");
    if (!precondition_matches(request->if_match, version_us))
        return operation_problem(operation, 412, "it was changed since it was read; read it again");
    return 0;
}

/* --- Dispatch ------------------------------------------------------------------------------------ */

static unsigned run_route(struct operation *operation, const struct admin_request *request,
                          struct admin_reply *reply)
{
    const struct admin_route *route =
        routes_find(&operation->target, request->method, reply->allow);
    if (route == NULL && reply->allow[0] != '\0')
        return operation_problem(operation, 405, "this path has no such method, but %s",
                                 reply->allow);
    if (route == NULL)
        return operation_problem(operation, 404, "there is no such path");
    if (!role_allows(&operation->actor, route->least, route->scope))
        return operation_problem(operation, 403, "this takes the role %s%s; the token's is %.*s",
                                 role_name(route->least).data,
                                 route->scope == SCOPE_TEAM ? " or team_admin" : "",
                                 SLICE_ARGS(role_name(operation->actor.role)));
    const unsigned failed = check_match(operation, request, route->match);
    return failed != 0 ? failed : route->handle(operation);
}

static unsigned run(struct operation *operation, const struct admin_request *request,
                    struct admin_reply *reply)
{
    if (operation->body.size > ADMIN_BODY_BYTES_MAX)
        return operation_problem(operation, 413, "a body has at most %d bytes",
                                 ADMIN_BODY_BYTES_MAX);
    if (request->path.size > PATH_BYTES_MAX)
        return operation_problem(operation, 404, "there is no such path");
    switch (target_parse(request->path, operation->arena, &operation->target)) {
    case STATUS_OK:
        return run_route(operation, request, reply);
    case STATUS_NOT_FOUND:
        return operation_problem(operation, 404, "there is no such path");
    case STATUS_NO_MEMORY:
        return operation_problem(operation, 503, "out of memory");
    default:
        return operation_problem(operation, 400, "the path's encoding or its query is malformed");
    }
}

/* The context says who does it to the audit chain, for as long as it takes. */
static unsigned run_as(struct operation *operation, const struct admin_request *request,
                       struct admin_reply *reply)
{
    struct admin_context *context = operation->context;
    const struct slice own = context->actor;
    context->actor = request->actor.name;
    const unsigned http_status = run(operation, request, reply);
    context->actor = own;
    reply->has_configuration_changed = context->has_configuration_changed;
    context->has_configuration_changed = false;
    return http_status;
}

void admin_handle(struct admin_context *context, const struct admin_request *request,
                  struct buffer *answer, struct admin_reply *reply_out)
{
    struct arena arena;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    struct operation operation = {
        .context = context,
        .actor = request->actor,
        .body = request->body,
        .arena = &arena,
        .answer = answer,
        .now_us = context->now_us(),
    };
    *reply_out = (struct admin_reply){.http_status = 0};
    if (buffer_reserve(answer, ANSWER_RESERVE_BYTES) == STATUS_OK)
        reply_out->http_status = run_as(&operation, request, reply_out);
    if (buffer_status(answer) != STATUS_OK)
        reply_out->http_status =
            operation_problem(&operation, 503, "out of memory while writing the answer");
    reply_out->version_us = operation.version_us;
    reply_out->problem = operation.problem;
    yyjson_doc_free(operation.document);
    arena_fini(&arena);
}

unsigned admin_operate(struct admin_context *context, struct slice method, struct slice path,
                       struct slice body, struct buffer *answer)
{
    struct admin_reply reply;
    const struct admin_request request = {
        .method = method,
        .path = path,
        .body = body,
        .actor = {.role = ROLE_ADMIN, .name = context->actor},
    };
    admin_handle(context, &request, answer, &reply);
    return reply.http_status;
}
