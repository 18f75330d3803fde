/* From an HTTP exchange to a route's handler, and back to the settled request. */
#ifndef GATEWAY_DISPATCH_H
#define GATEWAY_DISPATCH_H

struct http_exchange;

/* The `handle` and `refuse` of http/server.h; `context` is the worker. */
void dispatch_handle(struct http_exchange *exchange, void *context);
void dispatch_refuse(struct http_exchange *exchange, unsigned http_status, const char *reason,
                     void *context);

#endif
