#include "config/url.h"

#include "config/address.h"

static enum status refuse(struct reason *reason, const char *why)
{
    reason_set(reason, "%s", why);
    return STATUS_INVALID;
}

static bool is_host_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_';
}

static bool is_name(struct slice host)
{
    for (size_t i = 0; i < host.size; i++) {
        if (!is_host_byte(host.data[i]))
            return false;
    }
    return host.size > 0 && host.size <= CONFIG_HOST_BYTES_MAX;
}

static enum status parse_port(struct slice text, uint16_t *port_out)
{
    uint64_t port;
    if (slice_to_u64(text, &port) != STATUS_OK || port == 0 || port > UINT16_MAX)
        return STATUS_INVALID;
    *port_out = (uint16_t)port;
    return STATUS_OK;
}

/* "host", "host:port", "[v6]" or "[v6]:port". */
static enum status parse_authority(struct slice text, struct config_url *url, struct reason *reason)
{
    struct slice rest;
    struct config_ip ip;
    url->authority = text;
    if (text.size > 0 && text.data[0] == '[') {
        const size_t end = slice_find_byte(text, ']');
        if (end == text.size)
            return refuse(reason, "an address in brackets has no ']'");
        url->host = slice_of(text.data + 1, end - 1);
        rest = slice_from(text, end + 1);
        if (config_ip_parse(url->host, &ip) != STATUS_OK || ip.size != 16)
            return refuse(reason, "what stands in brackets is no IPv6 address");
    } else {
        const size_t end = slice_find_byte(text, ':');
        url->host = slice_of(text.data, end);
        rest = slice_from(text, end);
        if (!is_name(url->host))
            return refuse(reason, url->host.size == 0 ? "the host is missing"
                                                      : "the host is no name or address");
    }
    if (rest.size == 0)
        return STATUS_OK;
    if (rest.data[0] != ':' || parse_port(slice_from(rest, 1), &url->port) != STATUS_OK)
        return refuse(reason, "the port is no number from 1 to 65535");
    return STATUS_OK;
}

static bool is_hex_digit(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

static bool has_sound_escapes(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '%' && (text.size - i < 3 || !is_hex_digit(text.data[i + 1]) ||
                                    !is_hex_digit(text.data[i + 2])))
            return false;
    }
    return true;
}

static enum status parse_path(struct slice text, struct config_url *url, struct reason *reason)
{
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char byte = (unsigned char)text.data[i];
        if (byte == '?' || byte == '#')
            return refuse(reason, "a query or fragment has no place here");
        if (byte <= ' ' || byte >= 0x7f)
            return refuse(reason, "the path holds a byte that must be percent-encoded");
    }
    while (text.size > 0 && text.data[text.size - 1] == '/')
        text.size--;
    if (!has_sound_escapes(text))
        return refuse(reason, "a '%' of the path is not followed by two hexadecimal digits");
    url->path = text;
    return STATUS_OK;
}

static bool take_scheme(struct slice *text, struct slice scheme)
{
    if (text->size < scheme.size || !slice_equal_nocase(slice_of(text->data, scheme.size), scheme))
        return false;
    *text = slice_from(*text, scheme.size);
    return true;
}

static enum status parse_after_scheme(struct slice text, struct config_url *url,
                                      struct reason *reason)
{
    size_t end = 0;
    while (end < text.size && text.data[end] != '/' && text.data[end] != '?' &&
           text.data[end] != '#')
        end++;
    const enum status status = parse_authority(slice_of(text.data, end), url, reason);
    return status == STATUS_OK ? parse_path(slice_from(text, end), url, reason) : status;
}

enum status config_url_parse(struct slice text, struct config_url *url_out, struct reason *reason)
{
    struct config_url url = {.port = 443};
    url.is_tls = take_scheme(&text, SLICE("https://"));
    if (!url.is_tls) {
        url.port = 80;
        if (!take_scheme(&text, SLICE("http://")))
            return refuse(reason, "it begins with neither https:// nor http://");
    }
    const size_t slash = slice_find_byte(text, '/');
    if (slice_find_byte(slice_of(text.data, slash), '@') < slash)
        return refuse(reason, "a user or password has no place here; use api_key or headers");
    const enum status status = parse_after_scheme(text, &url, reason);
    if (status == STATUS_OK)
        *url_out = url;
    return status;
}

enum status config_proxy_parse(struct slice text, struct config_url *url_out, struct reason *reason)
{
    struct config_url url = {.port = 80};
    if (slice_find(text, SLICE("://")) < text.size && !take_scheme(&text, SLICE("http://"))) {
        reason_set(reason, "only http:// proxies (CONNECT) are supported");
        return STATUS_UNSUPPORTED;
    }
    size_t at = text.size; /* the last '@': a password may hold another */
    while (at > 0 && text.data[at - 1] != '@')
        at--;
    if (at > 0) {
        url.userinfo = slice_of(text.data, at - 1);
        text = slice_from(text, at);
    }
    const enum status status = parse_after_scheme(text, &url, reason);
    if (status != STATUS_OK)
        return status;
    if (url.path.size > 0)
        return refuse(reason, "a proxy has no path");
    *url_out = url;
    return STATUS_OK;
}

static bool matches_domain(struct slice entry, struct slice host)
{
    if (entry.size > 0 && entry.data[0] == '*')
        entry = slice_from(entry, 1);
    if (entry.size > 0 && entry.data[0] == '.')
        entry = slice_from(entry, 1);
    if (entry.size == 0 || host.size < entry.size)
        return false;
    const struct slice tail = slice_from(host, host.size - entry.size);
    if (!slice_equal_nocase(tail, entry))
        return false;
    return tail.size == host.size || host.data[host.size - tail.size - 1] == '.';
}

static bool matches_entry(struct slice entry, const struct config_url *url)
{
    struct config_cidr cidr;
    struct config_ip ip;
    const size_t colon = slice_find_byte(entry, ':');
    if (slice_equal(entry, SLICE("*")))
        return true;
    if (config_cidr_parse(entry, &cidr) == STATUS_OK)
        return config_ip_parse(url->host, &ip) == STATUS_OK && config_cidr_contains(&cidr, &ip);
    if (colon < entry.size) {
        uint16_t port;
        if (parse_port(slice_from(entry, colon + 1), &port) != STATUS_OK || port != url->port)
            return false;
        entry.size = colon;
    }
    return matches_domain(entry, url->host);
}

bool config_no_proxy_matches(struct slice no_proxy, const struct config_url *url)
{
    while (no_proxy.size > 0) {
        const size_t end = slice_find_byte(no_proxy, ',');
        const struct slice entry = slice_trim(slice_of(no_proxy.data, end));
        if (entry.size > 0 && matches_entry(entry, url))
            return true;
        no_proxy = slice_from(no_proxy, end < no_proxy.size ? end + 1 : end);
    }
    return false;
}
