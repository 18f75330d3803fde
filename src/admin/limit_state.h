/* Where limits and budgets stand, as the admin API shows them.
 *
 *   {"level":"user","id":…,"name":"ada","limit":"60req/min","used":12,"remaining":48,"reset_at":…}
 *   {…,"budget":"10usd/month","warn_only":false,"spent":"1.5","spent_nanousd":…,"held":"0.25",
 *    "held_nanousd":…,"remaining":"8.25","remaining_nanousd":…,"reset_at":…}
 *
 * `reset_at`: when it is as if unused; null: never. Thread: any; a moment's figures. */
#ifndef ADMIN_LIMIT_STATE_H
#define ADMIN_LIMIT_STATE_H

#include <stdint.h>

#include "base/id.h"
#include "base/slice.h"
#include "json/write.h"
#include "policy/admission.h"

/* Whose level it is; `id` may be NULL, `name` empty. */
struct limit_owner {
    enum level_kind kind;
    const struct id *id;
    struct slice name;
    const struct zone *zone; /* of its calendar; NULL: UTC */
};

struct limit_moment {
    uint64_t now_ns, now_us; /* monotonic; since 1970 */
};

/* Writes an object for each limit of the level that is a budget, or that is none. */
void limit_state_write(struct json_writer *writer, const struct limit_owner *owner,
                       const struct level *level, const struct limit_moment *moment,
                       bool are_budgets);

#endif
