/* Who is at the door.
 *
 * Thread: the control loop's; nothing here waits or looks into the database. */
#ifndef ADMIN_LOGIN_H
#define ADMIN_LOGIN_H

#include "admin/door.h"
#include "admin/role.h"
#include "admin/token_table.h"

/* Room for the name of an actor. */
#define LOGIN_NAME_BYTES TOKEN_ACTOR_BYTES_MAX

/* By the admin socket: the process at its other end. By a listener: whose token the request carries
 * (RFC 6750 section 2.1), one of the store or admin.token of the configuration in force.
 * `actor_out->name` may lie in `name_out`. STATUS_DENIED: nobody's; *reason says why and quotes nothing.
 */
MUST_CHECK enum status login(const struct door *door, const struct http_exchange *exchange,
                             char name_out[LOGIN_NAME_BYTES], struct operation_actor *actor_out,
                             struct reason *reason);

#endif
