/* Hexadecimal (RFC 4648 section 8, lower case), base64 (section 4) and CRC-32 (IEEE 802.3). */
#ifndef BASE_ENCODING_H
#define BASE_ENCODING_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

/* Writes 2 × size characters, no zero byte. */
void hex_encode(const void *bytes, size_t size, char *text_out);
/* Reads exactly 2 × size hexadecimal digits of either case. STATUS_INVALID otherwise. */
MUST_CHECK enum status hex_decode(struct slice text, void *bytes_out, size_t size);

/* Appends with padding. Statuses of buffer_append(). */
enum status base64_encode(struct slice bytes, struct buffer *text);
/* Appends what `text` (padded, no white space) stands for. STATUS_INVALID: it is not base64. */
MUST_CHECK enum status base64_decode(struct slice text, struct buffer *bytes);

uint32_t crc32_of(struct slice bytes);

#endif
