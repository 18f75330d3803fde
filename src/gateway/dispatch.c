#include "gateway/dispatch.h"

#include "base/uncleared.h"
#include "gateway/cors.h"
#include "gateway/gateway.h"
#include "gateway/request.h"

static void request_init(struct request *request, struct worker *worker,
                         struct http_exchange *exchange)
{
    _Static_assert(OUTCOME_COMPLETED == 0, "it is cleared");
    memset(request, 0, offsetof(struct request, account.sample));
    memset(&request->error, 0, offsetof(struct error, message));
    request->error.message[0] = '\0';
    request->reason.text[0] = '\0';
    request->worker = worker;
    request->exchange = exchange;
    request->calling = calling_enter(worker);
    request->id = id_make(loop_realtime_us(worker->loop));
    metric_add(&worker->metrics->requests_in_flight, 1);
}

static bool takes_method(const struct route *route, enum http_method method)
{
    switch (method) {
    case HTTP_METHOD_GET:
    case HTTP_METHOD_HEAD:
        return route->method == ROUTE_METHOD_GET;
    case HTTP_METHOD_POST:
        return route->method == ROUTE_METHOD_POST;
    default:
        return false;
    }
}

static void refuse_route(struct request *request)
{
    const struct slice path = request->exchange->head.path;
    if (route_is_doubled(path))
        request_fail(
            request, ERROR_NOT_FOUND, NULL,
            "There is no such route: the path begins with /v1 twice. Set the client's base "
            "URL to end in one /v1.");
    else
        request_fail(request, ERROR_NOT_FOUND, NULL, "There is no route %.*s.",
                     (int)(path.size < 128 ? path.size : 128), path.data);
}

/* Counts the request among those in flight, if the process may have one more. */
static bool enter(struct gateway *gateway)
{
    return atomic_fetch_add_explicit(&gateway->requests_in_flight, 1, memory_order_relaxed) <
           atomic_load_explicit(&gateway->requests_max, memory_order_relaxed);
}

static void route_request(struct request *request)
{
    struct http_exchange *exchange = request->exchange;
    request->route = route_find(exchange->head.path, &request->route_rest);
    if (exchange->head.method == HTTP_METHOD_OPTIONS) {
        cors_answer_options(request);
        return;
    }
    if (request->route == NULL) {
        refuse_route(request);
        return;
    }
    if (!takes_method(request->route, exchange->head.method)) {
        request_fail(request, ERROR_METHOD_NOT_ALLOWED, NULL, "This route takes %s.",
                     request->route->allow);
        return;
    }
    if (request->route->needs_key && request_authenticate(request) != STATUS_OK)
        return;
    request->route->handle(request);
}

void dispatch_handle(struct http_exchange *exchange, void *context)
{
    struct worker *worker = context;
    UNCLEARED struct request request;
    request_init(&request, worker, exchange);
    if (enter(worker->gateway)) {
        route_request(&request);
    } else {
        metric_add(&worker->metrics->requests_overload[METRICS_OVERLOAD_REQUESTS], 1);
        request_fail(&request, ERROR_OVERLOADED, NULL,
                     "As many requests are in flight as the gateway takes; try again shortly.");
    }
    request_close_account(&request);
    request_answer_error(&request);
    request_settle(&request);
    atomic_fetch_sub_explicit(&worker->gateway->requests_in_flight, 1, memory_order_relaxed);
}

void dispatch_refuse(struct http_exchange *exchange, unsigned http_status, const char *reason,
                     void *context)
{
    UNCLEARED struct request request;
    request_init(&request, context, exchange);
    request_fail(&request, error_kind_for(http_status), NULL, "%s", reason);
    reason_set(&request.reason, "%s", reason);
    if (exchange->head.path.size > 0)
        request.route = route_find(exchange->head.path, &request.route_rest);
    request_answer_error(&request);
    request_settle(&request);
}
