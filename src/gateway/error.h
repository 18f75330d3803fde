/* What clients are told when something goes wrong: one table from kinds to HTTP, one writer per
 * style of route.
 *
 * Messages say what to do and never hold a secret or a part of a body. */
#ifndef GATEWAY_ERROR_H
#define GATEWAY_ERROR_H

#include "base/buffer.h"
#include "base/slice.h"

enum error_kind {
    ERROR_NONE,
    ERROR_INVALID_KEY,
    ERROR_MODEL_NOT_FOUND,
    ERROR_INVALID_REQUEST,
    ERROR_CONTEXT_LENGTH, /* the chat does not fit the model's window */
    ERROR_REQUEST_TOO_LARGE,
    ERROR_HEADERS_TOO_LARGE,
    ERROR_REQUEST_TIMEOUT,
    ERROR_UNSUPPORTED_ENCODING,
    ERROR_EXPECTATION_FAILED,
    ERROR_NOT_IMPLEMENTED,
    ERROR_VERSION_NOT_SUPPORTED,
    ERROR_NOT_FOUND,
    ERROR_METHOD_NOT_ALLOWED,
    ERROR_OVERLOADED,
    ERROR_UPSTREAM_UNREACHABLE,
    ERROR_UPSTREAM_BROKEN,
    ERROR_UPSTREAM_INVALID, /* an answer that breaks the protocol */
    ERROR_UPSTREAM_REFUSED, /* the provider's own 401 or 403 */
    ERROR_UPSTREAM_TIMEOUT,
    ERROR_NOT_ALLOWED,   /* the key's network, or this route */
    ERROR_RATE_LIMIT,    /* requests, tokens or requests in flight */
    ERROR_BUDGET,        /* what is left of one does not suffice */
    ERROR_EXCEEDS_LIMIT, /* more than a whole limit or budget by itself */
    ERROR_PRICE_UNKNOWN, /* an unpriced model under a hard budget */
    ERROR_INTERNAL,
    ERROR_KIND_COUNT,
};

enum error_style {
    ERROR_STYLE_OPENAI, /* {"error":{"message","type","param","code"}} */
    ERROR_STYLE_DETAIL, /* {"detail": …} */
    ERROR_STYLE_PLAIN,  /* one line of text: probes and metrics */
};

struct error {
    enum error_kind kind;
    unsigned http_status; /* 0: the kind's */
    struct slice code;    /* empty: the kind's */
    struct slice param;   /* empty: null */
    struct slice body;    /* the whole body, where a route has a form of its own */
    char message[256];
};

/* The one that was given, or the kind's. In the detail style all that is upstream's fault is 500. */
unsigned error_http_status(const struct error *error, enum error_style style);
struct slice error_code(const struct error *error);
/* The kind for an HTTP status that the server side of http/ wants to answer with. */
enum error_kind error_kind_for(unsigned http_status);
/* Whether it is upstream's fault. */
bool error_is_upstreams(enum error_kind kind);

/* Appends the body. Statuses of buffer_append(). */
enum status error_write(const struct error *error, enum error_style style, struct buffer *body);

#endif
