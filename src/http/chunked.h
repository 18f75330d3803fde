/* The chunked transfer coding (RFC 9112 section 7.1): a strict decoder that works in place, and
 * the chunk header of a writer.
 *
 * Thread: one at a time. Memory: a decoder is a few words, allocates nothing and keeps no bytes.
 * Errors: a decoder that has failed stays failed; the connection cannot be used any further. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* All the extensions of a body together, and its trailer section, have at most: */
#define CHUNKED_EXTENSION_BYTES_MAX 16384
#define CHUNKED_TRAILER_BYTES_MAX   16384

struct chunked {
    uint64_t left; /* of the current chunk's payload; while its size is read, the size so far */
    uint8_t state; /* enum chunked_state of chunked.c */
    uint8_t digits;
    uint16_t line_bytes; /* of extensions, or of the trailer section */
};

void chunked_init(struct chunked *chunked);

/* Decodes `size` bytes at `data` in place: the payload is moved together to the front of `data`,
 * *payload_size_out bytes of it, also when the status is an error. What lies between the payload
 * and *consumed_out is undefined; bytes from *consumed_out on are untouched.
 * STATUS_OK: the body is complete; bytes after *consumed_out belong to the next message.
 * STATUS_AGAIN: all bytes were consumed and more are needed.
 * STATUS_PROTOCOL: no size, more than 16 digits or a size over 2^62, a bare CR or LF, a control
 * byte, something other than CRLF after the payload. STATUS_TOO_LARGE: see the limits above.
 * Extensions are checked for control bytes, trailers for their names too; both are left out. */
MUST_CHECK enum status chunked_decode(struct chunked *chunked, char *data, size_t size,
                                      size_t *consumed_out, size_t *payload_size_out);

/* The body is complete. */
bool chunked_is_done(const struct chunked *chunked);

/* What ends a chunk's payload, and what ends a body without trailers (after the last payload's
 * own CRLF). */
#define CHUNKED_PAYLOAD_END  SLICE("\r\n")
#define CHUNKED_BODY_END     SLICE("0\r\n\r\n")

#define CHUNKED_HEADER_BYTES 20

/* Writes the size in hexadecimal and CRLF; returns the length. `size` > 0: zero is the end. */
size_t chunked_header(uint64_t size, char header_out[CHUNKED_HEADER_BYTES]);

#endif
