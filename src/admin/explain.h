/* What would happen to a request, without calling anyone and without changing anything.
 *
 *   POST /admin/v1/explain {"key": K, "model"?: M, "route"?: "/v1/chat/completions", "body"?: {…},
 *                           "address"?: "10.0.0.7"}
 *
 * K is an id or a unique name; without a body it is a chat with one empty message; without an address
 * nobody asks whether the key may be used from there, and the answer says so. A body that is nested too
 * deeply is a problem of the request to explain itself. Thread: the store's. It needs the figures of a
 * running server: 503 without one. */
#ifndef ADMIN_EXPLAIN_H
#define ADMIN_EXPLAIN_H

struct operation;

unsigned explain_request(struct operation *operation);

#endif
