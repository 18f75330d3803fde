/* Strings from anywhere, made harmless where they are written.
 *
 * Bytes that are no UTF-8 become U+FFFD. Control characters, line and paragraph separators and the
 * characters that turn the direction of writing are escaped, so that no text can end a line, steer
 * a terminal or look like another. Errors: those of the buffer. */
#ifndef TELEMETRY_ESCAPE_H
#define TELEMETRY_ESCAPE_H

#include "base/buffer.h"
#include "base/slice.h"

/* The most that a byte can become. */
#define ESCAPE_GROWTH 6

/* The inside of a JSON string (RFC 8259 section 7). */
void escape_json(struct buffer *out, struct slice text);

/* Text for a terminal or a plain file. */
void escape_plain(struct buffer *out, struct slice text);

/* The same as one word: in quotes, as a JSON string, if it is empty or has spaces or more. */
void escape_word(struct buffer *out, struct slice text);

/* The inside of a label's value in the Prometheus text format. */
void escape_label(struct buffer *out, struct slice text);

#endif
