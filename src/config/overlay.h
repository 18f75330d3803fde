/* What the store adds to the configuration of the file: entries with the members that they have in a
 * file, as JSON, which is YAML. They are read by the same tables and with the same complaints, but
 * reach neither the environment nor the file system.
 *
 * Thread: any. Memory: borrowed for the time of a load. */
#ifndef CONFIG_OVERLAY_H
#define CONFIG_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct config_entry {
    struct slice name;
    struct slice text; /* a JSON object; of a secret the credential itself */
    /* Of the entry at hand a mistake is the report's. Any other one with a mistake, which a change of the
     * file can have brought, is left out with a notice: what is in the store stops no start. */
    bool is_new;
};

struct config_entries {
    const struct config_entry *items;
    size_t count;
};

struct config_overlay {
    struct config_entries providers; /* by the name of the provider, as the secrets */
    struct config_entries models;    /* each has its `name` in its text, too */
    struct config_entries secrets;
};

/* The entry of that name, or NULL. */
const struct config_entry *config_entry_find(const struct config_entries *entries,
                                             struct slice name);

#endif
