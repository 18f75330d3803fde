/* Numeric addresses, with and without a port, and networks. Nothing here asks DNS.
 *
 * Thread: any. Memory: results that hold slices borrow the text they were read from. */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* An IPv4 or IPv6 address in network byte order. */
struct config_ip {
    unsigned char bytes[16]; /* the first `size` of them */
    unsigned size;           /* 4 or 16; 0: no address */
};

struct config_address {
    struct slice host; /* without brackets; with a final zero inside a snapshot */
    struct config_ip ip;
    uint16_t port;
};

/* A network such as 10.0.0.0/8. */
struct config_cidr {
    struct config_ip ip; /* bits beyond prefix_bits are zero */
    unsigned prefix_bits;
};

/* Reads "127.0.0.1" or "::1" (no brackets, no zone). STATUS_INVALID otherwise. */
MUST_CHECK enum status config_ip_parse(struct slice text, struct config_ip *ip_out);

/* Reads "127.0.0.1:8000", "[::1]:8000" or "localhost:8000", which is 127.0.0.1; port 0 is let
 * through. STATUS_INVALID: no such address; STATUS_NOT_FOUND: the host is a name, or missing. */
MUST_CHECK enum status config_address_parse(struct slice text, struct config_address *address_out);

/* Whether only this machine reaches the address: 127.0.0.0/8, ::1 or ::ffff:127.0.0.0/104. */
bool config_ip_is_loopback(const struct config_ip *ip);
bool config_address_equal(const struct config_address *a, const struct config_address *b);

/* Reads "10.0.0.0/8", "fd00::/8", or an address alone, which is a network of one. Bits beyond
 * the prefix must be zero. STATUS_INVALID otherwise. */
MUST_CHECK enum status config_cidr_parse(struct slice text, struct config_cidr *cidr_out);
bool config_cidr_contains(const struct config_cidr *cidr, const struct config_ip *ip);

#endif
