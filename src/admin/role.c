#include "admin/role.h"

#include <stddef.h>

static const struct slice names[] = {
    [ROLE_NONE] = {"none", 4},     [ROLE_TEAM_ADMIN] = {"team_admin", 10},
    [ROLE_VIEWER] = {"viewer", 6}, [ROLE_OPERATOR] = {"operator", 8},
    [ROLE_ADMIN] = {"admin", 5},
};

enum status role_find(struct slice name, enum role *role_out)
{
    for (size_t i = ROLE_TEAM_ADMIN; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!slice_equal(names[i], name))
            continue;
        *role_out = (enum role)i;
        return STATUS_OK;
    }
    return STATUS_INVALID;
}

struct slice role_name(enum role role)
{
    return names[role];
}

bool role_allows(const struct operation_actor *actor, enum role least, enum scope scope)
{
    switch (actor->role) {
    case ROLE_NONE:
        return false;
    case ROLE_TEAM_ADMIN:
        return scope == SCOPE_TEAM;
    default:
        return least != ROLE_NONE && actor->role >= least;
    }
}
