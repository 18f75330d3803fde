/* A new, a changed or a removed provider or model of the API, with an entry in the audit chain.
 *
 * Thread: the store's. Errors: those of change_end() and of the store's call. */
#ifndef ADMIN_DEFINITION_CHANGE_H
#define ADMIN_DEFINITION_CHANGE_H

#include "admin/context.h"
#include "store/store_overlay.h"

/* STATUS_EXISTS: the name is taken. */
MUST_CHECK enum status definition_enter(struct admin_context *context, enum store_section section,
                                        const struct store_definition *definition,
                                        struct reason *reason);
/* Writes definition and updated_at_us. STATUS_NOT_FOUND. */
MUST_CHECK enum status definition_change(struct admin_context *context, enum store_section section,
                                         const struct store_definition *definition,
                                         struct reason *reason);
/* `with_secret`: the provider's secret goes with it, if there is one. STATUS_NOT_FOUND. */
MUST_CHECK enum status definition_remove(struct admin_context *context, enum store_section section,
                                         struct slice name, bool with_secret,
                                         struct reason *reason);

#endif
