/* The store's part of the configuration: prices, providers, models and credentials that were set through
 * commands and the admin API.
 *
 * Thread: the store's. */
#ifndef CLI_STORE_PART_H
#define CLI_STORE_PART_H

#include "admin/context.h"
#include "admin/overlay.h"
#include "config/report.h"
#include "models/price_list.h"

struct store_part {
    struct price_list *prices;
    struct overlay *overlay;
    const struct config *config; /* with the overlay */
    struct config_report report; /* of the loading */
};

/* Loads all of it for the configuration, which may have another overlay up to now. *part_out is to be
 * dropped in any case. Statuses of price_store_load(), overlay_load() and config_load_again(). */
MUST_CHECK enum status store_part_load(struct admin_context *context, const struct config *config,
                                       struct store_part *part_out, struct reason *reason);
/* Frees what was not taken over, which is NULL in its place. */
void store_part_drop(struct store_part *part);

/* Puts what the store adds, credentials as a mere sign, into *config, which is taken over and given back. For
 * commands that show it. Statuses of overlay_load_sealed() and config_load_again(). */
MUST_CHECK enum status store_part_look(struct store *store, const struct config **config,
                                       struct reason *reason);

#endif
