#include "http/url.h"

#include <strings.h>

/* --- Percent-encoding (RFC 3986 section 2.1) --- */

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that the triplet at the front stands for; 0 if there is none. */
static unsigned triplet_value(struct slice text)
{
    if (text.size < 3)
        return 0;
    const int high = hex_value(text.data[1]), low = hex_value(text.data[2]);
    return high < 0 || low < 0 ? 0 : (unsigned)(high << 4 | low);
}

bool url_percent_is_valid(struct slice text)
{
    size_t at = slice_find_byte(text, '%');
    while (at < text.size) {
        if (triplet_value(slice_from(text, at)) == 0)
            return false;
        at += 3;
        at += slice_find_byte(slice_from(text, at), '%');
    }
    return true;
}

enum status url_decode(struct slice text, struct buffer *bytes)
{
    while (text.size > 0) {
        const size_t plain = slice_find_byte(text, '%');
        buffer_append(bytes, slice_of(text.data, plain));
        text = slice_from(text, plain);
        if (text.size == 0)
            break;
        const unsigned value = triplet_value(text);
        if (value == 0)
            return STATUS_INVALID;
        buffer_append_byte(bytes, (char)value);
        text = slice_from(text, 3);
    }
    return buffer_status(bytes);
}

/* --- Host and port (RFC 3986 section 3.2) --- */

/* unreserved / sub-delims / "%": bit n of word w stands for the byte 32 × w + n. */
static const uint32_t name_bytes[8] = {
    0,          /* controls */
    0x2bff7ff2, /* ! $ % & ' ( ) * + , - . 0 to 9 ; = */
    0x87fffffe, /* A to Z _ */
    0x47fffffe, /* a to z ~ */
};

static bool is_name_byte(char byte)
{
    const unsigned char value = (unsigned char)byte;
    return (name_bytes[value / 32] >> value % 32 & 1) != 0;
}

static bool is_registered_name(struct slice host)
{
    for (size_t i = 0; i < host.size; i++)
        if (!is_name_byte(host.data[i]))
            return false;
    return url_percent_is_valid(host);
}

/* Only what an address can be written with; whether it is one is for the resolver to say. */
static bool is_ipv6_text(struct slice host)
{
    unsigned colons = 0;
    for (size_t i = 0; i < host.size; i++) {
        colons += host.data[i] == ':';
        if (host.data[i] != ':' && host.data[i] != '.' && hex_value(host.data[i]) < 0)
            return false;
    }
    return colons >= 2;
}

/* ":8080", or nothing, or ":" alone (RFC 3986 section 6.2.3: the default). */
static enum status read_port(struct slice text, uint16_t *port_out)
{
    uint64_t port;
    *port_out = 0;
    if (text.size <= 1)
        return text.size == 0 || text.data[0] == ':' ? STATUS_OK : STATUS_INVALID;
    if (text.data[0] != ':' || slice_to_u64(slice_from(text, 1), &port) != STATUS_OK || port == 0 ||
        port > UINT16_MAX)
        return STATUS_INVALID;
    *port_out = (uint16_t)port;
    return STATUS_OK;
}

enum status url_authority(struct slice authority, struct slice *host_out, uint16_t *port_out)
{
    if (authority.size > 0 && authority.data[0] == '[') {
        const size_t end = slice_find_byte(authority, ']');
        if (end == authority.size)
            return STATUS_INVALID;
        *host_out = slice_of(authority.data + 1, end - 1);
        return is_ipv6_text(*host_out) ? read_port(slice_from(authority, end + 1), port_out)
                                       : STATUS_INVALID;
    }
    const size_t end = slice_find_byte(authority, ':');
    *host_out = slice_of(authority.data, end);
    if (!is_registered_name(*host_out))
        return STATUS_INVALID;
    return read_port(slice_from(authority, end), port_out);
}

/* --- The whole URL --- */

