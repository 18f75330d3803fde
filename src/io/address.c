#include "io/address.h"

#include <arpa/inet.h>
#include <stdio.h>

enum status address_parse(struct slice host, uint16_t port, struct address *address_out)
{
    char text[ADDRESS_TEXT_BYTES];
    if (host.size == 0 || host.size >= sizeof(text))
        return STATUS_INVALID;
    memcpy(text, host.data, host.size);
    text[host.size] = '\0';

    struct address address = {0};
    if (inet_pton(AF_INET, text, &address.socket.v4.sin_addr) == 1) {
        address.socket.v4.sin_family = AF_INET;
        address.socket.v4.sin_port = htons(port);
        address.size = sizeof(address.socket.v4);
    } else if (inet_pton(AF_INET6, text, &address.socket.v6.sin6_addr) == 1) {
        address.socket.v6.sin6_family = AF_INET6;
        address.socket.v6.sin6_port = htons(port);
        address.size = sizeof(address.socket.v6);
    } else {
        return STATUS_INVALID;
    }
    *address_out = address;
    return STATUS_OK;
}

void address_format(const struct address *address, char text_out[ADDRESS_TEXT_BYTES])
{
    const struct in6_addr *v6 = &address->socket.v6.sin6_addr;
    const char *text = NULL;
    if (address->size > 0 && address->socket.any.sa_family == AF_INET)
        text = inet_ntop(AF_INET, &address->socket.v4.sin_addr, text_out, ADDRESS_TEXT_BYTES);
    else if (address->size > 0 && address->socket.any.sa_family == AF_INET6)
        text = IN6_IS_ADDR_V4MAPPED(v6)
                   ? inet_ntop(AF_INET, v6->s6_addr + 12, text_out, ADDRESS_TEXT_BYTES)
                   : inet_ntop(AF_INET6, v6, text_out, ADDRESS_TEXT_BYTES);
    if (text == NULL)
        snprintf(text_out, ADDRESS_TEXT_BYTES, "unix");
}

bool address_to_bytes(const struct address *address, unsigned char bytes_out[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address->size == 0)
        return false;
    if (address->socket.any.sa_family == AF_INET) {
        memcpy(bytes_out, mapped, sizeof(mapped));
        memcpy(bytes_out + sizeof(mapped), &address->socket.v4.sin_addr, 4);
    } else {
        memcpy(bytes_out, &address->socket.v6.sin6_addr, 16);
    }
    return true;
}

bool address_is_loopback(const struct address *address)
{
    const struct in6_addr *v6 = &address->socket.v6.sin6_addr;
    if (address->size == 0)
        return false;
    if (address->socket.any.sa_family == AF_INET)
        return ntohl(address->socket.v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

struct address address_from(const struct sockaddr *socket, socklen_t size)
{
    struct address address = {0};
    if (size <= sizeof(address.socket) &&
        (socket->sa_family == AF_INET || socket->sa_family == AF_INET6)) {
        memcpy(&address.socket, socket, size);
        address.size = size;
    }
    return address;
}
