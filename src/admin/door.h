/* A listener of the control thread, and what it gives access to. Private to the server. */
#ifndef ADMIN_DOOR_H
#define ADMIN_DOOR_H

#include <stdbool.h>

#include "admin/server.h"
#include "http/exchange.h"
#include "identity/key_hasher.h"
#include "io/listener.h"

enum access {
    ACCESS_SOCKET, /* everything: whoever can open the file is the administrator */
    ACCESS_API, /* what the token allows; /metrics too, without one where only this machine gets in */
    ACCESS_METRICS, /* /metrics */
};

struct door {
    struct listener listener;
    struct http_server server;
    const struct admin_server_config *config; /* the server's */
    struct key_hasher *hasher;                /* the server's; the control thread's own */
    enum access access;
    bool is_loopback; /* an address that nobody else reaches */
    struct tls_context *tls;
};

/* Answers a request that came in by the door, `context`; and one that is malformed. See
 * struct http_server_hooks. */
void api_handle(struct http_exchange *exchange, void *context);
void api_refuse(struct http_exchange *exchange, unsigned http_status, const char *reason,
                void *context);

#endif
