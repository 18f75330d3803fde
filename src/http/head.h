/* What request and response heads have in common: finding where a head ends, and its fields.
 *
 * A head is read in two steps. http_head_find_end() looks at bytes as they arrive, refuses at once
 * what can never be a head, and says where it ends. Then http_request_head_parse() or
 * http_response_head_parse() takes the complete head. Nothing is copied: every slice of a parsed
 * head points into the head's own bytes and lives as long as they do.
 *
 * Thread: one at a time. Memory: the array of the fields comes from the caller's arena.
 * Format: RFC 9110, RFC 9112. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

/* Field names that weir knows, by their size and then by name; head.c has the names. */
enum http_header_id {
    HTTP_HEADER_OTHER, /* any other name; compare the name itself */
    HTTP_HEADER_TE,
    HTTP_HEADER_AGE,
    HTTP_HEADER_VIA,
    HTTP_HEADER_DATE,
    HTTP_HEADER_HOST,
    HTTP_HEADER_ACCEPT,
    HTTP_HEADER_COOKIE,
    HTTP_HEADER_EXPECT,
    HTTP_HEADER_ORIGIN,
    HTTP_HEADER_SERVER,
    HTTP_HEADER_TRAILER,
    HTTP_HEADER_UPGRADE,
    HTTP_HEADER_LOCATION,
    HTTP_HEADER_FORWARDED,
    HTTP_HEADER_X_API_KEY,
    HTTP_HEADER_CONNECTION,
    HTTP_HEADER_KEEP_ALIVE,
    HTTP_HEADER_SET_COOKIE,
    HTTP_HEADER_TRACESTATE,
    HTTP_HEADER_USER_AGENT,
    HTTP_HEADER_OPENAI_BETA,
    HTTP_HEADER_RETRY_AFTER,
    HTTP_HEADER_TRACEPARENT,
    HTTP_HEADER_CONTENT_TYPE,
    HTTP_HEADER_X_REQUEST_ID,
    HTTP_HEADER_AUTHORIZATION,
    HTTP_HEADER_CACHE_CONTROL,
    HTTP_HEADER_CONTENT_LENGTH,
    HTTP_HEADER_OPENAI_PROJECT,
    HTTP_HEADER_RETRY_AFTER_MS,
    HTTP_HEADER_X_SHOULD_RETRY,
    HTTP_HEADER_ACCEPT_ENCODING,
    HTTP_HEADER_IDEMPOTENCY_KEY,
    HTTP_HEADER_X_FORWARDED_FOR,
    HTTP_HEADER_X_WEIR_METADATA,
    HTTP_HEADER_CONTENT_ENCODING,
    HTTP_HEADER_PROXY_CONNECTION,
    HTTP_HEADER_WWW_AUTHENTICATE,
    HTTP_HEADER_TRANSFER_ENCODING,
    HTTP_HEADER_X_FORWARDED_PROTO,
    HTTP_HEADER_PROXY_AUTHENTICATE,
    HTTP_HEADER_OPENAI_ORGANIZATION,
    HTTP_HEADER_PROXY_AUTHORIZATION,
    HTTP_HEADER_X_STAINLESS_TIMEOUT,
    HTTP_HEADER_X_STAINLESS_READ_TIMEOUT,
    HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD,
    HTTP_HEADER_ACCESS_CONTROL_REQUEST_HEADERS,
    HTTP_HEADER_COUNT,
};

struct http_header {
    struct slice name;  /* as it was sent; a token (RFC 9110 section 5.6.2) */
    struct slice value; /* without white space at either end; may be empty */
    enum http_header_id id;
};

/* The fields of one head, in their order, and an index by id. */
struct http_fields {
    struct http_header *items; /* in the arena */
    uint16_t count;
    uint16_t capacity;
    uint64_t repeated;                 /* bit 1 << id: the name stands more than once */
    uint16_t first[HTTP_HEADER_COUNT]; /* 1 + index of the first such field, 0 for none */
};

/* How the end of a body is found (RFC 9112 section 6.3). */
enum http_framing {
    HTTP_FRAMING_NONE, /* there is no body */
    HTTP_FRAMING_LENGTH,
    HTTP_FRAMING_CHUNKED,
    HTTP_FRAMING_CLOSE, /* responses only: up to the end of the connection */
};

struct http_head_limits {
    unsigned headers_max; /* fields in one head, at most 65535 */
};

