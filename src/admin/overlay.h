/* What the store adds to the configuration, ready for config_load_again().
 *
 * Thread: the store's to load, any one at a time from then on. Memory: an overlay owns all its texts, and
 * wipes the secrets among them at its end. */
#ifndef ADMIN_OVERLAY_H
#define ADMIN_OVERLAY_H

#include "base/arena.h"
#include "base/reason.h"
#include "base/status.h"
#include "config/config.h"
#include "config/overlay.h"
#include "store/store_overlay.h"

struct admin_context;

struct overlay {
    struct config_overlay entries;
    struct arena arena;
};

/* Without opening a secret: a text that is none stands for each. For who only looks. STATUS_NO_MEMORY;
 * else those of the store. */
MUST_CHECK enum status overlay_load_sealed(struct store *store, struct overlay **overlay_out,
                                           struct reason *reason);
/* With the secrets, under the master key that `config` or another place gives.
 * Statuses of secret_load_key() and secret_open(), too. */
MUST_CHECK enum status overlay_load(struct admin_context *context, const struct config *config,
                                    struct overlay **overlay_out, struct reason *reason);
/* Destroys *overlay, if any, and sets it to NULL. */
void overlay_destroy(struct overlay **overlay);

#endif
