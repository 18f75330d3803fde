#include "http/proxied.h"

#include "http/proxy_header.h"
#include "http/shared.h"

/* STATUS_NOT_FOUND: the connection begins with something else. The bytes are only looked at: what is
 * not the header's is TLS's, or the first request's. */
static enum status look_for_header(struct http_connection *connection, struct proxy_header *header,
                                   size_t *seen_out, struct reason *reason)
{
    char bytes[PROXY_HEADER_BYTES_MAX];
    struct http_server *server = connection->server;
    const uint64_t deadline_ms = loop_deadline(server->loop, server->limits.header_ms);
    enum status status = STATUS_AGAIN;
    *seen_out = 0;
    while (status == STATUS_AGAIN) {
        status = socket_peek(&connection->socket, bytes, sizeof(bytes), *seen_out, deadline_ms,
                             seen_out);
        if (status == STATUS_OK)
            status = proxy_header_parse(slice_of(bytes, *seen_out), header, reason);
    }
    return status;
}

enum status http_proxied_begin(struct http_connection *connection, struct reason *reason)
{
    struct proxy_header header;
    size_t seen;
    enum status status = look_for_header(connection, &header, &seen, reason);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = socket_drop(&connection->socket, header.size, seen);
    if (status != STATUS_OK || !header.has_source)
        return status;
    if (!http_shared_enter_address(connection->server->shared, &header.source))
        return STATUS_LIMITED;
    connection->peer = header.source;
    connection->counts_address = true;
    return STATUS_OK;
}
