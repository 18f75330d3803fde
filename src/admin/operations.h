/* Administrative operations: a request of the admin API in, its answer out.
 *
 * The same code serves the admin socket of a running server (which has a map: what changes holds
 * at once) and the command line when no server runs (no map). Every change goes to the store
 * first; only then does the map follow.
 * Thread: the store's; calls block on the database.
 * Memory: stated at each. Errors: an HTTP status and, from 400 on, a problem (RFC 9457). */
#ifndef ADMIN_OPERATIONS_H
#define ADMIN_OPERATIONS_H

#include "admin/context.h"
#include "admin/role.h"
#include "admin/routes.h"
#include "base/buffer.h"
#include "base/slice.h"

#define ADMIN_BODY_BYTES_MAX   65536   /* of a request */
#define ADMIN_ANSWER_BYTES_MAX 8388608 /* what a page of a list can come to at most */

/* A request, as it came. */
struct admin_request {
    struct slice method, path, body; /* the path with its query, percent-encoded */
    struct operation_actor actor;    /* who asks */
    struct slice if_match;           /* data is NULL: not sent */
    bool needs_match;                /* to change an object takes if_match */
};

/* What there is to say beside the body. */
struct admin_reply {
    unsigned http_status;
    uint64_t version_us;            /* of the object in the answer, for its ETag; 0: it has none */
    char allow[ROUTES_ALLOW_BYTES]; /* with 405 */
    struct reason problem;          /* from 400 on, for the log */
    bool has_configuration_changed;
};

/* Does what the request asks for, if its actor may, and writes the answer, always a JSON object, to
 * `answer`, which is empty and holds ADMIN_ANSWER_BYTES_MAX. From the status 400 on the answer's type is
 * application/problem+json. `context` may be used by no other thread meanwhile.
 *
 *   POST   /admin/v1/teams                 {"name", "timezone"?, LEVEL?} -> 201
 *   GET    /admin/v1/teams                 ?limit=&after= -> {"items":[...],"next":null or an id}
 *   GET    /admin/v1/teams/T               T, U, K: an id or a unique name
 *   PATCH  /admin/v1/teams/T               {"timezone"?, LEVEL?}
 *   POST   /admin/v1/teams/T/add, /remove  {"user"} -> the user
 *   POST   /admin/v1/teams/T/disable, /enable
 *   DELETE /admin/v1/teams/T               its users stay
 *   POST   /admin/v1/users                 {"name", "team"?, LEVEL?} -> 201
 *   GET    /admin/v1/users                 ?team=T&limit=&after=
 *   GET    /admin/v1/users/U
 *   PATCH  /admin/v1/users/U               {"team"?, LEVEL?}
 *   POST   /admin/v1/users/U/disable, /enable
 *   DELETE /admin/v1/users/U               with its keys
 *   POST   /admin/v1/keys                  {"user", "name"?, "expires"?, "key"?, LEVEL?} -> 201
 *   GET    /admin/v1/keys                  ?user=U&limit=&after=
 *   GET    /admin/v1/keys/K
 *   PATCH  /admin/v1/keys/K                {"name"?, "expires"?, LEVEL?}
 *   POST   /admin/v1/keys/K/revoke, /disable, /enable
 *   POST   /admin/v1/keys/K/rotate         {"overlap"?} -> the key with a new secret
 *   GET    /admin/v1/limits, /budgets      ?level=key|user|team|model|provider|gateway&
 *                                          limit=&after=: where each stands
 *   GET    /admin/v1/usage                 ?by=&since=&until= -> {"by","since","until","items":[...],
 *                                          "rest","total"}; see admin/usage_query.h, usage_line.h
 *   GET    /admin/v1/prices                -> {"items":[...],"next":null}; see admin/price_item.h
 *   POST   /admin/v1/prices                {"provider","model","from"?,"prices"}
 *   DELETE /admin/v1/prices                ?provider=&model=&from=
 *   POST   /admin/v1/tokens                {"name", "role", "team"?, "expires"?} -> 201
 *   GET    /admin/v1/tokens                ?limit=&after=
 *   GET    /admin/v1/tokens/T
 *   POST   /admin/v1/tokens/T/revoke
 *   DELETE /admin/v1/tokens/T
 *   GET    /admin/v1/audit                 ?since=&until=&actor=&action=&limit=&after=, newest first
 *   GET    /admin/v1/openapi.json          all of this, for programs
 *   GET    /admin/v1/prices/MODEL          what holds now for each target that may serve it
 *   POST   /admin/v1/prices/rerate         {"since","until","apply"?}: see rerate_operations.c
 *
 *   GET    /admin/v1/secrets               -> {"items":[...],"next":null}; no credential in any answer
 *   PUT    /admin/v1/secrets/PROVIDER      {"value"}
 *   DELETE /admin/v1/secrets/PROVIDER
 *   POST   /admin/v1/secrets/rotate-master {"new_key"?} -> {"secrets","master_id","saved"}
 *   POST   /admin/v1/providers, /models    a definition with its "name" -> 201
 *   GET    /admin/v1/providers, /models    -> {"items":[...],"next":null}; see admin/definition_item.h
 *   GET    /admin/v1/providers/N, /models/N
 *   PUT    /admin/v1/providers/N, /models/N  a definition
 *   DELETE /admin/v1/providers/N, /models/N  of a provider with its secret
 *
 * LEVEL stands for the members of admin/level_members.h, of which a PATCH changes those that it has;
 * `expires` is a duration from now ("90d"), an RFC 3339 time, or null for never; `key` an application's
 * existing secret; `overlap` how long the former one works on ("24h", the default; "0s": not at all).
 * The answer of a created or rotated key has the secret in `key`, of a created
 * token in `token`; nothing else ever shows it. */
void admin_handle(struct admin_context *context, const struct admin_request *request,
                  struct buffer *answer, struct admin_reply *reply_out);

/* The same for who runs the process, who may do everything. Returns the HTTP status. */
unsigned admin_operate(struct admin_context *context, struct slice method, struct slice path,
                       struct slice body, struct buffer *answer);

#endif
