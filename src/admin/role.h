/* What the holder of a token may do.
 *
 * viewer < operator < admin: each may all that the former may. A team_admin stands beside them: it acts
 * on the users and keys of one team and sees nothing else. Pure. */
#ifndef ADMIN_ROLE_H
#define ADMIN_ROLE_H

#include <stdbool.h>

#include "base/id.h"
#include "base/slice.h"
#include "base/status.h"

/* None is 0: what declares no role gives nobody access. */
enum role {
    ROLE_NONE,
    ROLE_TEAM_ADMIN,
    ROLE_VIEWER,
    ROLE_OPERATOR,
    ROLE_ADMIN,
};

/* Whom a route is for besides the roles from its least one on. */
enum scope {
    SCOPE_ALL = 1, /* nobody: it shows or changes what belongs to all teams */
    SCOPE_TEAM,    /* a team_admin, who gets to see its own team alone */
};

/* Who asks for an operation. */
struct operation_actor {
    enum role role;
    struct id team_id; /* of a team_admin; zeros otherwise */
    struct slice name; /* for the audit chain: "token:NAME", "admin.token", "uid=0" */
};

/* "viewer", "operator", "admin", "team_admin". STATUS_INVALID: none of them. */
MUST_CHECK enum status role_find(struct slice name, enum role *role_out);
/* Static storage. */
struct slice role_name(enum role role);
bool role_allows(const struct operation_actor *actor, enum role least, enum scope scope);

#endif
