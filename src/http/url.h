/* Absolute http and https URLs, as configuration names providers and proxies, and the parts of
 * RFC 3986 that request targets need.
 *
 * Thread: any. Memory: slices point into the text; only url_join() and url_decode() write. */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

struct url {
    bool tls;                    /* https */
    bool has_userinfo;           /* `userinfo` stood there, maybe empty */
    bool has_port;               /* the port was given */
    bool host_is_ipv6;           /* `host` is what stood in brackets */
    uint16_t port;               /* given or the scheme's: 80, 443 */
    struct slice host;           /* never empty; without brackets */
    struct slice userinfo;       /* "user:password", not decoded */
    struct slice user, password; /* its parts, not decoded */
    struct slice authority;      /* host and port as they were written, for a Host field */
    struct slice path;           /* empty or from the first '/' on, without trailing slashes */
    struct slice query;          /* after '?'; empty if there is none */
};

enum url_kind {
    URL_BASE,  /* of a provider: no userinfo, query or fragment */
    URL_PROXY, /* userinfo may stand; of the path no more than "/" */
    URL_ANY,   /* userinfo and query may stand, a fragment not */
};

/* Reads an absolute URL. STATUS_INVALID: it is none, or has a part that its kind may not have;
 * *reason says which without quoting userinfo. */
MUST_CHECK enum status url_parse(struct slice text, enum url_kind kind, struct url *url_out,
                                 struct reason *reason);

/* Host, or host and port, of an authority without userinfo: [IPv6], IPv4 or a registered name,
 * the last perhaps empty (RFC 3986 section 3.2). *port_out is 0 if there is none.
 * STATUS_INVALID otherwise. */
MUST_CHECK enum status url_authority(struct slice authority, struct slice *host_out,
                                     uint16_t *port_out);

/* Whether each '%' is followed by two hexadecimal digits, and the two are not 00. */
bool url_percent_is_valid(struct slice text);
/* Appends the text with its percent triplets decoded. STATUS_INVALID: one is malformed or 00.
 * Else the statuses of buffer_append(). */
MUST_CHECK enum status url_decode(struct slice text, struct buffer *bytes);

/* Appends base's path and `path`, which starts with '/', joined by one '/'.
 * Statuses of buffer_append(). */
MUST_CHECK enum status url_join(const struct url *base, struct slice path, struct buffer *text);

#endif
