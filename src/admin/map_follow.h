/* The map follows the store: what it needs for a change is made before the store changes, so that the
 * two cannot part.
 *
 *     map_prepare_…()  →  the store changes  →  map_end()
 *
 * The new rules of a level go on counting where the former ones left off. Without a map (a command, no
 * server) each of them does nothing. One change at a time.
 * Thread: the store's. Memory: a change owns what it prepared until map_end(). */
#ifndef ADMIN_MAP_FOLLOW_H
#define ADMIN_MAP_FOLLOW_H

#include "admin/context.h"
#include "admin/zone_move.h"
#include "base/reason.h"
#include "base/status.h"
#include "store/store.h"

struct map_change {
    struct admin_context *context;         /* NULL: nothing to publish */
    struct identity_change *owner;         /* of a user or a team */
    struct identity_key *key;              /* the entry of a key's secret, */
    struct identity_key *former;           /* and of its former one while that works */
    unsigned char ended[2][KEY_HASH_SIZE]; /* of former secrets that work no more */
    unsigned ended_count;
    struct id removed_team;
    bool has_removed_team;
    struct level *level;        /* of the new rules, */
    struct level *former_level; /* which takes the place of this one; references */
    struct zone_move move;      /* of budgets whose days are other ones from now on */
};

/* Makes the map and fills it from the store. STATUS_NO_MEMORY; STATUS_TOO_LARGE, STATUS_INVALID: the
 * database has names, lists or limits that weir does not make; STATUS_NOT_FOUND: a team's time zone is
 * not on this system; those of the store's lists. */
MUST_CHECK enum status map_fill(struct admin_context *context, struct reason *reason);

/* What is prepared is as it will be. STATUS_NO_MEMORY; STATUS_LIMITED: the limits of all levels are
 * more than can be counted. Its user is in the map; of a change, `before` is the key as it was, else
 * NULL. */
MUST_CHECK enum status map_prepare_key(struct admin_context *context,
                                       const struct store_key *before, const struct store_key *key,
                                       struct map_change *change_out, struct reason *reason);
/* The same; its team, if any, is in the map. */
MUST_CHECK enum status map_prepare_user(struct admin_context *context,
                                        const struct store_user *user,
                                        struct map_change *change_out, struct reason *reason);
/* The same. STATUS_NOT_FOUND: its time zone is not on this system. */
MUST_CHECK enum status map_prepare_team(struct admin_context *context,
                                        const struct store_team *team,
                                        struct map_change *change_out, struct reason *reason);
/* Publishes what was prepared if `status`, which is what the store's change came to, is STATUS_OK; else
 * drops it. Returns `status`. */
MUST_CHECK enum status map_end(struct map_change *change, enum status status);

/* The team goes, and its users stay. */
MUST_CHECK enum status map_prepare_team_removal(struct admin_context *context,
                                                const struct id *team_id,
                                                struct map_change *change_out,
                                                struct reason *reason);
/* After the store forgot the user: with all its keys. */
void map_remove_user(struct admin_context *context, const struct id *user_id);

#endif
