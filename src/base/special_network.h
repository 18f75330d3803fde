/* Addresses that are not of the public Internet: this machine, private networks, those that the IANA
 * registries of special-purpose addresses (RFC 6890 and its updates) set aside, and the services of
 * clouds that tell a machine its credentials.
 *
 * Addresses have 16 bytes as in base/cidr.h. Thread: any; pure. */
#ifndef BASE_SPECIAL_NETWORK_H
#define BASE_SPECIAL_NETWORK_H

#include "base/slice.h"

/* What sort of network the address belongs to, such as "private"; empty: the public Internet. An IPv4
 * address within an IPv6 one (6to4, NAT64, IPv4-compatible) is judged as what it leads to. */
struct slice special_network_of(const unsigned char address[16]);

/* The IPv4 address that an address of IPv6 leads to, in the mapped form; any other as it is. */
void special_network_unwrap(const unsigned char address[16], unsigned char unwrapped_out[16]);

#endif
