/* What a trusted proxy says at the start of a connection: for whom it opened it. Part of server.h. */
#ifndef HTTP_PROXIED_H
#define HTTP_PROXIED_H

#include "http/server.h"

/* Reads the proxy's header, if the connection begins with one, and nothing behind it. From then on
 * the connection's peer is the client that it names, and counts for its address. Waits.
 * STATUS_PROTOCOL: it is malformed, the reason says how; STATUS_LIMITED: the client's address has as
 * many connections as it may; statuses of socket waits. */
MUST_CHECK enum status http_proxied_begin(struct http_connection *connection,
                                          struct reason *reason);

#endif
