/* llhttp over one complete head, for request_head.c and response_head.c alone. */
#ifndef HTTP_HEAD_INTERNAL_H
#define HTTP_HEAD_INTERNAL_H

#include <llhttp.h>

#include "http/head.h"

/* Runs llhttp, with nothing lenient, over exactly one head and adds its fields to `fields`.
 * STATUS_OK: the head ends where its grammar does. STATUS_PROTOCOL: it breaks the grammar;
 * *errno_out is llhttp's reason. */
MUST_CHECK enum status http_head_run(struct slice head, llhttp_type_t type,
                                     struct http_fields *fields, llhttp_errno_t *errno_out);

/* Splits "HTTP/1.1" from other versions. STATUS_UNSUPPORTED: another version.
 * STATUS_PROTOCOL: no version at all. */
MUST_CHECK enum status http_head_version(struct slice version, unsigned *minor_out);

/* The head's first line without its CRLF. */
static inline struct slice http_head_first_line(struct slice head)
{
    return slice_of(head.data, slice_find_byte(head, '\r'));
}

#endif
