/* One administrative operation under way: what every handler works with.
 *
 * A handler returns the HTTP status; one that fails appends a problem through the functions below
 * and returns what they return. Private to the operations. */
#ifndef ADMIN_OPERATION_H
#define ADMIN_OPERATION_H

#include <stddef.h>

#include <yyjson.h>

#include "admin/context.h"
#include "admin/role.h"
#include "admin/target.h"
#include "base/arena.h"
#include "base/buffer.h"

struct operation {
    struct admin_context *context;
    struct operation_actor actor; /* has the role that the route takes */
    struct target target;
    struct slice body;
    yyjson_doc *document; /* of the body, once read; freed by admin_operate() */
    struct arena *arena;  /* until the operation ends */
    struct buffer *answer;
    uint64_t now_us;
    uint64_t
        version_us; /* set by the handler: updated_at_us of the object of the answer; 0: none */
    struct reason problem; /* what went wrong, once something did */
};

/* A member that a body may have. */
struct body_member {
    const char *name;
    yyjson_val *value; /* NULL: absent */
};

/* Replaces what the answer holds by a problem. Returns `http_status`. */
__attribute__((format(printf, 3, 4))) unsigned operation_problem(struct operation *operation,
                                                                 unsigned http_status,
                                                                 const char *format, ...);
/* The same for what the store, the map or a check came to. */
unsigned operation_failed(struct operation *operation, enum status status,
                          const struct reason *reason);

/* Reads the body, an object with no other members than these. Returns 0, or the HTTP status of
 * the problem. */
unsigned operation_read_body(struct operation *operation, struct body_member *members,
                             size_t count);
/* The same with whatever members. */
unsigned operation_read_object(struct operation *operation, yyjson_val **root_out);
/* Refuses parameters other than these. Returns 0 or the problem's status. */
unsigned operation_check_parameters(struct operation *operation, const struct slice *names,
                                    size_t count);

/* The text of a member that is a string; data is NULL otherwise. */
struct slice body_text(const struct body_member *member);

/* Whether `name` may name a team, a user or a key. STATUS_INVALID. */
MUST_CHECK enum status operation_check_name(struct slice name, struct reason *reason);

#endif
