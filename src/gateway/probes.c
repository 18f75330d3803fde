#include "gateway/probes.h"

#include <stdio.h>

#include "base/clock.h"
#include "gateway/gateway.h"
#include "gateway/request.h"

void health_handle(struct request *request)
{
    char text[256], timestamp[CLOCK_TEXT_BYTES];
    const bool is_draining = atomic_load(&request->worker->gateway->is_draining);
    clock_format(clock_realtime_us(), 6, timestamp);
    const int size = snprintf(
        text, sizeof(text), "{\"status\":\"%s\",\"timestamp\":\"%s\",\"version\":\"%s\"}",
        is_draining ? "draining" : "healthy", timestamp, request->worker->gateway->version);
    request_answer(request, is_draining ? 503 : 200, SLICE("application/json"),
                   slice_of(text, (size_t)size));
}

void livez_handle(struct request *request)
{
    request_answer(request, 200, SLICE("text/plain; charset=utf-8"), SLICE("ok\n"));
}

void readyz_handle(struct request *request)
{
    const bool is_draining = atomic_load(&request->worker->gateway->is_draining);
    request_answer(request, is_draining ? 503 : 200, SLICE("text/plain; charset=utf-8"),
                   is_draining ? SLICE("draining\n") : SLICE("ok\n"));
}
