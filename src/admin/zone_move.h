/* Budgets of a team, its users and their keys that go on in another time zone: their days, weeks and
 * months are other ones, and what was spent in those is what the ledger says.
 *
 *     zone_move_prepare_…()  →  the store changes  →  zone_move_apply()
 *
 * What is in flight meanwhile is not counted when it settles: see admin/seed.h.
 * Thread: the store's; nothing is removed from the map between preparing and applying. Memory: a move
 * owns its list until zone_move_free(). Errors: STATUS_NO_MEMORY, those of store_spend(). */
#ifndef ADMIN_ZONE_MOVE_H
#define ADMIN_ZONE_MOVE_H

#include <stddef.h>

#include "admin/context.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/zone.h"

struct zone_move_item;

struct zone_move {
    struct zone_move_item *items;
    size_t count, capacity;
    enum status status; /* of its making */
};

/* The zone may be NULL: UTC. Of the same zone as before the move is empty. On an error *move_out is
 * to be freed, too. */
MUST_CHECK enum status zone_move_prepare_team(struct admin_context *context,
                                              const struct identity_team *team,
                                              const struct zone *zone, struct zone_move *move_out,
                                              struct reason *reason);
/* The team is removed: its users and their keys go on in UTC. */
MUST_CHECK enum status zone_move_prepare_release(struct admin_context *context,
                                                 const struct identity_team *team,
                                                 struct zone_move *move_out, struct reason *reason);
MUST_CHECK enum status zone_move_prepare_user(struct admin_context *context,
                                              const struct identity_user *user,
                                              const struct zone *zone, struct zone_move *move_out,
                                              struct reason *reason);
/* Just before the new zone is published. */
void zone_move_apply(const struct zone_move *move);
void zone_move_free(struct zone_move *move);

#endif
