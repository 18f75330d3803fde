#include "base/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_BITS 128u
#define IPV4_BITS    32u
/* Where the four bytes of an IPv4 address lie behind ::ffff: (RFC 4291 section 2.5.5.2). */
#define IPV4_AT 12u
/* So much of a text that is none is quoted. */
#define QUOTE_MAX 64

static const unsigned char ipv4_start[IPV4_AT] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const unsigned char address[16])
{
    return memcmp(address, ipv4_start, sizeof(ipv4_start)) == 0;
}

/* The address, and how many bits its notation has. */
static enum status parse_address(struct slice text, unsigned char address_out[16],
                                 unsigned *bits_out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.size == 0 || text.size >= sizeof(copy) || slice_find_byte(text, '\0') < text.size)
        return STATUS_INVALID;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(AF_INET6, copy, address_out) == 1) {
        *bits_out = ADDRESS_BITS;
        return STATUS_OK;
    }
    memcpy(address_out, ipv4_start, sizeof(ipv4_start));
    *bits_out = IPV4_BITS;
    return inet_pton(AF_INET, copy, address_out + IPV4_AT) == 1 ? STATUS_OK : STATUS_INVALID;
}

enum status cidr_parse_address(struct slice text, unsigned char address_out[16])
{
    unsigned bits;
    unsigned char address[16];
    const enum status status = parse_address(text, address, &bits);
    if (status == STATUS_OK)
        memcpy(address_out, address, sizeof(address));
    return status;
}

/* Decimal digits without a sign and without zeros in front. */
static enum status parse_prefix(struct slice text, unsigned bits, unsigned *prefix_out)
{
    uint64_t prefix;
    if (text.size > 3 || (text.size > 1 && text.data[0] == '0'))
        return STATUS_INVALID;
    if (slice_to_u64(text, &prefix) != STATUS_OK || prefix > bits)
        return STATUS_INVALID;
    *prefix_out = (unsigned)prefix;
    return STATUS_OK;
}

/* The bits of the byte at `at` that belong to the prefix. */
static unsigned char mask_at(unsigned prefix, unsigned at)
{
    if (prefix >= 8 * (at + 1))
        return 0xff;
    return prefix <= 8 * at ? 0 : (unsigned char)(0xff00u >> (prefix - 8 * at));
}

/* Clears the bits behind the prefix; whether there were any. */
static bool clear_rest(struct cidr *cidr)
{
    bool had_any = false;
    for (unsigned at = cidr->prefix / 8; at < sizeof(cidr->address); at++) {
        const unsigned char kept = cidr->address[at] & mask_at(cidr->prefix, at);
        had_any |= kept != cidr->address[at];
        cidr->address[at] = kept;
    }
    return had_any;
}

/* What can be shown of the text: it may hold anything. */
static struct slice quotable(struct slice text)
{
    size_t size = 0;
    while (size < text.size && size < QUOTE_MAX && text.data[size] > ' ' && text.data[size] < 0x7f)
        size++;
    return slice_of(text.data, size);
}

static enum status refuse(struct slice text, struct reason *reason)
{
    const struct slice quote = quotable(text);
    reason_set(reason,
               "'%.*s%s' is no network: write an address and the length of its prefix, as "
               "10.0.0.0/8 or 2001:db8::/32, or one address",
               SLICE_ARGS(quote), quote.size < text.size ? "..." : "");
    return STATUS_INVALID;
}

static enum status refuse_rest(struct slice text, const struct cidr *network, struct slice address,
                               struct reason *reason)
{
    char right[CIDR_TEXT_BYTES];
    (void)cidr_format(network, right);
    reason_set(reason,
               "'%.*s' has bits behind its prefix: write %s for the network, or %.*s for that one "
               "address",
               SLICE_ARGS(text), right, SLICE_ARGS(address));
    return STATUS_INVALID;
}

enum status cidr_parse(struct slice text, struct cidr *cidr_out, struct reason *reason)
{
    struct cidr cidr;
    unsigned bits, prefix;
    const size_t slash = slice_find_byte(text, '/');
    const struct slice address = slice_of(text.data, slash);
    if (parse_address(address, cidr.address, &bits) != STATUS_OK)
        return refuse(text, reason);
    prefix = bits;
    if (slash < text.size && parse_prefix(slice_from(text, slash + 1), bits, &prefix) != STATUS_OK)
        return refuse(text, reason);
    cidr.prefix = (uint8_t)(prefix + ADDRESS_BITS - bits);
    if (clear_rest(&cidr))
        return refuse_rest(text, &cidr, address, reason);
    *cidr_out = cidr;
    return STATUS_OK;
}

bool cidr_contains(const struct cidr *cidr, const unsigned char address[16])
{
    const unsigned whole = cidr->prefix / 8;
    if (memcmp(cidr->address, address, whole) != 0)
        return false;
    return whole == sizeof(cidr->address) ||
           (address[whole] & mask_at(cidr->prefix, whole)) == cidr->address[whole];
}

unsigned cidr_format(const struct cidr *cidr, char text_out[CIDR_TEXT_BYTES])
{
    const bool ipv4 = cidr->prefix >= 8 * IPV4_AT && is_ipv4(cidr->address);
    const void *address = ipv4 ? cidr->address + IPV4_AT : cidr->address;
    (void)inet_ntop(ipv4 ? AF_INET : AF_INET6, address, text_out, INET6_ADDRSTRLEN);
    size_t size = strlen(text_out);
    if (cidr->prefix < ADDRESS_BITS)
        size += (size_t)snprintf(text_out + size, CIDR_TEXT_BYTES - size, "/%u",
                                 ipv4 ? cidr->prefix - 8 * IPV4_AT : cidr->prefix);
    return (unsigned)size;
}
