/* The routes of weir's HTTP API: one table that dispatch, metrics and tests read.
 *
 * Every path also answers without its /v1. */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "gateway/error.h"

struct request;

enum route_method {
    ROUTE_METHOD_GET = 1, /* and HEAD */
    ROUTE_METHOD_POST = 2,
};

struct route {
    const char *path; /* with its /v1; one that ends in '/' has a rest, such as a model's name */
    const char *name; /* what metrics call it */
    enum route_method method;
    enum error_style style;
    bool needs_key;
    const char *upstream_path; /* below the provider's base URL; NULL: upstream is not called */
    void (*handle)(struct request *request);
    const char *allow; /* for the Allow header */
};

/* The route of a path (without its query), or NULL. `rest_out` is what follows a route that ends
 * in '/'. */
const struct route *route_find(struct slice path, struct slice *rest_out);

/* The route's place in the table, which is its index among the endpoints of the metrics. */
uint32_t route_index(const struct route *route);
const char *const *route_metric_names(uint32_t *count_out);

/* Whether the path is a route's with one "/v1" too many. */
bool route_is_doubled(struct slice path);

#endif
