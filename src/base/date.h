/* Days and times as people write them.
 *
 * Pure; thread: any; memory: nothing is kept. */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/slice.h"
#include "base/status.h"

#define DATE_DAY_BYTES 10 /* of "2026-12-31" */

/* Reads a day (2026-12-31: its start in UTC) or a time (RFC 3339 section 5.6, as
 * 2026-12-31T23:59:59+01:00) to the microsecond, in microseconds since 1970. STATUS_INVALID: it is
 * neither, lies before 1970 or after 9999, or is finer than a microsecond; *time_us_out is
 * untouched. */
MUST_CHECK enum status date_parse(struct slice text, uint64_t *time_us_out);

/* The same in seconds: a fraction of a second, of any length, is dropped, and a time after 9999 (in
 * another zone) is given. */
MUST_CHECK enum status date_parse_seconds(struct slice text, uint64_t *time_s_out);
/* Reads a day alone, exactly DATE_DAY_BYTES. STATUS_INVALID as above. */
MUST_CHECK enum status date_parse_day(struct slice text, uint64_t *time_us_out);

/* Writes the shortest text that date_parse() reads back, in UTC; returns its length. The time is
 * one that date_parse() gives. */
unsigned date_format(uint64_t time_us, char text_out[CLOCK_TEXT_BYTES]);

#endif
