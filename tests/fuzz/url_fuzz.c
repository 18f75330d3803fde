/* Any text as a URL, an authority and a percent-encoded text. What must hold: a URL that is
 * accepted has a host and a port and only bytes that may be sent; put together again from its parts
 * it is accepted with the same parts; decoding succeeds exactly where the encoding is valid. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "http/head.h"
#include "http/url.h"

#define TEXT_BYTES_MAX 1024

static void check_parts(const struct url *url, enum url_kind kind)
{
    ASSERT(url->host.size > 0 && url->port > 0);
    ASSERT(http_value_is_clean(url->authority) && http_value_is_clean(url->path));
    ASSERT(slice_find_byte(url->authority, '@') == url->authority.size);
    ASSERT(url->path.size == 0 || url->path.data[0] == '/');
    ASSERT(!slice_ends_with(url->path, SLICE("/")));
    ASSERT(kind == URL_ANY || url->query.size == 0);
    ASSERT(kind != URL_BASE || !url->has_userinfo);
    ASSERT(kind != URL_PROXY || url->path.size == 0);
}

static void put_together(const struct url *url, struct buffer *text)
{
    buffer_append(text, url->tls ? SLICE("https://") : SLICE("http://"));
    buffer_append(text, url->userinfo);
    if (url->has_userinfo)
        buffer_append(text, SLICE("@"));
    buffer_append(text, url->authority);
    buffer_append(text, url->path);
    if (url->query.data != NULL)
        buffer_append(text, SLICE("?"));
    buffer_append(text, url->query);
    ASSERT(buffer_status(text) == STATUS_OK);
}

static void read_again(const struct url *url, enum url_kind kind)
{
    struct buffer text;
    struct url again;
    buffer_init(&text, 2 * TEXT_BYTES_MAX);
    put_together(url, &text);
    ASSERT(url_parse(buffer_slice(&text), kind, &again, NULL) == STATUS_OK);
    ASSERT(again.tls == url->tls && again.port == url->port);
    ASSERT(again.host_is_ipv6 == url->host_is_ipv6 && again.has_port == url->has_port);
    ASSERT(slice_equal(again.host, url->host) && slice_equal(again.path, url->path));
    ASSERT(slice_equal(again.user, url->user) && slice_equal(again.password, url->password));
    ASSERT(slice_equal(again.query, url->query));
    buffer_clear(&text);
    ASSERT(url_join(url, SLICE("/models"), &text) == STATUS_OK);
    ASSERT(slice_find(buffer_slice(&text), SLICE("/models")) < text.size);
    buffer_fini(&text);
}

static void decode(struct slice text)
{
    struct buffer bytes;
    buffer_init(&bytes, TEXT_BYTES_MAX);
    const enum status status = url_decode(text, &bytes);
    ASSERT((status == STATUS_OK) == url_percent_is_valid(text));
    ASSERT(bytes.size <= text.size);
    buffer_fini(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct url url;
    struct slice host;
    struct reason reason;
    uint16_t port;
    if (size < 1 || size > TEXT_BYTES_MAX)
        return 0;
    const enum url_kind kind = (enum url_kind)(data[0] % 3);
    const struct slice text = slice_of(data + 1, size - 1);
    if (url_parse(text, kind, &url, &reason) == STATUS_OK) {
        check_parts(&url, kind);
        read_again(&url, kind);
    }
    if (url_authority(text, &host, &port) == STATUS_OK)
        ASSERT(http_value_is_clean(text) && slice_find_byte(text, '/') == text.size);
    decode(text);
    return 0;
}
