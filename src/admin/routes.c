#include "admin/routes.h"

#include <stdio.h>

#include "admin/audit_operations.h"
#include "admin/definition_operations.h"
#include "admin/explain.h"
#include "admin/key_operations.h"
#include "admin/limit_operations.h"
#include "admin/openapi_operations.h"
#include "admin/price_operations.h"
#include "admin/secret_operations.h"
#include "admin/team_operations.h"
#include "admin/token_operations.h"
#include "admin/usage_operations.h"
#include "admin/user_operations.h"

#define PARTS_MAX 3

/* clang-format off */
const struct admin_route admin_routes[] = {
    {"GET",    "openapi.json",         ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   openapi_show},

    {"POST",   "teams",                ROLE_OPERATOR, SCOPE_ALL,  MATCH_NONE,   teams_create},
    {"GET",    "teams",                ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   teams_list},
    {"GET",    "teams/{team}",         ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   teams_show},
    {"PATCH",  "teams/{team}",         ROLE_OPERATOR, SCOPE_ALL,  MATCH_OBJECT, teams_set},
    {"DELETE", "teams/{team}",         ROLE_OPERATOR, SCOPE_ALL,  MATCH_OBJECT, teams_delete},
    {"POST",   "teams/{team}/add",     ROLE_OPERATOR, SCOPE_ALL,  MATCH_OBJECT, teams_add},
    {"POST",   "teams/{team}/remove",  ROLE_OPERATOR, SCOPE_ALL,  MATCH_OBJECT, teams_remove},
    {"POST",   "teams/{team}/disable", ROLE_OPERATOR, SCOPE_ALL,  MATCH_OBJECT, teams_disable},
    {"POST",   "teams/{team}/enable",  ROLE_OPERATOR, SCOPE_ALL,  MATCH_OBJECT, teams_enable},

    {"POST",   "users",                ROLE_OPERATOR, SCOPE_TEAM, MATCH_NONE,   users_create},
    {"GET",    "users",                ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   users_list},
    {"GET",    "users/{user}",         ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   users_show},
    {"PATCH",  "users/{user}",         ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, users_set},
    {"DELETE", "users/{user}",         ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, users_delete},
    {"POST",   "users/{user}/disable", ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, users_disable},
    {"POST",   "users/{user}/enable",  ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, users_enable},

    {"POST",   "keys",                 ROLE_OPERATOR, SCOPE_TEAM, MATCH_NONE,   keys_create},
    {"GET",    "keys",                 ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   keys_list},
    {"GET",    "keys/{key}",           ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   keys_show},
    {"PATCH",  "keys/{key}",           ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, keys_set},
    {"POST",   "keys/{key}/revoke",    ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, keys_revoke},
    {"POST",   "keys/{key}/disable",   ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, keys_disable},
    {"POST",   "keys/{key}/enable",    ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, keys_enable},
    {"POST",   "keys/{key}/rotate",    ROLE_OPERATOR, SCOPE_TEAM, MATCH_OBJECT, keys_rotate},

    {"POST",   "tokens",               ROLE_ADMIN,    SCOPE_ALL,  MATCH_NONE,   tokens_create},
    {"GET",    "tokens",               ROLE_ADMIN,    SCOPE_ALL,  MATCH_NONE,   tokens_list},
    {"GET",    "tokens/{token}",       ROLE_ADMIN,    SCOPE_ALL,  MATCH_NONE,   tokens_show},
    {"POST",   "tokens/{token}/revoke", ROLE_ADMIN,   SCOPE_ALL,  MATCH_OBJECT, tokens_revoke},
    {"DELETE", "tokens/{token}",       ROLE_ADMIN,    SCOPE_ALL,  MATCH_OBJECT, tokens_delete},

    {"GET",    "limits",               ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   limits_list},
    {"GET",    "budgets",              ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   budgets_list},

    {"GET",    "usage",                ROLE_VIEWER,   SCOPE_TEAM, MATCH_NONE,   usage_report},

    {"GET",    "prices",               ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   prices_list},
    {"POST",   "prices",               ROLE_OPERATOR, SCOPE_ALL,  MATCH_NONE,   prices_set},
    {"DELETE", "prices",               ROLE_OPERATOR, SCOPE_ALL,  MATCH_NONE,   prices_remove},
    {"GET",    "prices/{model}",       ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   prices_show},
    {"POST",   "prices/rerate",        ROLE_OPERATOR, SCOPE_ALL,  MATCH_NONE,   prices_rerate},

    {"GET",    "secrets",              ROLE_ADMIN,    SCOPE_ALL,  MATCH_NONE,   secrets_list},
    {"GET",    "secrets/{provider}",   ROLE_ADMIN,    SCOPE_ALL,  MATCH_NONE,   secrets_show},
    {"PUT",    "secrets/{provider}",   ROLE_ADMIN,    SCOPE_ALL,  MATCH_GIVEN,  secrets_set},
    {"DELETE", "secrets/{provider}",   ROLE_ADMIN,    SCOPE_ALL,  MATCH_OBJECT, secrets_delete},
    {"POST",   "secrets/rotate-master", ROLE_ADMIN,   SCOPE_ALL,  MATCH_NONE,   secrets_rotate},

    {"POST",   "providers",            ROLE_ADMIN,    SCOPE_ALL,  MATCH_NONE,   providers_create},
    {"GET",    "providers",            ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   providers_list},
    {"GET",    "providers/{provider}", ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   providers_show},
    {"PUT",    "providers/{provider}", ROLE_ADMIN,    SCOPE_ALL,  MATCH_OBJECT, providers_set},
    {"DELETE", "providers/{provider}", ROLE_ADMIN,    SCOPE_ALL,  MATCH_OBJECT, providers_delete},

    {"POST",   "models",               ROLE_ADMIN,    SCOPE_ALL,  MATCH_NONE,   models_create},
    {"GET",    "models",               ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   models_list},
    {"GET",    "models/{model}",       ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   models_show},
    {"PUT",    "models/{model}",       ROLE_ADMIN,    SCOPE_ALL,  MATCH_OBJECT, models_set},
    {"DELETE", "models/{model}",       ROLE_ADMIN,    SCOPE_ALL,  MATCH_OBJECT, models_delete},

    {"POST",   "explain",              ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   explain_request},

    {"GET",    "audit",                ROLE_VIEWER,   SCOPE_ALL,  MATCH_NONE,   audit_list},
};
/* clang-format on */

