#include "http/proxy_header.h"

#include <string.h>

#include "base/crc32c.h"

#define LINE_BYTES_MAX 107 /* of version 1, with its CR LF */

/* Of version 2: signature, version and command, family and protocol, length (2 bytes). */
#define COMMAND_AT      12
#define FAMILY_AT       13
#define LENGTH_AT       14
#define FIXED_BYTES     16

#define COMMAND_LOCAL   0x20
#define COMMAND_PROXY   0x21
#define FAMILY_INET     1
#define FAMILY_INET6    2
#define FAMILY_UNIX     3
#define PROTOCOL_STREAM 1
#define PROTOCOL_MAX    2

#define TLV_BYTES       3 /* type and length (2 bytes) */
#define TLV_CRC32C      0x03

static const struct slice line_start = {"PROXY ", 6};
static const struct slice signature = {"\r\n\r\n\0\r\nQUIT\n", 12};

static enum status refuse(struct reason *reason, const char *why)
{
    reason_set(reason, "%s", why);
    return STATUS_PROTOCOL;
}

/* --- Version 1: PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 CR LF -------------------------------- */

#define WORDS_MAX 6

/* Cuts the line at its spaces; more than WORDS_MAX words are WORDS_MAX + 1. */
static size_t split(struct slice line, struct slice words[WORDS_MAX])
{
    size_t count = 0;
    for (;;) {
        const size_t end = slice_find_byte(line, ' ');
        if (count == WORDS_MAX)
            return WORDS_MAX + 1;
        words[count++] = slice_of(line.data, end);
        if (end == line.size)
            return count;
        line = slice_from(line, end + 1);
    }
}

static bool parse_port(struct slice text, uint16_t *port_out)
{
    uint64_t port;
    const bool is_padded = text.size > 1 && text.data[0] == '0';
    if (text.size > 5 || is_padded || slice_to_u64(text, &port) != STATUS_OK || port > UINT16_MAX)
        return false;
    *port_out = (uint16_t)port;
    return true;
}

/* Both ends must be sound, though only the source is used: half a line is none. */
static bool parse_ends(const struct slice words[WORDS_MAX], int family, struct address *source)
{
    struct address destination;
    uint16_t source_port, destination_port;
    return parse_port(words[4], &source_port) && parse_port(words[5], &destination_port) &&
           address_parse(words[2], source_port, source) == STATUS_OK &&
           address_parse(words[3], destination_port, &destination) == STATUS_OK &&
           source->socket.any.sa_family == family && destination.socket.any.sa_family == family;
}

static enum status parse_words(struct slice line, struct proxy_header *header,
                               struct reason *reason)
{
    struct slice words[WORDS_MAX] = {{0}};
    const size_t count = split(line, words);
    if (slice_equal(words[1], SLICE("UNKNOWN"))) /* what follows it is ignored */
        return STATUS_OK;
    const bool is_v4 = slice_equal(words[1], SLICE("TCP4"));
    if (!is_v4 && !slice_equal(words[1], SLICE("TCP6")))
        return refuse(reason, "its family is none of TCP4, TCP6 and UNKNOWN");
    if (count != WORDS_MAX)
        return refuse(reason, "two addresses and two ports are wanted");
    if (!parse_ends(words, is_v4 ? AF_INET : AF_INET6, &header->source))
        return refuse(reason, "an address or a port is malformed");
    header->has_source = true;
    return STATUS_OK;
}

static enum status parse_line(struct slice bytes, struct proxy_header *header,
                              struct reason *reason)
{
    const size_t shown = bytes.size < LINE_BYTES_MAX ? bytes.size : LINE_BYTES_MAX;
    const size_t end = slice_find_byte(slice_of(bytes.data, shown), '\r');
    if (end + 1 < shown) {
        header->size = end + 2;
        return bytes.data[end + 1] == '\n' ? parse_words(slice_of(bytes.data, end), header, reason)
                                           : refuse(reason, "a CR stands without its LF");
    }
    return shown == LINE_BYTES_MAX ? refuse(reason, "its line is longer than 107 bytes")
                                   : STATUS_AGAIN;
}

/* --- Version 2 ------------------------------------------------------------------------------------ */

static unsigned byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.data[at];
}

