/* From a key as the store has it to what the map holds of it. */
#ifndef ADMIN_SPEC_H
#define ADMIN_SPEC_H

#include "base/status.h"
#include "identity/map.h"
#include "store/store.h"

/* Borrows from `key`. STATUS_TOO_LARGE: the user's name or the models exceed what the map takes,
 * which only a database that was changed by hand can have. */
MUST_CHECK enum status admin_spec_of(const struct store_key *key, struct identity_spec *spec_out);

#endif
