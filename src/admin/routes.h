/* The routes of the admin API: the one table that says what there is, who may use it and what a change
 * takes.
 *
 * A new route is one line there, one path in openapi.json and its handler; a test compares the two.
 * Thread: any. Memory: static. */
#ifndef ADMIN_ROUTES_H
#define ADMIN_ROUTES_H

#include <stddef.h>

#include "admin/operation.h"
#include "admin/role.h"

/* Whether a request over HTTP has to say which version of the object it means to change. */
enum match {
    MATCH_NONE = 1, /* nothing is changed, or there is no object yet */
    MATCH_GIVEN,    /* If-Match where it is sent; the object may not be there yet */
    MATCH_OBJECT,   /* If-Match, against what GET of the same item answers */
};

/* The order of the members lets no line leave out whom the route is for: it would not compile. */
struct admin_route {
    const char *method;
    const char *path; /* below /admin/v1/; a part in braces stands for any */
    enum role least;  /* of those who act on everything */
    enum scope scope; /* whether a team_admin may use it as well */
    enum match match;
    unsigned (*handle)(struct operation *operation);
};

extern const struct admin_route admin_routes[];
extern const size_t admin_route_count;

#define ROUTES_ALLOW_BYTES 64

/* The route for a path and a method; one without braces goes before one with. NULL: there is none.
 * Then `allow_out` has the methods that the path takes, for Allow (RFC 9110 section 10.2.1); empty:
 * there is no such path. */
const struct admin_route *routes_find(const struct target *target, struct slice method,
                                      char allow_out[ROUTES_ALLOW_BYTES]);

#endif
