#include "gateway/guard.h"

#include <string.h>

#include "config/guard.h"

/* The 16 bytes of base/cidr.h. */
static void bytes_of(const struct address *address, unsigned char bytes_out[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address->socket.any.sa_family == AF_INET) {
        memcpy(bytes_out, mapped, sizeof(mapped));
        memcpy(bytes_out + sizeof(mapped), &address->socket.v4.sin_addr, 4);
    } else {
        memcpy(bytes_out, &address->socket.v6.sin6_addr, 16);
    }
}

bool guard_may_connect(const void *networks, const struct address *address, struct reason *reason)
{
    unsigned char bytes[16];
    char text[ADDRESS_TEXT_BYTES];
    struct slice sort;
    bytes_of(address, bytes);
    if (config_guard_allows(networks, bytes, &sort))
        return true;
    address_format(address, text);
    reason_set(reason,
               "%s is no public address (%.*s), and admin.allowed_networks does not allow it to "
               "providers that the API added",
               text, SLICE_ARGS(sort));
    return false;
}
