/* Making a connection to an endpoint: resolve, connect to the first address that answers, ask the
 * proxy for a tunnel, shake hands. */
#ifndef UPSTREAM_CONNECT_H
#define UPSTREAM_CONNECT_H

#include "upstream/endpoint.h"

/* Statuses of upstream_connection_get(). On any but STATUS_OK the socket is closed. */
MUST_CHECK enum status upstream_connect(struct upstream_endpoint *endpoint, struct socket *socket,
                                        struct reason *reason);

#endif