/* Looks on for the end of a head in `bytes`, which begins with the head and may hold more than
 * it. *scanned is 0 at first and is kept between the calls for one head: nothing is looked at
 * twice. Up to two empty lines before the head are part of it (RFC 9112 section 2.2).
 * STATUS_OK: *size_out bytes are the head, its empty last line included.
 * STATUS_AGAIN: more bytes are needed; the caller bounds how many it keeps.
 * STATUS_PROTOCOL: a bare CR, a bare LF, a folded line, NUL or another control byte but HTAB:
 * bytes that never become a head (answered with 400). */
MUST_CHECK enum status http_head_find_end(struct slice bytes, size_t *scanned, size_t *size_out);

/* Which name this is, without regard to case. `name` has to be a token: others are not told
 * apart from names that differ in bit 5 of a byte. */
enum http_header_id http_header_identify(struct slice name);
/* The name in lower case. `id` is not HTTP_HEADER_OTHER. Static storage. */
struct slice http_header_name(enum http_header_id id);
/* Whether a name starts with `prefix`, which is in lower case, without regard to case. */
bool http_header_has_prefix(struct slice name, struct slice prefix);

/* Makes room in the arena for the fields of a head, as many as it has lines.
 * STATUS_TOO_LARGE: more than limits allow. STATUS_NO_MEMORY. */
MUST_CHECK enum status http_fields_init(struct http_fields *fields, struct slice head,
                                        const struct http_head_limits *limits, struct arena *arena);
/* Adds a field. STATUS_TOO_LARGE: there is no room for it. */
MUST_CHECK enum status http_fields_add(struct http_fields *fields, struct slice name,
                                       struct slice value);
/* The next field after `header` with the same id, or NULL. */
const struct http_header *http_fields_next(const struct http_fields *fields,
                                           const struct http_header *header);
/* The first field of that name, known or not, without regard to case; NULL if there is none. */
const struct http_header *http_fields_find(const struct http_fields *fields, struct slice name);

/* The first field with that id (not HTTP_HEADER_OTHER), or NULL. */
static inline const struct http_header *http_fields_get(const struct http_fields *fields,
                                                        enum http_header_id id)
{
    const unsigned first = fields->first[id];
    return first > 0 ? &fields->items[first - 1] : NULL;
}

static inline bool http_fields_has(const struct http_fields *fields, enum http_header_id id)
{
    return fields->first[id] > 0;
}

/* The value of the first field with that id; empty, with data NULL, if there is none. */
static inline struct slice http_fields_value(const struct http_fields *fields,
                                             enum http_header_id id)
{
    const unsigned first = fields->first[id];
    return first > 0 ? fields->items[first - 1].value : (struct slice){0};
}

/* Whether the name stands more than once. */
static inline bool http_fields_repeated(const struct http_fields *fields, enum http_header_id id)
{
    return (fields->repeated >> id & 1) != 0;
}

/* The offset of the first control byte other than HTAB (0-8, 10-31, 127), or the size. */
size_t http_find_control(struct slice bytes);
/* Whether a field value may be sent: no control byte but HTAB. */
static inline bool http_value_is_clean(struct slice value)
{
    return http_find_control(value) == value.size;
}
/* Whether it is a token (RFC 9110 section 5.6.2), as names and methods are. */
bool http_is_token(struct slice text);

/* What Connection fields say of the connection's life (RFC 9112 section 9.3): with `close` it
 * ends; otherwise HTTP/1.1 keeps it and HTTP/1.0 keeps it with `keep-alive`. */
bool http_fields_keep_alive(const struct http_fields *fields, unsigned minor);

/* Reads the one Content-Length. STATUS_NOT_FOUND: there is none. STATUS_PROTOCOL: it is not one
 * number of decimal digits below 2^63, or stands twice, even with equal values. */
MUST_CHECK enum status http_fields_content_length(const struct http_fields *fields,
                                                  uint64_t *length_out, struct reason *reason);
/* Whether the body is chunked. STATUS_NOT_FOUND: no Transfer-Encoding. STATUS_PROTOCOL: it is
 * anything but one `chunked`, stands beside Content-Length, or in HTTP/1.0. */
MUST_CHECK enum status http_fields_chunked(const struct http_fields *fields, unsigned minor,
                                           struct reason *reason);

#endif
