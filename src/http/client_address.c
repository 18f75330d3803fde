#include "http/client_address.h"

#include <string.h>

struct walk {
    const struct http_trust *trust;
    unsigned char *address; /* the last one that was believed; it is trusted */
    unsigned hops;
};

bool http_trust_contains(const struct http_trust *trust, const unsigned char address[16])
{
    for (size_t i = 0; i < trust->count; i++) {
        if (cidr_contains(&trust->networks[i], address))
            return true;
    }
    return false;
}

static bool is_port(struct slice text)
{
    uint64_t port;
    return slice_to_u64(text, &port) == STATUS_OK && port <= UINT16_MAX;
}

/* An IPv6 address, perhaps between brackets and then with a port; or an IPv4 address, perhaps with
 * a port. */
static bool parse_item(struct slice item, unsigned char address[16])
{
    if (item.size > 0 && item.data[0] == '[') {
        const size_t end = slice_find_byte(item, ']');
        if (end == item.size)
            return false;
        const struct slice rest = slice_from(item, end + 1);
        if (rest.size > 0 && (rest.data[0] != ':' || !is_port(slice_from(rest, 1))))
            return false;
        return cidr_parse_address(slice_of(item.data + 1, end - 1), address) == STATUS_OK;
    }
    const size_t colon = slice_find_byte(item, ':');
    const bool has_port = slice_find_byte(item, '.') < colon && colon < item.size;
    if (has_port && !is_port(slice_from(item, colon + 1)))
        return false;
    return cidr_parse_address(has_port ? slice_of(item.data, colon) : item, address) == STATUS_OK;
}

/* False: the walk is over. */
static bool take_item(struct walk *walk, struct slice item)
{
    unsigned char address[16];
    if (++walk->hops > HTTP_HOPS_MAX)
        return false;
    if (item.size == 0) /* empty items of a list are ignored (RFC 9110 section 5.6.1.2) */
        return true;
    if (!parse_item(item, address))
        return false;
    memcpy(walk->address, address, sizeof(address));
    return http_trust_contains(walk->trust, address);
}

/* From the end of one line's list. */
static bool take_line(struct walk *walk, struct slice list)
{
    for (;;) {
        size_t start = list.size;
        while (start > 0 && list.data[start - 1] != ',')
            start--;
        if (!take_item(walk, slice_trim(slice_from(list, start))))
            return false;
        if (start == 0)
            return true;
        list.size = start - 1;
    }
}

void http_client_address_find(const struct http_trust *trust, const struct http_fields *fields,
                              unsigned char address[16])
{
    struct walk walk = {trust, address, 0};
    if (!http_fields_has(fields, HTTP_HEADER_X_FORWARDED_FOR) ||
        !http_trust_contains(trust, address))
        return;
    for (size_t i = fields->count; i > 0; i--) {
        const struct http_header *field = &fields->items[i - 1];
        if (field->id == HTTP_HEADER_X_FORWARDED_FOR && !take_line(&walk, field->value))
            return;
    }
}
