/* Writing the answer of an exchange.
 *
 * A head is built in the loop's scratch between http_answer_begin() and the call that sends it;
 * the task does not wait in between. Framing is chosen here: Content-Length for whole bodies,
 * chunked for streams, and to HTTP/1.0 clients the end of the connection.
 * Bytes that the client did not take at once are waited for. Pieces may lie in the scratch: then
 * they are copied. Elsewhere they stay as they are until the call returns.
 * Statuses of what sends: STATUS_OK; STATUS_CLOSED, STATUS_CANCELLED: the client is gone;
 * STATUS_TIMED_OUT: it took nothing for the server's write_ms; STATUS_NO_MEMORY. After another
 * status than STATUS_OK the connection is lost and nothing more is sent. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "http/exchange.h"

/* Starts the head: status line and Date. Connection is added at the end where it is needed. */
void http_answer_begin(struct http_exchange *exchange, unsigned status);
/* Adds a header. One that does not fit, or may not stand in a head, is left out. */
void http_answer_header(struct http_exchange *exchange, struct slice name, struct slice value);
/* Adds a header that is known to be right: weir's own, or from a parsed head. */
void http_answer_checked(struct http_exchange *exchange, struct slice name, struct slice value);
void http_answer_header_number(struct http_exchange *exchange, struct slice name, uint64_t value);
/* Adds prepared header lines, each with its CRLF. */
void http_answer_lines(struct http_exchange *exchange, struct slice lines);

/* Ends the head and sends it with the whole body in one write. A body to HEAD, 204 and 304 is
 * left out (but its length is stated). */
MUST_CHECK enum status http_answer_send(struct http_exchange *exchange, struct slice body);
/* The same for an answer without a body and without a Content-Length: 204. */
MUST_CHECK enum status http_answer_send_empty(struct http_exchange *exchange);

/* A streamed answer: the first piece goes out with the head. `size` may be known beforehand
 * (then the answer has a Content-Length), or be ANSWER_SIZE_UNKNOWN. With ANSWER_LAST the piece
 * ends the answer, in the same write. */
#define ANSWER_SIZE_UNKNOWN UINT64_MAX
enum answer_part { ANSWER_MORE, ANSWER_LAST };
MUST_CHECK enum status http_answer_start(struct http_exchange *exchange, uint64_t size,
                                         struct slice piece, enum answer_part part);
MUST_CHECK enum status http_answer_write(struct http_exchange *exchange, struct slice piece,
                                         enum answer_part part);
MUST_CHECK enum status http_answer_end(struct http_exchange *exchange);

/* Ends a streamed answer so that the client sees that it is broken: no last chunk, and the
 * connection closed. */
void http_answer_break(struct http_exchange *exchange);

#endif
