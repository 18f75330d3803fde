/* For the tests: a zone from the bytes of a file. */
#ifndef POLICY_ZONE_INTERNAL_H
#define POLICY_ZONE_INTERNAL_H

#include "policy/zone.h"

/* STATUS_INVALID: the bytes are no TZif, or count leap seconds. STATUS_NO_MEMORY. */
MUST_CHECK enum status zone_create(struct slice name, struct slice bytes, struct zone **zone_out,
                                   struct reason *reason);
void zone_destroy(struct zone **zone);

#endif
