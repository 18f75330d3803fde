/* What a report of usage is asked for, as people write it. Pure: the time is a parameter. */
#ifndef ADMIN_USAGE_QUERY_H
#define ADMIN_USAGE_QUERY_H

#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "store/store_usage.h"

/* "key", "user", "team", "model", "provider", "day" or "hour". STATUS_INVALID: none of them; the
 * reason names the nearest. */
MUST_CHECK enum status usage_group_find(struct slice name, enum store_group *group_out,
                                        struct reason *reason);
/* The same back; NULL for STORE_GROUP_NONE. Static storage. */
const char *usage_group_name(enum store_group group);

/* Reads a duration back from now (30d, 12h; units s, m, h, d, w), a day (2026-01-31, its start in
 * UTC) or a time (RFC 3339). A duration longer than since 1970 is 0. STATUS_INVALID. */
MUST_CHECK enum status usage_time_parse(struct slice text, uint64_t now_us, uint64_t *time_us_out,
                                        struct reason *reason);

#endif
