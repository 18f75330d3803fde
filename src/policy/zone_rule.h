/* The rule that a TZif file ends with: a TZ string of POSIX (XBD section 8.3) with the hours of RFC 9636
 * section 3.3.1, as `CET-1CEST,M3.5.0,M10.5.0/3`.
 *
 * Thread: any; pure. */
#ifndef POLICY_ZONE_RULE_H
#define POLICY_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

struct zone_rule_day {
    enum {
        ZONE_RULE_JULIAN,  /* Jn: day 1 to 365, 29 February never counted */
        ZONE_RULE_ORDINAL, /* n: day 0 to 365 */
        ZONE_RULE_MONTH,   /* Mm.w.d: the w-th (5: the last) weekday d of the month m */
    } kind;
    unsigned month, week, day;
    int32_t time_s; /* after midnight; within ±167 h */
};

struct zone_rule {
    int32_t standard_offset_s; /* east of UTC */
    int32_t summer_offset_s;
    bool has_summer;
    struct zone_rule_day summer_start, summer_end;
};

/* STATUS_INVALID. */
MUST_CHECK enum status zone_rule_parse(struct slice text, struct zone_rule *rule_out);
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t time_s);
/* The first moment after `time_s` at which the offset changes; INT64_MAX: never. */
int64_t zone_rule_next_change(const struct zone_rule *rule, int64_t time_s);

#endif
