/* When a key ends, as people write it. Pure: the time is a parameter. */
#ifndef ADMIN_EXPIRY_H
#define ADMIN_EXPIRY_H

#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

/* Reads a duration from now (`90d`; units s, m, h, d), a time (RFC 3339, as
 * 2026-12-31T23:59:59+01:00) or a day (2026-12-31, its start in UTC). The time is after `now_us`
 * and before the year 10000. STATUS_INVALID. */
MUST_CHECK enum status expiry_parse(struct slice text, uint64_t now_us, uint64_t *expires_at_us_out,
                                    struct reason *reason);

#endif
