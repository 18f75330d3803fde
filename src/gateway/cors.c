#include "gateway/cors.h"

#include "gateway/request.h"
#include "http/answer.h"

#define MAX_AGE SLICE("86400")

static bool allows(const struct config_cors *cors, struct slice origin)
{
    for (size_t i = 0; i < cors->origins.count; i++) {
        if (slice_equal(cors->origins.items[i], SLICE("*")) ||
            slice_equal_nocase(cors->origins.items[i], origin))
            return true;
    }
    return false;
}

void cors_add_headers(struct request *request)
{
    struct http_exchange *exchange = request->exchange;
    const struct snapshot *snapshot = request->calling->snapshot;
    const struct config_cors *cors = &snapshot->config->cors;
    if (snapshot->cors_lines.size > 0) {
        http_answer_lines(exchange, snapshot->cors_lines);
        return;
    }
    const struct slice origin = http_exchange_header(exchange, HTTP_HEADER_ORIGIN);
    http_answer_header(exchange, SLICE("vary"), SLICE("origin"));
    if (origin.size == 0 || !allows(cors, origin))
        return;
    http_answer_header(exchange, SLICE("access-control-allow-origin"), origin);
    if (cors->credentials)
        http_answer_header(exchange, SLICE("access-control-allow-credentials"), SLICE("true"));
    http_answer_lines(exchange, snapshot->cors_exposed_lines);
}

void cors_answer_options(struct request *request)
{
    struct http_exchange *exchange = request->exchange;
    const struct slice headers =
        http_exchange_header(exchange, HTTP_HEADER_ACCESS_CONTROL_REQUEST_HEADERS);
    const struct slice allow = request->route != NULL ? slice_from_text(request->route->allow)
                                                      : SLICE("GET, HEAD, POST, OPTIONS");
    request_begin_answer(request, 204);
    http_answer_header(exchange, SLICE("allow"), allow);
    http_answer_header(exchange, SLICE("access-control-allow-methods"), allow);
    if (headers.size > 0)
        http_answer_header(exchange, SLICE("access-control-allow-headers"), headers);
    http_answer_header(exchange, SLICE("access-control-max-age"), MAX_AGE);
    if (http_answer_send_empty(exchange) != STATUS_OK)
        request->outcome = OUTCOME_CLIENT_GONE;
}
