/* The two clocks. Pure code does not read them: it takes the time as a parameter. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define US_PER_S  UINT64_C(1000000)
#define US_PER_MS UINT64_C(1000)
#define MS_PER_S  UINT64_C(1000)

/* Never goes back; its zero means nothing. */
uint64_t clock_monotonic_ns(void);
/* Since 1970, UTC. */
uint64_t clock_realtime_us(void);

/* Bytes of "2026-01-31T23:59:59.123456Z" with the final zero. */
#define CLOCK_TEXT_BYTES 28

/* Writes RFC 3339 in UTC with `digits` (0, 3 or 6) after the second; returns the length. */
unsigned clock_format(uint64_t realtime_us, unsigned digits, char text_out[CLOCK_TEXT_BYTES]);

#endif
