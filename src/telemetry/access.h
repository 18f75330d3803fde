/* What the access log says about one request.
 *
 * The worker fills a record on its stack and hands it to log_access(), which copies it: nothing is
 * formatted before the log thread does it. There is no field for a secret, a header or a part of a
 * body, so none can reach the log; a secret of weir's own that a client put elsewhere is hidden by the
 * log thread (log_redact.h).
 * Memory: the slices are borrowed until log_access() returns. */
#ifndef TELEMETRY_ACCESS_H
#define TELEMETRY_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/slice.h"
#include "telemetry/outcome.h"

/* A figure that nobody knows; its field is left out of the line. */
#define ACCESS_UNKNOWN UINT64_MAX

/* Texts that an empty slice leaves out. What exceeds the bound beside it is cut and ends in "…". */
enum access_text {
    ACCESS_TEXT_METHOD,              /*  16 http.request.method */
    ACCESS_TEXT_PATH,                /* 256 url.path, without the query */
    ACCESS_TEXT_USER_AGENT,          /* 192 user_agent.original */
    ACCESS_TEXT_USER_ID,             /*  64 user.id */
    ACCESS_TEXT_USER_NAME,           /* 128 user.name */
    ACCESS_TEXT_KEY_ID,              /*  64 weir.key.id; never the key */
    ACCESS_TEXT_MODEL,               /* 128 weir.model, as the client named it */
    ACCESS_TEXT_PROVIDER,            /*  64 weir.provider */
    ACCESS_TEXT_TARGET_MODEL,        /* 128 weir.target.model */
    ACCESS_TEXT_CLIENT_REQUEST_ID,   /* 128 weir.client.request_id */
    ACCESS_TEXT_UPSTREAM_REQUEST_ID, /* 128 weir.upstream.request_id */
    ACCESS_TEXT_TRACE_ID,            /*  32 trace.id; left out unless it is 32 hex digits */
    ACCESS_TEXT_ERROR_CODE,          /*  64 error.code, as the client was told */
    ACCESS_TEXT_ERROR_MESSAGE,       /* 320 error.message: the reason, for the operator */
    ACCESS_TEXT_COUNT,
};

/* What is copied as it is. */
struct access_figures {
    uint64_t duration_ns;   /* from the first byte of the request to the end of the answer */
    uint64_t first_byte_ns; /* to the first body byte that went to the client, or unknown */
    uint64_t request_body_bytes;
    uint64_t response_body_bytes;
    uint64_t input_tokens; /* this and the next four are often unknown */
    uint64_t output_tokens;
    uint64_t cached_tokens;
    uint64_t cache_write_tokens;
    uint64_t reasoning_tokens;
    struct id request_id;
    unsigned char client_ip[16]; /* in network order; an IPv4 address has the first four */
    uint8_t client_ip_size;      /* 4, 16, or 0 for none */
    uint8_t http_minor;          /* of HTTP/1.x */
    uint8_t outcome;             /* an enum outcome */
    bool stream;
    uint16_t status; /* that the client got; 0: none */
    uint16_t attempts;
    bool upstream_reused;   /* the last attempt had a connection that was open already */
    bool upstream_replaced; /* ... which turned out to be dead, and a new one took its place */
};

struct log_access {
    uint64_t time_us; /* when the request ended, since 1970, UTC */
    struct access_figures figures;
    struct slice text[ACCESS_TEXT_COUNT];
};

/* Empties the record: no text, zero sizes, unknown tokens and first byte. */
void log_access_init(struct log_access *access);

#endif
