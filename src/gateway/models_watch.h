/* Keeps the lists of what providers have, for wildcard rules: read in the background, renewed
 * every MODELS_WATCH_MS, asked for again sooner while none is known. The last known list stays
 * when a provider is down.
 *
 * A provider is asked if a wildcard rule sends the client's own model names to it first.
 * Thread: the control loop's. Memory: the watch owns its endpoints and holds the snapshot. */
#ifndef GATEWAY_MODELS_WATCH_H
#define GATEWAY_MODELS_WATCH_H

#include "gateway/gateway.h"
#include "io/dns.h"

#define MODELS_WATCH_MS       (5 * 60 * 1000)
#define MODELS_WATCH_RETRY_MS 3000

struct models_watch;

/* STATUS_NO_MEMORY. Begins to ask at once. */
MUST_CHECK enum status models_watch_start(struct gateway *gateway, struct loop *loop,
                                          struct dns *dns, struct log_producer *log,
                                          struct models_watch **watch_out);
/* Follows to the gateway's snapshot after a reload. */
void models_watch_follow(struct models_watch *watch);
/* Ends its tasks, in the turns that follow. */
void models_watch_stop(struct models_watch *watch);
bool models_watch_is_quiet(const struct models_watch *watch);
void models_watch_destroy(struct models_watch **watch);

#endif