static enum status refuse(struct reason *reason, const char *why)
{
    reason_set(reason, "%s", why);
    return STATUS_INVALID;
}

static bool take_prefix(struct slice *text, struct slice prefix)
{
    if (text->size < prefix.size || strncasecmp(text->data, prefix.data, prefix.size) != 0)
        return false;
    *text = slice_from(*text, prefix.size);
    return true;
}

/* Visible ASCII; anything else has to be percent-encoded. */
static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    return true;
}

static void split_userinfo(struct url *url, struct slice *authority)
{
    size_t at = authority->size;
    while (at > 0 && authority->data[at - 1] != '@')
        at--;
    if (at == 0)
        return;
    url->has_userinfo = true;
    url->userinfo = slice_of(authority->data, at - 1);
    *authority = slice_from(*authority, at);
    const size_t user_size = slice_find_byte(url->userinfo, ':');
    url->user = slice_of(url->userinfo.data, user_size);
    if (user_size < url->userinfo.size)
        url->password = slice_from(url->userinfo, user_size + 1);
}

static enum status read_authority(struct url *url, struct slice authority, struct reason *reason)
{
    uint16_t port;
    split_userinfo(url, &authority);
    url->authority = authority;
    if (!is_registered_name(url->user) ||
        slice_find_byte(url->password, '@') < url->password.size ||
        !url_percent_is_valid(url->password))
        return refuse(reason, "the user or password has to be percent-encoded");
    if (url_authority(authority, &url->host, &port) != STATUS_OK || url->host.size == 0)
        return refuse(reason, "the host or port is malformed");
    url->host_is_ipv6 = authority.data[0] == '[';
    url->has_port = port != 0;
    url->port = port;
    if (port == 0)
        url->port = url->tls ? 443 : 80;
    return STATUS_OK;
}

static void read_path(struct url *url, struct slice rest)
{
    const size_t size = slice_find_byte(rest, '?');
    url->path = slice_of(rest.data, size);
    if (size < rest.size)
        url->query = slice_from(rest, size + 1);
    while (url->path.size > 0 && url->path.data[url->path.size - 1] == '/')
        url->path.size--;
}

static enum status check_kind(const struct url *url, enum url_kind kind, struct reason *reason)
{
    if (kind == URL_BASE && url->has_userinfo)
        return refuse(reason, "a user or password may not stand in this URL");
    if (kind != URL_ANY && url->query.data != NULL)
        return refuse(reason, "a query (\"?\") may not stand in this URL");
    if (kind == URL_PROXY && url->path.size > 0)
        return refuse(reason, "a path may not stand in this URL");
    return STATUS_OK;
}

enum status url_parse(struct slice text, enum url_kind kind, struct url *url_out,
                      struct reason *reason)
{
    memset(url_out, 0, sizeof(*url_out));
    if (!is_visible(text))
        return refuse(reason, "a URL may hold neither spaces nor control or non-ASCII characters");
    if (take_prefix(&text, SLICE("https://")))
        url_out->tls = true;
    else if (!take_prefix(&text, SLICE("http://")))
        return refuse(reason, "a URL here starts with http:// or https://");
    if (slice_find_byte(text, '#') < text.size)
        return refuse(reason, "a fragment (\"#\") may not stand in this URL");
    size_t size = 0;
    while (size < text.size && text.data[size] != '/' && text.data[size] != '?')
        size++;
    const enum status status = read_authority(url_out, slice_of(text.data, size), reason);
    if (status != STATUS_OK)
        return status;
    read_path(url_out, slice_from(text, size));
    if (!url_percent_is_valid(url_out->path) || !url_percent_is_valid(url_out->query))
        return refuse(reason, "a \"%\" is not followed by two hexadecimal digits");
    return check_kind(url_out, kind, reason);
}

enum status url_join(const struct url *base, struct slice path, struct buffer *text)
{
    buffer_append(text, base->path); /* it ends with no slash, and `path` begins with one */
    return buffer_append(text, path);
}
