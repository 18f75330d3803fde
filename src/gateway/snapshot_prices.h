/* The prices of a snapshot: the configuration's list, and where each provider stands in the
 * catalogue. Pure but for memory. */
#ifndef GATEWAY_SNAPSHOT_PRICES_H
#define GATEWAY_SNAPSHOT_PRICES_H

#include "base/reason.h"
#include "base/status.h"
#include "gateway/snapshot.h"

/* STATUS_NO_MEMORY; STATUS_INVALID: an entry is none, the reason says which. */
MUST_CHECK enum status snapshot_prices_make(struct snapshot *snapshot, struct reason *reason);

#endif
