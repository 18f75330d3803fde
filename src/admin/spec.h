/* From a user or a key as the store has it to what the map holds of it. */
#ifndef ADMIN_SPEC_H
#define ADMIN_SPEC_H

#include "base/status.h"
#include "identity/map.h"
#include "store/store.h"

/* Borrows from `user`. STATUS_TOO_LARGE: the name exceeds what the map takes, which only a database
 * that was changed by hand can have. */
MUST_CHECK enum status admin_user_spec_of(const struct store_user *user,
                                          struct identity_user_spec *spec_out);
/* Borrows from `key`; the reference of `spec_out->rules` is the caller's until the map took it.
 * STATUS_TOO_LARGE: so are the models. STATUS_NO_MEMORY. */
MUST_CHECK enum status admin_spec_of(const struct store_key *key, struct identity_spec *spec_out);

#endif
