/* The header of a proxy that says for whom it opened a connection: versions 1 (a line) and 2 (binary)
 * of "The PROXY protocol", a specification of HAProxy, sections 2.1 and 2.2.
 *
 * It stands before all other bytes of a connection, before TLS too.
 * Thread: any; pure. Memory: nothing is kept. */
#ifndef HTTP_PROXY_HEADER_H
#define HTTP_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "io/address.h"

/* More than a header of either version may have, as the specification recommends: version 1 has at
 * most 107, version 2 a fixed part of 16 and here at most 520 behind it. */
#define PROXY_HEADER_BYTES_MAX 536

struct proxy_header {
    size_t size;           /* bytes of the header */
    bool has_source;       /* false: the connection is the proxy's own, or of a family that has no
                            * internet address: it stays the peer's */
    struct address source; /* the client, with its port */
};

/* Reads the header at the start of `bytes`, which may hold more. Called again with all bytes from the
 * start when there are more.
 * STATUS_NOT_FOUND: they do not begin with one. STATUS_AGAIN: so far they might; at
 * PROXY_HEADER_BYTES_MAX bytes it is never said. STATUS_PROTOCOL: they do, and it is malformed; the
 * reason says how. */
MUST_CHECK enum status proxy_header_parse(struct slice bytes, struct proxy_header *header_out,
                                          struct reason *reason);

#endif
