/* The limits on JSON as the worker's loop wants them: long texts are read in slices, between
 * which others get their turn. */
#ifndef GATEWAY_LIMITS_H
#define GATEWAY_LIMITS_H

#include "gateway/worker.h"
#include "json/json.h"

/* For texts that lie in memory of their own; the scratch does not outlive a pause, and what lies
 * there is shorter than a slice. */
struct json_limits limits_for_json(struct worker *worker);

#endif
