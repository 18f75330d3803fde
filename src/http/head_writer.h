/* Writes request and response heads into the caller's memory.
 *
 * Lifecycle: init, one start line, any number of fields, finish. A piece that does not fit, or a
 * name or value that may not stand in a head, adds nothing and is remembered; so the caller asks
 * once, at finish. Nothing that was refused is ever sent: finish then gives no head.
 *
 * Thread: one at a time. Memory: the caller's area. Format: RFC 9112 sections 3 to 5. */
#ifndef HTTP_HEAD_WRITER_H
#define HTTP_HEAD_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

struct head_writer {
    char *area;
    char *at; /* next free byte */
    char *end;
    enum status failed; /* STATUS_OK while everything went well */
};

void head_writer_init(struct head_writer *writer, char *area, size_t size);

/* "HTTP/1.1 404 Not Found\r\n"; `status` is 100 to 599, with or without a registered phrase. */
void head_writer_status_line(struct head_writer *writer, unsigned status);
/* "POST /v1/models HTTP/1.1\r\n". STATUS_INVALID: a space or a control byte in either. */
void head_writer_request_line(struct head_writer *writer, struct slice method, struct slice target);

/* A field whose value comes from outside. STATUS_INVALID: `name` is no token, or `value` holds a
 * control byte other than HTAB (so no CR, LF or NUL). */
void head_writer_add(struct head_writer *writer, struct slice name, struct slice value);
/* A field with a number; `name` is one of ours. */
void head_writer_add_u64(struct head_writer *writer, struct slice name, uint64_t value);
/* Whole lines, each with its CRLF, that are known to be right: literals, http_date_line(). */
static inline void head_writer_lines(struct head_writer *writer, struct slice lines)
{
    if (lines.size > (size_t)(writer->end - writer->at)) {
        writer->failed = STATUS_TOO_LARGE;
        return;
    }
    memcpy(writer->at, lines.data, lines.size);
    writer->at += lines.size;
}
/* Fields that were taken from a parsed head, so that they need no check. */
void head_writer_add_checked(struct head_writer *writer, struct slice name, struct slice value);

/* Writes the empty line; *head_out is the whole head, in the area.
 * STATUS_TOO_LARGE: the area is too small. STATUS_INVALID: a piece may not stand in a head. */
MUST_CHECK enum status head_writer_finish(struct head_writer *writer, struct slice *head_out);

/* "HTTP/1.1 404 Not Found\r\n" of a status that has a registered phrase (RFC 9110 section 15); else
 * empty. Static storage. */
struct slice http_status_line(unsigned status);

/* Writes the number in decimal digits and returns how many. */
size_t http_write_number(uint64_t number, char digits_out[20]);

#endif
