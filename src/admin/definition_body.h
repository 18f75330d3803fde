/* The body that defines a provider or model, and back. Private to the operations. */
#ifndef ADMIN_DEFINITION_BODY_H
#define ADMIN_DEFINITION_BODY_H

#include "admin/operation.h"
#include "store/store_overlay.h"

/* Reads the body as a definition, in `arena`: compact, without the member `name` of a provider, which a
 * file has outside of the entry, and with that of a model, which comes first. `name` of the definition is
 * taken from the body, or if it is set, must not be another one there. Returns 0 or the problem's status. */
unsigned definition_read(struct operation *operation, enum store_section section,
                         struct store_definition *definition);

/* Whether the definition of a model names this provider among its targets. */
bool definition_names_provider(struct slice definition, struct slice provider, struct arena *arena);

#endif
