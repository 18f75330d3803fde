/* Days as "2026-01-31", UTC. */
#ifndef MODELS_PRICE_DAY_H
#define MODELS_PRICE_DAY_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

#define PRICE_DAY_BYTES 10

/* The first microsecond of the day, since 1970. STATUS_INVALID: no day of 1970 to 9999. */
MUST_CHECK enum status price_day_parse(struct slice text, uint64_t *time_us_out);

#endif
