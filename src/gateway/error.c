#include "gateway/error.h"

#include "base/assert.h"
#include "json/write.h"

static const struct kind {
    unsigned http_status;
    const char *type;
    const char *code;
    const char *message; /* where none was given */
} kinds[ERROR_KIND_COUNT] = {
    [ERROR_NONE] = {200, "", "", ""},
    [ERROR_INVALID_KEY] = {401, "invalid_request_error", "invalid_api_key", "Invalid API key."},
    [ERROR_MODEL_NOT_FOUND] = {404, "invalid_request_error", "model_not_found",
                               "The model does not exist or this key may not use it."},
    [ERROR_INVALID_REQUEST] = {400, "invalid_request_error", "invalid_request",
                               "The request is not valid."},
    [ERROR_CONTEXT_LENGTH] = {400, "invalid_request_error", "context_length_exceeded",
                              "The messages do not fit the model's context length."},
    [ERROR_REQUEST_TOO_LARGE] = {413, "invalid_request_error", "request_too_large",
                                 "The request body is too large."},
    [ERROR_HEADERS_TOO_LARGE] = {431, "invalid_request_error", "headers_too_large",
                                 "The request's headers are too large."},
    [ERROR_REQUEST_TIMEOUT] = {408, "invalid_request_error", "request_timeout",
                               "The request did not arrive in time."},
    [ERROR_UNSUPPORTED_ENCODING] = {415, "invalid_request_error", "unsupported_encoding",
                                    "Send the body as it is, or encoded with gzip, br or zstd."},
    [ERROR_EXPECTATION_FAILED] = {417, "invalid_request_error", "expectation_failed",
                                  "The only expectation that can be met is 100-continue."},
    [ERROR_NOT_IMPLEMENTED] = {501, "invalid_request_error", "not_implemented",
                               "The method or transfer coding is not known here."},
    [ERROR_VERSION_NOT_SUPPORTED] = {505, "invalid_request_error", "version_not_supported",
                                     "Speak HTTP/1.1 or HTTP/1.0."},
    [ERROR_NOT_FOUND] = {404, "invalid_request_error", "not_found", "There is no such route."},
    [ERROR_METHOD_NOT_ALLOWED] = {405, "invalid_request_error", "method_not_allowed",
                                  "This route does not take this method."},
    [ERROR_OVERLOADED] = {503, "server_error", "overloaded",
                          "The gateway is at one of its limits; try again shortly."},
    [ERROR_UPSTREAM_UNREACHABLE] = {502, "upstream_error", "upstream_unreachable",
                                    "The model's provider could not be reached."},
    [ERROR_UPSTREAM_BROKEN] = {502, "upstream_error", "upstream_broken",
                               "The model's provider ended its answer too early."},
    [ERROR_UPSTREAM_INVALID] = {502, "upstream_error", "upstream_invalid_response",
                                "The model's provider sent an answer that cannot be understood."},
    [ERROR_UPSTREAM_REFUSED] = {502, "upstream_error", "upstream_refused",
                                "The model's provider refused the gateway's credentials."},
    [ERROR_UPSTREAM_TIMEOUT] = {504, "upstream_error", "upstream_timeout",
                                "The model's provider did not answer in time."},
    [ERROR_NOT_ALLOWED] = {403, "invalid_request_error", "not_allowed",
                           "This key may not be used for this."},
    [ERROR_RATE_LIMIT] = {429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached."},
    [ERROR_BUDGET] = {429, "insufficient_quota", "insufficient_quota",
                      "You exceeded your current quota."},
    [ERROR_EXCEEDS_LIMIT] = {400, "invalid_request_error", "request_exceeds_limit",
                             "The request is larger than a whole limit."},
    [ERROR_PRICE_UNKNOWN] = {400, "invalid_request_error", "price_unknown",
                             "The price of the model is not known."},
    [ERROR_INTERNAL] = {500, "server_error", "internal_error",
                        "The gateway could not handle the request."},
};

unsigned error_http_status(const struct error *error, enum error_style style)
{
    if (style == ERROR_STYLE_DETAIL && error_is_upstreams(error->kind))
        return 500;
    return error->http_status != 0 ? error->http_status : kinds[error->kind].http_status;
}

struct slice error_code(const struct error *error)
{
    return error->code.size > 0 ? error->code : slice_from_text(kinds[error->kind].code);
}

enum error_kind error_kind_for(unsigned http_status)
{
    for (enum error_kind kind = ERROR_INVALID_KEY; kind < ERROR_KIND_COUNT; kind++) {
        if (kinds[kind].http_status == http_status && kind != ERROR_MODEL_NOT_FOUND)
            return kind;
    }
    return ERROR_INTERNAL;
}

bool error_is_upstreams(enum error_kind kind)
{
    return kind >= ERROR_UPSTREAM_UNREACHABLE && kind <= ERROR_UPSTREAM_TIMEOUT;
}

static struct slice message_of(const struct error *error)
{
    return slice_from_text(error->message[0] != '\0' ? error->message : kinds[error->kind].message);
}

/* The routes with this style promise fixed words for some kinds (docs/api.md). */
static struct slice detail_of(const struct error *error)
{
    if (error->kind == ERROR_INVALID_KEY)
        return SLICE("Invalid API key");
    if (error->kind == ERROR_RATE_LIMIT)
        return SLICE("Rate limit exceeded");
    if (error_is_upstreams(error->kind))
        return SLICE("Internal server error");
    return message_of(error);
}

static void write_openai(const struct error *error, struct buffer *body)
{
    buffer_append(body, SLICE("{\"error\":{\"message\":"));
    json_append_string(body, message_of(error));
    buffer_append(body, SLICE(",\"type\":"));
    json_append_string(body, slice_from_text(kinds[error->kind].type));
    buffer_append(body, SLICE(",\"param\":"));
    if (error->param.size > 0)
        json_append_string(body, error->param);
    else
        buffer_append(body, SLICE("null"));
    buffer_append(body, SLICE(",\"code\":"));
    json_append_string(body, error_code(error));
    buffer_append(body, SLICE("}}"));
}

static void write_detail(const struct error *error, struct buffer *body)
{
    buffer_append(body, SLICE("{\"detail\":"));
    json_append_string(body, detail_of(error));
    buffer_append_byte(body, '}');
}

enum status error_write(const struct error *error, enum error_style style, struct buffer *body)
{
    ASSERT(error->kind > ERROR_NONE && error->kind < ERROR_KIND_COUNT);
    if (error->body.size > 0)
        return buffer_append(body, error->body);
    switch (style) {
    case ERROR_STYLE_OPENAI:
        write_openai(error, body);
        break;
    case ERROR_STYLE_DETAIL:
        write_detail(error, body);
        break;
    case ERROR_STYLE_PLAIN:
        buffer_append(body, message_of(error));
        buffer_append_byte(body, '\n');
        break;
    }
    return buffer_status(body);
}
