/* What would happen to a request, without calling anyone and without changing anything.
 *
 *   POST /admin/v1/explain {"key": K, "model"?: M, "route"?: "/v1/chat/completions", "body"?: {…}}
 *
 * K is an id or a unique name; without a body it is a chat with one empty message. Thread: the
 * store's. It needs the figures of a running server: 503 without one. */
#ifndef ADMIN_EXPLAIN_H
#define ADMIN_EXPLAIN_H

struct operation;

unsigned explain_request(struct operation *operation);

#endif
