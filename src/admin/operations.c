#include "admin/operations.h"

#include <stdbool.h>

#include "admin/explain.h"
#include "admin/key_operations.h"
#include "admin/operation.h"
#include "admin/price_operations.h"
#include "admin/team_operations.h"
#include "admin/usage_operations.h"
#include "admin/user_operations.h"

/* Everything that an operation keeps of its path, its names and its lists. */
#define ARENA_BYTES_MAX 262144
#define PATH_BYTES_MAX  8192
/* Room for any answer but a list, had before anything is done: what was done can then be told. */
#define ANSWER_RESERVE_BYTES 65536

enum shape { SHAPE_COLLECTION, SHAPE_ITEM, SHAPE_ACTION };

static const struct route {
    const char *collection;
    enum shape shape;
    const char *action;
    const char *method;
    unsigned (*handle)(struct operation *operation);
} routes[] = {
    {"teams", SHAPE_COLLECTION, "", "POST", teams_create},
    {"teams", SHAPE_COLLECTION, "", "GET", teams_list},
    {"teams", SHAPE_ITEM, "", "GET", teams_show},
    {"teams", SHAPE_ITEM, "", "PATCH", teams_set},
    {"teams", SHAPE_ITEM, "", "DELETE", teams_delete},
    {"teams", SHAPE_ACTION, "add", "POST", teams_add},
    {"teams", SHAPE_ACTION, "remove", "POST", teams_remove},
    {"teams", SHAPE_ACTION, "disable", "POST", teams_disable},
    {"teams", SHAPE_ACTION, "enable", "POST", teams_enable},
    {"users", SHAPE_COLLECTION, "", "POST", users_create},
    {"users", SHAPE_COLLECTION, "", "GET", users_list},
    {"users", SHAPE_ITEM, "", "GET", users_show},
    {"users", SHAPE_ITEM, "", "PATCH", users_set},
    {"users", SHAPE_ITEM, "", "DELETE", users_delete},
    {"users", SHAPE_ACTION, "disable", "POST", users_disable},
    {"users", SHAPE_ACTION, "enable", "POST", users_enable},
    {"keys", SHAPE_COLLECTION, "", "POST", keys_create},
    {"keys", SHAPE_COLLECTION, "", "GET", keys_list},
    {"keys", SHAPE_ITEM, "", "GET", keys_show},
    {"keys", SHAPE_ITEM, "", "PATCH", keys_set},
    {"keys", SHAPE_ACTION, "revoke", "POST", keys_revoke},
    {"keys", SHAPE_ACTION, "disable", "POST", keys_disable},
    {"keys", SHAPE_ACTION, "enable", "POST", keys_enable},
    {"keys", SHAPE_ACTION, "rotate", "POST", keys_rotate},
    {"usage", SHAPE_COLLECTION, "", "GET", usage_report},
    {"prices", SHAPE_COLLECTION, "", "GET", prices_list},
    {"prices", SHAPE_COLLECTION, "", "POST", prices_set},
    {"prices", SHAPE_COLLECTION, "", "DELETE", prices_remove},
    {"prices", SHAPE_ITEM, "", "GET", prices_show},
    {"prices", SHAPE_ITEM, "", "POST", prices_rerate},
    {"explain", SHAPE_COLLECTION, "", "POST", explain_request},
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

static enum shape shape_of(const struct target *target)
{
    if (target->item.data == NULL)
        return SHAPE_COLLECTION;
    return target->action.data == NULL ? SHAPE_ITEM : SHAPE_ACTION;
}

static bool has_path(const struct route *route, const struct target *target)
{
    return slice_equal(target->collection, slice_from_text(route->collection)) &&
           shape_of(target) == route->shape &&
           slice_equal(target->action, slice_from_text(route->action));
}

static unsigned run_route(struct operation *operation, struct slice method)
{
    bool known = false;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!has_path(&routes[i], &operation->target))
            continue;
        if (slice_equal(method, slice_from_text(routes[i].method)))
            return routes[i].handle(operation);
        known = true;
    }
    if (known)
        return operation_problem(operation, 405, "this path has no such method");
    return operation_problem(operation, 404, "there is no such path");
}

static unsigned run(struct operation *operation, struct slice method, struct slice path)
{
    if (operation->body.size > ADMIN_BODY_BYTES_MAX)
        return operation_problem(operation, 413, "a body has at most %d bytes",
                                 ADMIN_BODY_BYTES_MAX);
    if (path.size > PATH_BYTES_MAX)
        return operation_problem(operation, 404, "there is no such path");
    switch (target_parse(path, operation->arena, &operation->target)) {
    case STATUS_OK:
        return run_route(operation, method);
    case STATUS_NOT_FOUND:
        return operation_problem(operation, 404, "there is no such path");
    case STATUS_NO_MEMORY:
        return operation_problem(operation, 503, "out of memory");
    default:
        return operation_problem(operation, 400, "the path's encoding or its query is malformed");
    }
}

unsigned admin_operate(struct admin_context *context, struct slice method, struct slice path,
                       struct slice body, struct buffer *answer)
{
    struct arena arena;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    struct operation operation = {
        .context = context,
        .body = body,
        .arena = &arena,
        .answer = answer,
        .now_us = context->now_us(),
    };
    unsigned http_status = 0;
    if (buffer_reserve(answer, ANSWER_RESERVE_BYTES) == STATUS_OK)
        http_status = run(&operation, method, path);
    if (buffer_status(answer) != STATUS_OK)
        http_status = operation_problem(&operation, 503, "out of memory while writing the answer");
    yyjson_doc_free(operation.document);
    arena_fini(&arena);
    return http_status;
}
