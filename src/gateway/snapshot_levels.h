/* The limits of the configuration: of its rules, its providers and the whole gateway.
 *
 * Made with a snapshot; what was counted by the former snapshot goes on by name. Thread: the control
 * thread makes them, workers read. Memory: the levels are the snapshot's. */
#ifndef GATEWAY_SNAPSHOT_LEVELS_H
#define GATEWAY_SNAPSHOT_LEVELS_H

#include <stdint.h>

#include "base/status.h"
#include "policy/level.h"

struct snapshot;

struct snapshot_levels {
    struct level **rules;     /* one for each rule; NULL: it has no limits */
    struct level **providers; /* the same */
    struct level *gateway;
};

/* `former` may be NULL. STATUS_NO_MEMORY, STATUS_LIMITED. */
MUST_CHECK enum status snapshot_levels_make(struct snapshot *snapshot, struct counters *counters,
                                            const struct snapshot *former);
/* When the snapshot is put in force in the place of the former one. */
void snapshot_levels_succeed(struct snapshot *snapshot, const struct snapshot *former,
                             uint64_t now_ns);
void snapshot_levels_free(struct snapshot *snapshot);

#endif
