/* The zones of tests/fixtures/zones; tests run in the repository's root. */
#ifndef TESTS_POLICY_ZONE_FILES_H
#define TESTS_POLICY_ZONE_FILES_H

#include <stdlib.h>

#include "base/assert.h"
#include "policy/zone.h"

#define ZONE_FILES "tests/fixtures/zones/files"

static inline const struct zone *zone_of(const char *name)
{
    const struct zone *zone = NULL;
    ASSERT(setenv("TZDIR", ZONE_FILES, 1) == 0);
    ASSERT(zone_find(slice_from_text(name), &zone, NULL) == STATUS_OK);
    return zone;
}

#endif
