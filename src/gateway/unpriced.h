/* Warns of targets whose requests have no known cost: of each once for a snapshot of the
 * configuration, by whichever worker comes first.
 *
 * Names of models may be the clients', so the number is bounded: after UNPRICED_MAX targets one line
 * says that there are more, and then there is silence until the next snapshot. Every such request is
 * counted in weir_requests_unpriced_total all the same.
 *
 * Thread: any, without a lock. Memory: nothing of its own. */
#ifndef GATEWAY_UNPRICED_H
#define GATEWAY_UNPRICED_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/slice.h"
#include "models/price.h"
#include "telemetry/log.h"

#define UNPRICED_MAX   128
#define UNPRICED_SLOTS 1024 /* with as many threads as there may be at the limit, some stay empty */

/* Begins zeroed. */
struct unpriced {
    _Atomic uint64_t marks[UNPRICED_SLOTS]; /* of a target and what was said of it; 0: empty */
    atomic_uint count;
};

/* A request to the provider's model was answered, and `price`, which may be an unknown one, does not
 * say what it costs. */
void unpriced_warn(struct unpriced *unpriced, struct log_producer *log, struct slice provider,
                   struct slice model, const struct price *price);

#endif
