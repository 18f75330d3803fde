/* Durations, sizes and money as they stand in the configuration and on the command line.
 *
 * Thread: any. Memory: nothing is kept. Errors: STATUS_INVALID: not of that form (or with a
 * fraction that is no whole number of the smallest unit); STATUS_TOO_LARGE: over UINT64_MAX. */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* Bytes of the longest text below, with its final zero. */
#define UNITS_TEXT_BYTES 32

/* "250ms", "5s", "10m", "1h", "30d", or a sum such as "1h30m"; "0" needs no unit. */
MUST_CHECK enum status units_parse_duration(struct slice text, uint64_t *duration_ms_out);
/* "65536", "64KiB", "32MiB", "1GiB", "1TiB"; also "B" and the decimal "KB", "MB", "GB", "TB". */
MUST_CHECK enum status units_parse_size(struct slice text, uint64_t *bytes_out);
/* "10usd", "0.40usd": decimal dollars, exact to the billionth. */
MUST_CHECK enum status units_parse_money(struct slice text, uint64_t *nanousd_out);

/* Writes the shortest text that parses to the same value, such as "90s", "5m", "64KiB" or
 * "0.4usd"; returns its length. */
unsigned units_format_duration(uint64_t duration_ms, char text_out[UNITS_TEXT_BYTES]);
unsigned units_format_size(uint64_t bytes, char text_out[UNITS_TEXT_BYTES]);
unsigned units_format_money(uint64_t nanousd, char text_out[UNITS_TEXT_BYTES]);

#endif
