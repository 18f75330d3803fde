/* Where limits and budgets stand, as the admin API shows them.
 *
 *   {"level":"user","id":…,"name":"ada","limit":"60req/min","kind":"requests","window":"minute",
 *    "amount":60,"used":12,"remaining":48,"reset_at":…,"warn_only":false}
 *   of a budget: "amount", "spent", "held" and "remaining" in dollars, each with "…_nanousd" beside it
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
    const struct level *level; /* NULL: it has none */
    const struct zone *zone;   /* of its calendar; NULL: UTC */
};

struct limit_moment {
    uint64_t now_ns, now_us; /* monotonic; since 1970 */
};

/* Whether the level has a budget, or a limit that is none. */
bool limit_state_has(const struct limit_owner *owner, bool are_budgets);
/* Writes an object for each of them. */
void limit_state_write(struct json_writer *writer, const struct limit_owner *owner,
                       const struct limit_moment *moment, bool are_budgets);

#endif
