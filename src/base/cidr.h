/* Networks in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3).
 *
 * Addresses have 16 bytes; an IPv4 address a.b.c.d is ::ffff:a.b.c.d, so that both sorts are
 * compared in one way.
 * Thread: any; pure. */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

struct cidr {
    unsigned char address[16]; /* bits behind the prefix are zero */
    uint8_t prefix;            /* 0 to 128; of IPv4 96 to 128 */
};

#define CIDR_TEXT_BYTES 64

/* "10.0.0.0/8", "2001:db8::/32", or one address. Bits behind the prefix must be zero, so that a
 * mistyped network is noticed. STATUS_INVALID: the reason quotes it and says what would be right. */
MUST_CHECK enum status cidr_parse(struct slice text, struct cidr *cidr_out, struct reason *reason);
/* One address without a prefix. STATUS_INVALID. */
MUST_CHECK enum status cidr_parse_address(struct slice text, unsigned char address_out[16]);
bool cidr_contains(const struct cidr *cidr, const unsigned char address[16]);
/* The text that parses to the same; of IPv4 in its own form. Returns its length. */
unsigned cidr_format(const struct cidr *cidr, char text_out[CIDR_TEXT_BYTES]);

#endif
