/* Any bytes at the start of a connection, as a PROXY header. It should reach: both versions, each
 * family, additional fields and checksums.
 *
 * What must hold: the result of the whole is that of the first of its parts that says anything but
 * "more is wanted"; a header has a size within its bounds and its bytes; who is named has an address;
 * what follows a header changes nothing. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "http/proxy_header.h"

static bool is_same(const struct proxy_header *a, const struct proxy_header *b)
{
    return a->size == b->size && a->has_source == b->has_source &&
           (!a->has_source || memcmp(&a->source.socket, &b->source.socket, a->source.size) == 0);
}

static void check_header(const struct proxy_header *header, size_t size)
{
    char text[ADDRESS_TEXT_BYTES];
    ASSERT(header->size >= 15 && header->size <= PROXY_HEADER_BYTES_MAX && header->size <= size);
    if (!header->has_source)
        return;
    ASSERT(header->source.size == sizeof(struct sockaddr_in) ||
           header->source.size == sizeof(struct sockaddr_in6));
    address_format(&header->source, text);
    ASSERT(strcmp(text, "unix") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole, part;
    struct reason reason;
    const enum status status = proxy_header_parse(slice_of(data, size), &whole, &reason);
    enum status so_far = STATUS_AGAIN;
    ASSERT(status != STATUS_AGAIN || size < PROXY_HEADER_BYTES_MAX);
    for (size_t seen = 0; seen <= size && so_far == STATUS_AGAIN; seen++)
        so_far = proxy_header_parse(slice_of(data, seen), &part, NULL);
    ASSERT(so_far == status);
    if (status != STATUS_OK)
        return 0;
    check_header(&whole, size);
    ASSERT(is_same(&whole, &part));
    ASSERT(proxy_header_parse(slice_of(data, whole.size), &part, NULL) == STATUS_OK);
    ASSERT(is_same(&whole, &part));
    return 0;
}
