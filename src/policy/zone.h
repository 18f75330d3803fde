/* Time zones by their names in the IANA database, as the system has it (TZif, RFC 9636).
 *
 * A zone is read once and kept for the life of the process, so that it may be shared without a
 * count. What the file's own transitions do not reach follows its footer (POSIX TZ string).
 *
 * Thread: zone_find() any, under a lock; a zone never changes. */
#ifndef POLICY_ZONE_H
#define POLICY_ZONE_H

#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

struct zone;

/* UTC, which needs no file. */
const struct zone *zone_utc(void);

/* The zone of that name, such as "Europe/Berlin"; "" and "UTC" are zone_utc(). Looked for in $TZDIR,
 * else /usr/share/zoneinfo. STATUS_NOT_FOUND: there is none of that name (names with ".." or a
 * leading "/" included). STATUS_INVALID: the file is no TZif. STATUS_NO_MEMORY, STATUS_IO. */
MUST_CHECK enum status zone_find(struct slice name, const struct zone **zone_out,
                                 struct reason *reason);
struct slice zone_name(const struct zone *zone);

/* Seconds east of UTC at that moment (seconds since 1970). */
int32_t zone_offset(const struct zone *zone, int64_t time_s);
/* The first moment after `time_s` at which the offset changes; INT64_MAX: never again. */
int64_t zone_next_change(const struct zone *zone, int64_t time_s);

/* Of its standard time, as the zone's latest rule has it. */
int32_t zone_standard_offset(const struct zone *zone);

#endif
