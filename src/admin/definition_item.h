/* Providers and models as the admin API shows them.
 *
 *   provider: {"id","name","from","file","line","in_force","dialect","base_url","credential","definition",
 *             "created_at","updated_at"}
 *   model:    {"id","name","from","file","line","in_force","targets":[{"provider","model"}],"definition",
 *             "created_at","updated_at"}
 *
 * `from` is "file", "built-in" or "api"; `file` and `line` are set for the first, `id`, `definition` (as it
 * was given) and the times for the last. One of the API that is not in force, because the file has the same
 * name or it was left out, has null for what only the configuration tells. `credential` says where it comes
 * from: "file", "environment", "secret", "built-in", "none", or "missing" where it is empty and the provider
 * is not called. Private to the operations. */
#ifndef ADMIN_DEFINITION_ITEM_H
#define ADMIN_DEFINITION_ITEM_H

#include "config/config.h"
#include "json/write.h"
#include "store/store_overlay.h"

/* One of the file or a built-in one. */
void provider_item_write(struct json_writer *writer, const struct config *config,
                         const struct config_provider *provider);
void model_item_write(struct json_writer *writer, const struct config *config, size_t rule);
/* One of the API, beside the configuration that it is, or is to be, part of. */
void definition_item_write(struct json_writer *writer, const struct config *config,
                           enum store_section section, const struct store_definition *definition);

/* The API's provider or rule of that name as the configuration has it; NULL: it is not in force. */
const struct config_provider *definition_provider(const struct config *config, struct slice name);
const struct rule *definition_rule(const struct config *config, struct slice name);

#endif
