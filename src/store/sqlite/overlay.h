/* The operations of the driver on secrets and definitions. See store/store_overlay.h for each one's
 * contract. */
#ifndef STORE_SQLITE_OVERLAY_H
#define STORE_SQLITE_OVERLAY_H

#include "store/store_overlay.h"

enum status sqlite_secret_put(struct store *store, const struct store_secret *secret,
                              struct reason *reason);
enum status sqlite_secret_find(struct store *store, struct slice provider, struct arena *arena,
                               struct store_secret *secret_out, struct reason *reason);
enum status sqlite_secret_delete(struct store *store, struct slice provider, struct reason *reason);
enum status sqlite_secrets_list(struct store *store, store_secret_visitor *visit, void *context,
                                struct reason *reason);

enum status sqlite_definition_create(struct store *store, enum store_section section,
                                     const struct store_definition *definition,
                                     struct reason *reason);
enum status sqlite_definition_update(struct store *store, enum store_section section,
                                     const struct store_definition *definition,
                                     struct reason *reason);
enum status sqlite_definition_delete(struct store *store, enum store_section section,
                                     struct slice name, struct reason *reason);
enum status sqlite_definition_find(struct store *store, enum store_section section,
                                   struct slice name, struct arena *arena,
                                   struct store_definition *definition_out, struct reason *reason);
enum status sqlite_definitions_list(struct store *store, enum store_section section,
                                    store_definition_visitor *visit, void *context,
                                    struct reason *reason);

#endif
