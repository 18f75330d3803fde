#include "config/address.h"

#include <arpa/inet.h>

enum status config_ip_parse(struct slice text, struct config_ip *ip_out)
{
    char copy[INET6_ADDRSTRLEN];
    struct config_ip ip = {.size = 4};
    if (text.size == 0 || text.size >= sizeof(copy) || slice_find_byte(text, '\0') < text.size)
        return STATUS_INVALID;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(AF_INET, copy, ip.bytes) != 1) {
        ip.size = 16;
        if (inet_pton(AF_INET6, copy, ip.bytes) != 1)
            return STATUS_INVALID;
    }
    *ip_out = ip;
    return STATUS_OK;
}

/* Splits at the last colon; an IPv6 host stands in brackets. */
static enum status split(struct slice text, struct slice *host_out, struct slice *port_out)
{
    size_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return STATUS_INVALID;
    *port_out = slice_from(text, colon);
    struct slice host = slice_of(text.data, colon - 1);
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = slice_of(host.data + 1, host.size - 2);
    else if (slice_find_byte(host, ':') < host.size)
        return STATUS_INVALID;
    *host_out = host;
    return STATUS_OK;
}

/* A name, "*" as some programs write for all addresses, or nothing; not a mistyped number. */
static bool is_name(struct slice host)
{
    for (size_t i = 0; i < host.size; i++) {
        const char byte = host.data[i];
        const bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (is_letter || byte == '*')
            return true;
    }
    return host.size == 0;
}

enum status config_address_parse(struct slice text, struct config_address *address_out)
{
    struct config_address address;
    struct slice port_text;
    uint64_t port;
    if (split(text, &address.host, &port_text) != STATUS_OK ||
        slice_to_u64(port_text, &port) != STATUS_OK || port > UINT16_MAX)
        return STATUS_INVALID;
    if (slice_equal_nocase(address.host, SLICE("localhost")))
        address.host = SLICE("127.0.0.1");
    if (config_ip_parse(address.host, &address.ip) != STATUS_OK)
        return is_name(address.host) ? STATUS_NOT_FOUND : STATUS_INVALID;
    if ((address.ip.size == 16) != (text.data[0] == '['))
        return STATUS_INVALID; /* brackets are for IPv6, and only for that */
    address.port = (uint16_t)port;
    *address_out = address;
    return STATUS_OK;
}

bool config_ip_is_loopback(const struct config_ip *ip)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char loopback[16] = {[15] = 1};
    if (ip->size == 4)
        return ip->bytes[0] == 127;
    return ip->size == 16 && (memcmp(ip->bytes, loopback, 16) == 0 ||
                              (memcmp(ip->bytes, mapped, 12) == 0 && ip->bytes[12] == 127));
}

bool config_address_equal(const struct config_address *a, const struct config_address *b)
{
    return a->port == b->port && a->ip.size == b->ip.size &&
           memcmp(a->ip.bytes, b->ip.bytes, a->ip.size) == 0;
}

static bool bit_is_set(const struct config_ip *ip, unsigned bit)
{
    return (ip->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

enum status config_cidr_parse(struct slice text, struct config_cidr *cidr_out)
{
    const size_t slash = slice_find_byte(text, '/');
    struct config_cidr cidr;
    uint64_t bits;
    if (config_ip_parse(slice_of(text.data, slash), &cidr.ip) != STATUS_OK)
        return STATUS_INVALID;
    bits = cidr.ip.size * 8;
    if (slash < text.size &&
        (slice_to_u64(slice_from(text, slash + 1), &bits) != STATUS_OK || bits > cidr.ip.size * 8))
        return STATUS_INVALID;
    cidr.prefix_bits = (unsigned)bits;
    for (unsigned bit = cidr.prefix_bits; bit < cidr.ip.size * 8; bit++) {
        if (bit_is_set(&cidr.ip, bit))
            return STATUS_INVALID;
    }
    *cidr_out = cidr;
    return STATUS_OK;
}

bool config_cidr_contains(const struct config_cidr *cidr, const struct config_ip *ip)
{
    if (cidr->ip.size != ip->size)
        return false;
    for (unsigned bit = 0; bit < cidr->prefix_bits; bit++) {
        if (bit_is_set(&cidr->ip, bit) != bit_is_set(ip, bit))
            return false;
    }
    return true;
}
