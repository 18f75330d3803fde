/* Reading UTF-8 that may be none (RFC 3629). Pure. */
#ifndef TELEMETRY_UTF8_H
#define TELEMETRY_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define UTF8_INVALID UINT32_MAX

/* Reads the character at `at` (< text.size) and returns how many bytes it takes. Bytes that begin
 * no character give UTF8_INVALID and the size of the longest start of one, at least 1 (Unicode
 * 15, section 3.9, "maximal subpart"). */
size_t utf8_next(struct slice text, size_t at, uint32_t *code_out);

/* The size without a character that begins near the end and is not there whole: what a cut at any
 * byte may have left. */
size_t utf8_whole_size(struct slice text);

#endif
