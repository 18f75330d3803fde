/* Socket addresses: numeric text to and from the kernel's form. No name is looked up here. */
#ifndef IO_ADDRESS_H
#define IO_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/slice.h"
#include "base/status.h"

struct address {
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
};

/* Bytes of the longest numeric address, IPv6 with a zone, and its final zero. */
#define ADDRESS_TEXT_BYTES 64

/* `host` is a numeric IPv4 or IPv6 address without brackets. STATUS_INVALID: it is neither. */
MUST_CHECK enum status address_parse(struct slice host, uint16_t port, struct address *address_out);

/* The address without its port; IPv4 in IPv6 is shown as IPv4. A Unix socket gives "unix". */
void address_format(const struct address *address, char text_out[ADDRESS_TEXT_BYTES]);

/* Its 16 bytes, IPv4 as ::ffff:a.b.c.d. False: it has none (a Unix socket). */
bool address_to_bytes(const struct address *address, unsigned char bytes_out[16]);

bool address_is_loopback(const struct address *address);

/* From what accept(2) or getaddrinfo gave; sizes that do not fit give an empty address. */
struct address address_from(const struct sockaddr *socket, socklen_t size);

#endif
