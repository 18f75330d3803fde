#include "gateway/route.h"

#include "gateway/chat.h"
#include "gateway/count_route.h"
#include "gateway/models_route.h"
#include "gateway/probes.h"
#include "gateway/simple_chat.h"
#include "gateway/stats.h"
#include "telemetry/metrics.h"

static const struct route routes[] = {
    {"/v1/chat/completions", "/v1/chat/completions", ROUTE_METHOD_POST, ERROR_STYLE_OPENAI, true,
     "/chat/completions", chat_handle, "POST, OPTIONS"},
    {"/v1/chat/completions/count", "/v1/chat/completions/count", ROUTE_METHOD_POST,
     ERROR_STYLE_OPENAI, true, NULL, count_handle, "POST, OPTIONS"},
    {"/v1/completions", "/v1/completions", ROUTE_METHOD_POST, ERROR_STYLE_OPENAI, true,
     "/completions", chat_handle, "POST, OPTIONS"},
    {"/v1/embeddings", "/v1/embeddings", ROUTE_METHOD_POST, ERROR_STYLE_OPENAI, true, "/embeddings",
     chat_handle, "POST, OPTIONS"},
    {"/v1/moderations", "/v1/moderations", ROUTE_METHOD_POST, ERROR_STYLE_OPENAI, true,
     "/moderations", chat_handle, "POST, OPTIONS"},
    {"/v1/models", "/v1/models", ROUTE_METHOD_GET, ERROR_STYLE_OPENAI, true, NULL, models_handle,
     "GET, HEAD, OPTIONS"},
    {"/v1/models/", "/v1/models/{id}", ROUTE_METHOD_GET, ERROR_STYLE_OPENAI, true, NULL,
     model_handle, "GET, HEAD, OPTIONS"},
    {"/v1/chat", "/v1/chat", ROUTE_METHOD_POST, ERROR_STYLE_DETAIL, true, "/chat/completions",
     simple_chat_handle, "POST, OPTIONS"},
    {"/v1/chat/stream", "/v1/chat/stream", ROUTE_METHOD_POST, ERROR_STYLE_DETAIL, true,
     "/chat/completions", simple_chat_stream_handle, "POST, OPTIONS"},
    {"/v1/stats", "/v1/stats", ROUTE_METHOD_GET, ERROR_STYLE_DETAIL, true, NULL, stats_handle,
     "GET, HEAD, OPTIONS"},
    {"/v1/health", "/v1/health", ROUTE_METHOD_GET, ERROR_STYLE_DETAIL, false, NULL, health_handle,
     "GET, HEAD, OPTIONS"},
    {"/livez", "/livez", ROUTE_METHOD_GET, ERROR_STYLE_PLAIN, false, NULL, livez_handle,
     "GET, HEAD, OPTIONS"},
    {"/readyz", "/readyz", ROUTE_METHOD_GET, ERROR_STYLE_PLAIN, false, NULL, readyz_handle,
     "GET, HEAD, OPTIONS"},
    {"/healthz", "/healthz", ROUTE_METHOD_GET, ERROR_STYLE_PLAIN, false, NULL, readyz_handle,
     "GET, HEAD, OPTIONS"},
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))
#define VERSION     SLICE("/v1")

_Static_assert(ROUTE_COUNT <= METRICS_ENDPOINTS_MAX, "each route has its place in the metrics");

static bool matches(const struct route *route, struct slice path, struct slice *rest_out)
{
    const struct slice own = slice_from_text(route->path);
    if (own.data[own.size - 1] != '/')
        return slice_equal(own, path);
    if (path.size <= own.size || !slice_starts_with(path, own))
        return false;
    *rest_out = slice_from(path, own.size);
    return true;
}

/* `path` is compared with the routes' paths from `from` on: all of them, or what follows /v1. */
static const struct route *find(struct slice path, size_t from, struct slice *rest_out)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        struct route shortened = routes[i];
        if (from > 0 && !slice_starts_with(slice_from_text(shortened.path), VERSION))
            continue;
        shortened.path += from;
        if (matches(&shortened, path, rest_out))
            return &routes[i];
    }
    return NULL;
}

const struct route *route_find(struct slice path, struct slice *rest_out)
{
    *rest_out = (struct slice){0};
    const struct route *route = find(path, 0, rest_out);
    return route != NULL ? route : find(path, VERSION.size, rest_out);
}

uint32_t route_index(const struct route *route)
{
    return (uint32_t)(route - routes);
}

const char *const *route_metric_names(uint32_t *count_out)
{
    static const char *names[ROUTE_COUNT];
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        names[i] = routes[i].name;
    *count_out = ROUTE_COUNT;
    return names;
}

bool route_is_doubled(struct slice path)
{
    struct slice rest;
    return slice_starts_with(path, SLICE("/v1/v1/")) &&
           route_find(slice_from(path, VERSION.size), &rest) != NULL;
}
