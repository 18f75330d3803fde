/* What all loops of the process share: bounds on connections, and a thread. See http/server.h.
 *
 * Thread: any. */
#ifndef HTTP_SHARED_H
#define HTTP_SHARED_H

#include "http/server.h"
#include "io/address.h"
#include "io/service.h"

enum http_entry {
    HTTP_ENTRY_OK,
    HTTP_ENTRY_FULL,
    HTTP_ENTRY_ADDRESS_FULL,
};

/* Counts a connection, if the bounds allow it. One from a Unix socket is always let in. */
enum http_entry http_shared_enter(struct http_shared *shared, const struct address *peer);
/* Counts it out again. */
void http_shared_leave(struct http_shared *shared, const struct address *peer);
/* Counts a connection of a trusted proxy, whose own address has no bound. */
enum http_entry http_shared_enter_proxy(struct http_shared *shared);
void http_shared_leave_proxy(struct http_shared *shared);
/* The proxy said for whom: from now on the connection counts as one of that address, and leaves by
 * http_shared_leave(). False: as many are open as may be; nothing was counted. */
bool http_shared_enter_address(struct http_shared *shared, const struct address *client);
uint32_t http_shared_count(const struct http_shared *shared);

/* The thread for what would hold up a loop. The first call starts it; it ends with `shared`.
 * STATUS_NO_MEMORY: it could not be started. */
MUST_CHECK enum status http_shared_service(struct http_shared *shared,
                                           struct service **service_out);

#endif
