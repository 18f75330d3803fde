/* Who the client is where proxies stand between: X-Forwarded-For, as far as it can be believed.
 *
 * Each proxy appends the address that it was called from. So the field is read from its end: an
 * address that a trusted proxy wrote is right, and if it is a trusted proxy's itself, so is the one
 * before it. What stands left of the first untrusted address may be anybody's invention.
 *
 * Thread: any; pure. */
#ifndef HTTP_CLIENT_ADDRESS_H
#define HTTP_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cidr.h"
#include "http/head.h"

/* Addresses of one request that are looked at: more proxies in a row are none of anybody's. */
#define HTTP_HOPS_MAX 32

/* The proxies that are believed; borrowed. */
struct http_trust {
    const struct cidr *networks;
    size_t count;
};

/* An IPv4 address is ::ffff:a.b.c.d, here and below. */
bool http_trust_contains(const struct http_trust *trust, const unsigned char address[16]);

/* `address` is the peer's and becomes the client's. It stays the peer's if that is not trusted; at
 * an item that is no address, the last one that was believed holds. Items may have a port. */
void http_client_address_find(const struct http_trust *trust, const struct http_fields *fields,
                              unsigned char address[16]);

#endif
