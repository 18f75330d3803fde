/* The http and https URLs of providers and proxies (RFC 3986, as far as those need it).
 *
 * Thread: any. Memory: results borrow the text they were read from; inside a snapshot every
 * slice is followed by a zero byte. */
#ifndef CONFIG_URL_H
#define CONFIG_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define CONFIG_HOST_BYTES_MAX 253

struct config_url {
    bool is_tls;            /* https */
    struct slice host;      /* a name or an address without brackets; size 0: there is no URL */
    struct slice authority; /* host with brackets and port as written: the Host header's value */
    uint16_t port;          /* 443 or 80 where the URL has none */
    struct slice path;      /* without slashes at its end, so "/v1" or empty */
    struct slice userinfo;  /* "user:password" as written, percent-encoded; a proxy's only */
};

/* Reads "https://host[:port][/path]". STATUS_INVALID: it is not such a URL; *reason (may be NULL)
 * says what is wrong without repeating a password. */
MUST_CHECK enum status config_url_parse(struct slice text, struct config_url *url_out,
                                        struct reason *reason);

/* Reads "[http://][user:password@]host[:port][/]" (port 80 where there is none). STATUS_INVALID;
 * STATUS_UNSUPPORTED: an https or SOCKS proxy. */
MUST_CHECK enum status config_proxy_parse(struct slice text, struct config_url *url_out,
                                          struct reason *reason);

/* Whether `no_proxy` (of NO_PROXY: "*", or names, domains, addresses and networks, each with or
 * without a port, between commas) says that `url` is called directly. */
bool config_no_proxy_matches(struct slice no_proxy, const struct config_url *url);

#endif
