#include "store/store_overlay.h"

#include "store/store_driver.h"

enum status store_secret_put(struct store *store, const struct store_secret *secret,
                             struct reason *reason)
{
    return store->driver->secret_put(store, secret, reason);
}

enum status store_secret_find(struct store *store, struct slice provider, struct arena *arena,
                              struct store_secret *secret_out, struct reason *reason)
{
    return store->driver->secret_find(store, provider, arena, secret_out, reason);
}

enum status store_secret_delete(struct store *store, struct slice provider, struct reason *reason)
{
    return store->driver->secret_delete(store, provider, reason);
}

enum status store_secrets_list(struct store *store, store_secret_visitor *visit, void *context,
                               struct reason *reason)
{
    return store->driver->secrets_list(store, visit, context, reason);
}

enum status store_definition_create(struct store *store, enum store_section section,
                                    const struct store_definition *definition,
                                    struct reason *reason)
{
    return store->driver->definition_create(store, section, definition, reason);
}

enum status store_definition_update(struct store *store, enum store_section section,
                                    const struct store_definition *definition,
                                    struct reason *reason)
{
    return store->driver->definition_update(store, section, definition, reason);
}

enum status store_definition_delete(struct store *store, enum store_section section,
                                    struct slice name, struct reason *reason)
{
    return store->driver->definition_delete(store, section, name, reason);
}

enum status store_definition_find(struct store *store, enum store_section section,
                                  struct slice name, struct arena *arena,
                                  struct store_definition *definition_out, struct reason *reason)
{
    return store->driver->definition_find(store, section, name, arena, definition_out, reason);
}

enum status store_definitions_list(struct store *store, enum store_section section,
                                   store_definition_visitor *visit, void *context,
                                   struct reason *reason)
{
    return store->driver->definitions_list(store, section, visit, context, reason);
}
