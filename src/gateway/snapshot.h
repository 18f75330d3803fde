/* What the configuration in force means to the workers: providers made ready to be called.
 *
 * Lifecycle: made by the control thread at start and at each reload; each worker holds it by one
 * reference, delivered through its mailbox; the last one to let go frees it.
 * Thread: any may read it; what changes in it is atomic. Memory: it owns all that it points to,
 * and one reference of the configuration. */
#ifndef GATEWAY_SNAPSHOT_H
#define GATEWAY_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "config/config.h"
#include "gateway/snapshot_levels.h"
#include "gateway/unpriced.h"
#include "io/address.h"
#include "io/tls.h"
#include "models/catalogue.h"
#include "models/catalogue_provider.h"
#include "models/price_list.h"
#include "telemetry/metrics.h"
#include "upstream/endpoint.h"

struct provider {
    const struct config_provider *config;
    uint32_t metrics_index;
    struct catalogue_provider catalogue; /* where its prices and windows stand; may be empty */
    struct tls_context *tls;             /* owned; NULL: in the clear */
    struct slice head_lines;             /* Host, credentials and fixed headers of every call */
    struct slice proxy_authorization;    /* "Basic …", or empty */
    atomic_bool refuses_stream_options;  /* it answered 400 to them: no longer asked */
    struct upstream_load load;
};

/* Whether the configuration sets this header for every call: it stands in head_lines then, and
 * nobody else's may stand beside it. */
bool provider_sets_header(const struct config_provider *config, struct slice name);

struct snapshot_listener {
    struct address address;
    struct tls_context *tls; /* owned; NULL: in the clear */
};

struct snapshot {
    const struct config *config;
    struct snapshot_listener *listeners; /* config->listen.count of them */
    struct provider *providers;          /* config->provider_count of them */
    uint32_t **target_metrics; /* of each rule, of each of its targets: cells of the metrics */
    struct catalogue catalogue;
    struct price_list *config_prices; /* owned */
    struct price_list *store_prices;  /* a reference; of `weir prices set` */
    struct snapshot_levels levels;    /* their limits and what is counted */
    struct unpriced unpriced;
    struct slice cors_lines; /* of every answer, where the origin does not matter; else empty */
    struct slice cors_exposed_lines; /* of answers to an origin that is allowed */
    atomic_uint references;
    struct arena arena;
};

/* Takes over the caller's reference of *config in any case. STATUS_INVALID: a CA, certificate or key
 * file cannot be used, the reason says which; STATUS_NO_MEMORY. */
MUST_CHECK enum status snapshot_create(const struct config **config, struct metrics *metrics,
                                       struct snapshot **snapshot_out, struct reason *reason);
/* The same for who wants to know prices and calls no provider: without TLS, listeners and metrics. */
MUST_CHECK enum status snapshot_create_for_prices(const struct config **config,
                                                  struct snapshot **snapshot_out,
                                                  struct reason *reason);
/* How a provider of the snapshot is reached. Borrows from both. */
struct upstream_endpoint_config snapshot_endpoint(const struct snapshot *snapshot,
                                                  const struct provider *provider);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot **snapshot);

#endif
