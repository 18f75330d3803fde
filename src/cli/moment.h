/* Times for people: "3 min ago", "in 89 days". Pure: the time now is a parameter. */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* Bytes of a description with its final zero. */
#define MOMENT_TEXT_BYTES 32

/* Reads what clock_format() writes, such as "2026-01-31T23:59:59.123Z" (RFC 3339 in UTC), from
 * 1970 on. STATUS_INVALID. */
MUST_CHECK enum status moment_parse(struct slice text, uint64_t *time_us_out);

/* How far it is from now, in one unit, rounded down; "now" below a second. */
void moment_describe(uint64_t time_us, uint64_t now_us, char text_out[MOMENT_TEXT_BYTES]);

#endif
