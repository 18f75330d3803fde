/* The Date field, written once a second (RFC 9110 section 5.6.7, IMF-fixdate).
 *
 * Thread: a struct http_date belongs to one thread. Time is a parameter. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdint.h>

#include "base/slice.h"

/* Bytes of "Sun, 06 Nov 1994 08:49:37 GMT". */
#define HTTP_DATE_BYTES 29

struct http_date {
    uint64_t second;                /* since 1970, of `line` */
    char line[HTTP_DATE_BYTES + 8]; /* "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
};

void http_date_init(struct http_date *date);

/* The whole field with its CRLF, for head_writer_lines(). Valid until the next call. */
struct slice http_date_line(struct http_date *date, uint64_t realtime_us);

/* Writes the date of a time before the year 10000 (later ones are written as its last second). */
void http_date_format(uint64_t second, char text_out[HTTP_DATE_BYTES]);

#endif
