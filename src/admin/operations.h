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
#include "base/buffer.h"
#include "base/slice.h"

#define ADMIN_BODY_BYTES_MAX   65536   /* of a request */
#define ADMIN_ANSWER_BYTES_MAX 8388608 /* what a page of a list can come to at most */

/* Does what `method` and `path` (with its query, percent-encoded) ask for and writes the answer,
 * always a JSON object, to `answer`, which is empty and holds ADMIN_ANSWER_BYTES_MAX. Returns the
 * HTTP status; from 400 on the answer's type is application/problem+json.
 *
 *   POST   /admin/v1/users                 {"name"} -> 201
 *   GET    /admin/v1/users                 ?limit=&after= -> {"items":[...],"next":null or an id}
 *   GET    /admin/v1/users/U               U, K: an id or a unique name
 *   POST   /admin/v1/users/U/disable, /enable
 *   DELETE /admin/v1/users/U               with its keys
 *   POST   /admin/v1/keys                  {"user", "name"?, "models"?, "expires"?, "key"?} -> 201
 *   GET    /admin/v1/keys                  ?user=U&limit=&after=
 *   GET    /admin/v1/keys/K
 *   PATCH  /admin/v1/keys/K                {"name"?, "models"?, "expires"?}
 *   POST   /admin/v1/keys/K/revoke, /disable, /enable
 *   GET    /admin/v1/usage                 ?by=&since=&until= -> {"by","since","until","items":[...],
 *                                          "rest","total"}; see admin/usage_query.h, usage_line.h
 *   GET    /admin/v1/prices                -> {"items":[...],"next":null}; see admin/price_item.h
 *   POST   /admin/v1/prices                {"provider","model","from"?,"prices"}
 *   DELETE /admin/v1/prices                ?provider=&model=&from=
 *   GET    /admin/v1/prices/MODEL          what holds now for each target that may serve it
 *   POST   /admin/v1/prices/rerate         {"since","until","apply"?}: see rerate_operations.c
 *
 * `models` is an array of patterns, or null for all; `expires` a duration from now ("90d"), an
 * RFC 3339 time, or null for never; `key` an application's existing secret. The answer of a
 * created key has the secret in `key`; nothing else ever shows it. */
unsigned admin_operate(struct admin_context *context, struct slice method, struct slice path,
                       struct slice body, struct buffer *answer);

#endif
