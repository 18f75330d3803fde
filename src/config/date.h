/* Days and times as people write them.
 *
 * Pure; thread: any; memory: nothing is kept. */
#ifndef CONFIG_DATE_H
#define CONFIG_DATE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/slice.h"
#include "base/status.h"

/* Reads a day (2026-12-31: its start in UTC) or a time (RFC 3339 section 5.6, as
 * 2026-12-31T23:59:59+01:00) to the microsecond, in microseconds since 1970. STATUS_INVALID: it is
 * neither, lies before 1970 or after 9999, or is finer than a microsecond; *time_us_out is
 * untouched. */
MUST_CHECK enum status date_parse(struct slice text, uint64_t *time_us_out);

/* Writes the shortest text that date_parse() reads back, in UTC; returns its length. The time is
 * one that date_parse() gives. */
unsigned date_format(uint64_t time_us, char text_out[CLOCK_TEXT_BYTES]);

#endif