static size_t u16_at(struct slice bytes, size_t at)
{
    return (size_t)byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

/* Source and destination, then their ports. */
static void take_source(struct slice header, unsigned family, struct address *source)
{
    const char *at = header.data + FIXED_BYTES;
    *source = (struct address){0};
    if (family == FAMILY_INET) {
        source->size = sizeof(source->socket.v4);
        source->socket.v4.sin_family = AF_INET;
        memcpy(&source->socket.v4.sin_addr, at, 4);
        memcpy(&source->socket.v4.sin_port, at + 8, 2);
    } else {
        source->size = sizeof(source->socket.v6);
        source->socket.v6.sin6_family = AF_INET6;
        memcpy(&source->socket.v6.sin6_addr, at, 16);
        memcpy(&source->socket.v6.sin6_port, at + 32, 2);
    }
}

/* The checksum is of the whole header, with its own four bytes as zeros. */
static bool is_checksum_right(struct slice header, size_t at)
{
    static const char zeros[4];
    uint32_t crc = crc32c(0, header.data, at);
    crc = crc32c(crc, zeros, sizeof(zeros));
    crc = crc32c(crc, header.data + at + 4, header.size - at - 4);
    return crc == (uint32_t)(u16_at(header, at) << 16 | u16_at(header, at + 2));
}

/* Additional fields: nothing of them is used but the checksum. */
static enum status check_fields(struct slice header, size_t at, struct reason *reason)
{
    while (at < header.size) {
        if (header.size - at < TLV_BYTES)
            return refuse(reason, "an additional field is cut off");
        const unsigned type = byte_at(header, at);
        const size_t size = u16_at(header, at + 1);
        at += TLV_BYTES;
        if (size > header.size - at)
            return refuse(reason, "an additional field is longer than the header");
        if (type == TLV_CRC32C && (size != 4 || !is_checksum_right(header, at)))
            return refuse(reason, "its checksum is wrong");
        at += size;
    }
    return STATUS_OK;
}

/* Of a command PROXY. The families and protocols that are not assigned are to be refused. */
static enum status parse_addresses(struct slice bytes, struct proxy_header *header,
                                   struct reason *reason)
{
    static const size_t sizes[] = {0, 12, 36, 216};
    const unsigned family = byte_at(bytes, FAMILY_AT) >> 4;
    const unsigned protocol = byte_at(bytes, FAMILY_AT) & 0x0f;
    if (family > FAMILY_UNIX || protocol > PROTOCOL_MAX)
        return refuse(reason, "its address family or protocol is not assigned");
    if (header->size - FIXED_BYTES < sizes[family])
        return refuse(reason, "its length leaves no room for its addresses");
    header->has_source =
        protocol == PROTOCOL_STREAM && (family == FAMILY_INET || family == FAMILY_INET6);
    if (header->has_source)
        take_source(bytes, family, &header->source);
    return check_fields(slice_of(bytes.data, header->size), FIXED_BYTES + sizes[family], reason);
}

static enum status parse_binary(struct slice bytes, struct proxy_header *header,
                                struct reason *reason)
{
    if (bytes.size <= COMMAND_AT)
        return STATUS_AGAIN;
    const unsigned command = byte_at(bytes, COMMAND_AT);
    if (command != COMMAND_LOCAL && command != COMMAND_PROXY)
        return refuse(reason, "its version or command is not assigned");
    if (bytes.size < FIXED_BYTES)
        return STATUS_AGAIN;
    header->size = FIXED_BYTES + u16_at(bytes, LENGTH_AT);
    if (header->size > PROXY_HEADER_BYTES_MAX)
        return refuse(reason, "it is longer than 536 bytes");
    if (bytes.size < header->size)
        return STATUS_AGAIN;
    return command == COMMAND_LOCAL ? STATUS_OK : parse_addresses(bytes, header, reason);
}

/* --- Which version -------------------------------------------------------------------------------- */

/* Whether the bytes begin as `start` does, as far as there are any. */
static bool may_begin_with(struct slice bytes, struct slice start)
{
    const size_t size = bytes.size < start.size ? bytes.size : start.size;
    return slice_starts_with(start, slice_of(bytes.data, size));
}

enum status proxy_header_parse(struct slice bytes, struct proxy_header *header_out,
                               struct reason *reason)
{
    *header_out = (struct proxy_header){0};
    if (may_begin_with(bytes, line_start))
        return bytes.size > line_start.size ? parse_line(bytes, header_out, reason) : STATUS_AGAIN;
    if (may_begin_with(bytes, signature))
        return bytes.size > signature.size ? parse_binary(bytes, header_out, reason) : STATUS_AGAIN;
    return STATUS_NOT_FOUND;
}