const size_t admin_route_count = sizeof(admin_routes) / sizeof(admin_routes[0]);

static unsigned split(const struct target *target, struct slice parts[PARTS_MAX])
{
    unsigned count = 0;
    parts[count++] = target->collection;
    if (target->item.data != NULL)
        parts[count++] = target->item;
    if (target->action.data != NULL)
        parts[count++] = target->action;
    return count;
}

static bool has_path(const struct admin_route *route, const struct slice *parts, unsigned count)
{
    struct slice rest = slice_from_text(route->path);
    unsigned at = 0;
    for (bool is_last = false; !is_last; at++) {
        const size_t end = slice_find_byte(rest, '/');
        const struct slice part = slice_of(rest.data, end);
        if (at == count || (part.data[0] != '{' && !slice_equal(part, parts[at])))
            return false;
        is_last = end == rest.size;
        rest = slice_from(rest, is_last ? end : end + 1);
    }
    return at == count;
}

static bool is_literal(const struct admin_route *route)
{
    const struct slice path = slice_from_text(route->path);
    return slice_find_byte(path, '{') == path.size;
}

/* HEAD is GET without the body (RFC 9110 section 9.3.2). */
static void add_method(const char *method, char allow[ROUTES_ALLOW_BYTES])
{
    const size_t size = strlen(allow);
    const char *separator = size > 0 ? ", " : "";
    const bool is_get = strcmp(method, "GET") == 0;
    if (strstr(allow, method) == NULL)
        (void)snprintf(allow + size, ROUTES_ALLOW_BYTES - size, "%s%s%s", separator, method,
                       is_get ? ", HEAD" : "");
}

const struct admin_route *routes_find(const struct target *target, struct slice method,
                                      char allow_out[ROUTES_ALLOW_BYTES])
{
    const struct admin_route *found = NULL;
    struct slice parts[PARTS_MAX];
    const unsigned count = split(target, parts);
    allow_out[0] = '\0';
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_route *route = &admin_routes[i];
        if (!has_path(route, parts, count))
            continue;
        if (!slice_equal(method, slice_from_text(route->method)))
            add_method(route->method, allow_out);
        else if (found == NULL || is_literal(route))
            found = route;
    }
    return found;
}
