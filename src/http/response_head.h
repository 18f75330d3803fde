/* The head of an upstream's response, and how its body is framed.
 *
 * The same is refused as in requests (request_head.h): an upstream that is ambiguous about where
 * its response ends could answer one client with another's bytes.
 *
 * Thread: one at a time. Memory: fields.items is in the arena; slices point into the head's bytes.
 * Format: RFC 9112 sections 4 and 6.3. */
#ifndef HTTP_RESPONSE_HEAD_H
#define HTTP_RESPONSE_HEAD_H

#include "http/head.h"

struct http_response_head {
    unsigned status; /* 100 to 599 */
    unsigned minor;  /* version 1.0 or 1.1 */
    struct slice reason_phrase;
    struct http_fields fields;
    enum http_framing framing;
    uint64_t content_length; /* with has_content_length; below 2^63 */
    bool has_content_length; /* also where there is no body: HEAD, 304 */
    bool keep_alive;         /* the connection may be used again once the body is read */
};

/* Reads one complete head that http_head_find_end() has accepted. `to_head`: this answers a HEAD
 * request, so there is no body.
 * A 1xx is parsed like any other: no body, and the caller reads the next head. 101 is refused,
 * since weir never asks to switch.
 * STATUS_PROTOCOL: it is malformed or ambiguous. STATUS_TOO_LARGE: more fields than the
 * limit. STATUS_UNSUPPORTED: a version other than 1.0 and 1.1. STATUS_NO_MEMORY. */
MUST_CHECK enum status http_response_head_parse(struct slice head, bool to_head,
                                                const struct http_head_limits *limits,
                                                struct arena *arena, struct http_response_head *out,
                                                struct reason *reason);

/* The status of a head that is not parsed, by its first line; 0 if it is none of HTTP/1. */
unsigned http_status_of(struct slice head);

/* The value of the first field with that id; empty if there is none. */
static inline struct slice http_response_head_get(const struct http_response_head *head,
                                                  enum http_header_id id)
{
    return http_fields_value(&head->fields, id);
}

#endif
