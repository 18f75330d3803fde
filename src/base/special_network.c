#include "base/special_network.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cidr.h"

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))
/* An IPv4 network: its first bytes, and how many bits of them count. */
#define V4(a, b, c, d, bits) {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + (bits)}

static const struct special {
    struct cidr network;
    const char *name;
} specials[] = {
    {V4(0, 0, 0, 0, 8), "unspecified"},
    {V4(10, 0, 0, 0, 8), "private"},
    {V4(100, 64, 0, 0, 10), "carrier-grade NAT"},
    {V4(127, 0, 0, 0, 8), "loopback"},
    {V4(168, 63, 129, 16, 32), "cloud metadata"}, /* Azure's, though it looks public */
    {V4(169, 254, 0, 0, 16), "link-local"},       /* with 169.254.169.254 */
    {V4(172, 16, 0, 0, 12), "private"},
    {V4(192, 0, 0, 0, 24), "reserved"}, /* with 192.0.0.192, Oracle's metadata */
    {V4(192, 0, 2, 0, 24), "documentation"},
    {V4(192, 88, 99, 0, 24), "reserved"},
    {V4(192, 168, 0, 0, 16), "private"},
    {V4(198, 18, 0, 0, 15), "benchmarking"},
    {V4(198, 51, 100, 0, 24), "documentation"},
    {V4(203, 0, 113, 0, 24), "documentation"},
    {V4(224, 0, 0, 0, 4), "multicast"},
    {V4(240, 0, 0, 0, 4), "reserved"},
    {{{0}, 128}, "unspecified"},
    {{{[15] = 1}, 128}, "loopback"},
    {{{0}, 96}, "IPv4-compatible"},
    {{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, "local NAT64"},
    {{{0x01, 0x00}, 64}, "discard-only"},
    {{{0x20, 0x01}, 23}, "reserved"}, /* with Teredo, which leads to an IPv4 address unseen */
    {{{0x20, 0x01, 0x0d, 0xb8}, 32}, "documentation"},
    {{{0x3f, 0xff}, 20}, "documentation"},
    {{{0x5f, 0x00}, 16}, "segment routing"},
    {{{0xfc, 0x00}, 7}, "private"}, /* with fd00:ec2::254, Amazon's metadata */
    {{{0xfe, 0x80}, 10}, "link-local"},
    {{{0xfe, 0xc0}, 10}, "site-local"},
    {{{0xff, 0x00}, 8}, "multicast"},
};

/* Networks of IPv6 in whose addresses those of IPv4 stand, and where. */
static const struct wrapping {
    struct cidr network;
    size_t at;
} wrappings[] = {
    {{{0x20, 0x02}, 16}, 2},              /* 6to4, RFC 3056 */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12}, /* NAT64, RFC 6052 */
    {{{[8] = 0xff, [9] = 0xff}, 96}, 12}, /* SIIT, RFC 2765 */
};

void special_network_unwrap(const unsigned char address[16], unsigned char unwrapped_out[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    for (size_t i = 0; i < COUNT(wrappings); i++) {
        if (!cidr_contains(&wrappings[i].network, address))
            continue;
        memcpy(unwrapped_out, mapped, sizeof(mapped));
        memcpy(unwrapped_out + sizeof(mapped), address + wrappings[i].at, 4);
        return;
    }
    memcpy(unwrapped_out, address, 16);
}

struct slice special_network_of(const unsigned char address[16])
{
    unsigned char unwrapped[16];
    special_network_unwrap(address, unwrapped);
    for (size_t i = 0; i < COUNT(specials); i++) {
        if (cidr_contains(&specials[i].network, unwrapped))
            return slice_from_text(specials[i].name);
    }
    return (struct slice){0};
}
