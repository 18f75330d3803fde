/* The bounds on connections that all loops of the process share. See http/server.h.
 *
 * Thread: any. */
#ifndef HTTP_SHARED_H
#define HTTP_SHARED_H

#include "http/server.h"
#include "io/address.h"

enum http_entry {
    HTTP_ENTRY_OK,
    HTTP_ENTRY_FULL,
    HTTP_ENTRY_ADDRESS_FULL,
};

/* Counts a connection, if the bounds allow it. One from a Unix socket is always let in. */
enum http_entry http_shared_enter(struct http_shared *shared, const struct address *peer);
/* Counts it out again. */
void http_shared_leave(struct http_shared *shared, const struct address *peer);
uint32_t http_shared_count(const struct http_shared *shared);

#endif
