/* Whether a provider or model that the API is to add would hold: the configuration in force is loaded once
 * more, with it. Private to the operations. */
#ifndef ADMIN_DEFINITION_TRIAL_H
#define ADMIN_DEFINITION_TRIAL_H

#include "admin/operation.h"
#include "config/overlay.h"
#include "store/store_overlay.h"

/* Takes the place of the entry of its name, or comes last. Returns 0, and gives the caller a reference to
 * the configuration that it makes; or the status of the problem, which quotes what the configuration has to
 * say: 400 for a mistake, 503. */
unsigned definition_trial(struct operation *operation, enum store_section section,
                          const struct store_definition *candidate,
                          const struct config **config_out);

#endif
