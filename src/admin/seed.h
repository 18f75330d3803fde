/* What budgets begin with: what the ledger says was spent in their windows, before anybody counted.
 *
 * At start all of them, once the journal of a former process is taken over; later each that is new.
 * What runs meanwhile is counted when it ends: gateway/late_budgets.h. (But not what ends in the
 * milliseconds between the reading and the publishing.)
 *
 * Thread: the store's, before the levels are published. Memory: nothing stays. Errors: those of
 * store_spend_list(); levels may be seeded in part then and are not to be used. */
#ifndef ADMIN_SEED_H
#define ADMIN_SEED_H

#include "admin/context.h"
#include "gateway/snapshot.h"
#include "policy/level.h"
#include "store/store_usage.h"

/* Whether a budget is there at all: of the map's keys, users and teams, or of the configuration. */
bool seed_is_needed(struct admin_context *context, const struct snapshot *snapshot);

/* Of every key, user and team in the map, and of the snapshot. */
MUST_CHECK enum status seed_all_levels(struct admin_context *context,
                                       const struct snapshot *snapshot, struct reason *reason);

/* Of those budgets of the snapshot that `former` does not have. */
MUST_CHECK enum status seed_snapshot_levels(struct admin_context *context,
                                            const struct snapshot *snapshot,
                                            const struct snapshot *former, struct reason *reason);

/* Waits until what has ended by now is in the store, where there is a ledger; a second at most. Before
 * seed_read(). */
void seed_catch_up(struct admin_context *context);

/* Whose level it is. */
struct seed_owner {
    enum store_group by; /* STORE_GROUP_KEY, _USER or _TEAM */
    const struct id *id;
    const struct zone *zone; /* of its calendar; NULL: UTC */
    bool is_new;             /* nobody has spent anything yet */
};
/* What was spent in the window of now, and in the one before it where there is one. */
struct seed_spending {
    struct window windows[2];
    uint64_t spent_nanousd[2];
    size_t count;
};
/* Changes nothing. */
MUST_CHECK enum status seed_read(struct admin_context *context, const struct seed_owner *owner,
                                 enum limit_window unit, struct seed_spending *spending_out,
                                 struct reason *reason);
void seed_with(struct level *level, size_t index, const struct seed_spending *spending);
/* Of those budgets of one level that `former` (may be NULL) does not have. */
MUST_CHECK enum status seed_level(struct admin_context *context, const struct seed_owner *owner,
                                  struct level *level, const struct level *former,
                                  struct reason *reason);

#endif
