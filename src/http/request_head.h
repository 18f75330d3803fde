/* The head of a request: what a client asks for, and how its body is framed.
 *
 * The grammar is llhttp's, with nothing lenient; on top of it everything is refused by which two
 * readers of one request could come to different ends (request smuggling): Content-Length beside
 * Transfer-Encoding, either one or Host twice, a Transfer-Encoding other than `chunked`, or any
 * in HTTP/1.0.
 *
 * Thread: one at a time. Memory: fields.items is in the arena; slices point into the head's bytes.
 * Format: RFC 9112 sections 2 to 6, RFC 9110. */
#ifndef HTTP_REQUEST_HEAD_H
#define HTTP_REQUEST_HEAD_H

#include "http/head.h"

enum http_method {
    HTTP_METHOD_OTHER, /* see `method_text` */
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_TRACE,
};

struct http_request_head {
    enum http_method method;
    unsigned minor; /* version 1.0 or 1.1 */
    struct slice method_text;
    struct slice target; /* as it was sent */
    struct slice path;   /* starts with '/', not decoded; or "*", for OPTIONS only */
    struct slice query;  /* what follows the first '?'; empty if there is none */
    struct slice host;   /* of the target if that is absolute, else of Host; may be empty */
    struct http_fields fields;
    enum http_framing framing; /* never HTTP_FRAMING_CLOSE */
    uint64_t content_length;   /* with HTTP_FRAMING_LENGTH; below 2^63 */
    bool has_content_length;
    bool is_chunked;
    bool keep_alive;       /* the client allows another request after this one */
    bool expects_continue; /* the client waits for 100 before it sends the body */
};

/* Reads one complete head that http_head_find_end() has accepted. On any status but STATUS_OK
 * *http_status_out is what to answer before the connection is closed, *reason says why (it quotes
 * nothing that could be a secret), and *out may not be used:
 * STATUS_PROTOCOL: it is malformed or ambiguous (400).
 * STATUS_TOO_LARGE: more fields than the limit (431).
 * STATUS_UNSUPPORTED: a version other than 1.0 and 1.1 (505), a method that is unknown or CONNECT
 * (501), an Expect other than 100-continue (417).
 * STATUS_NO_MEMORY (503). */
MUST_CHECK enum status http_request_head_parse(struct slice head,
                                               const struct http_head_limits *limits,
                                               struct arena *arena, struct http_request_head *out,
                                               unsigned *http_status_out, struct reason *reason);

/* The value of the first field with that id; empty if there is none. */
static inline struct slice http_request_head_get(const struct http_request_head *head,
                                                 enum http_header_id id)
{
    return http_fields_value(&head->fields, id);
}

/* The method's name in upper case; "" for HTTP_METHOD_OTHER. Static storage. */
struct slice http_method_name(enum http_method method);

#endif
