/* What the journal says about a request: the payloads of its records.
 *
 * A request writes OPENED before the first byte goes upstream, ATTEMPT before each further call, and
 * CLOSED before its client has the last byte. REFUSED counts a request that was never admitted.
 * Numbers are little-endian; texts are preceded by their length in two bytes. RECORD_VERSION goes
 * into each record: a reader refuses what it does not know.
 *
 * Thread: any; pure. Memory: what is read borrows from the record's bytes. */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/slice.h"
#include "base/status.h"

#define RECORD_VERSION 1

/* Longer texts are cut (metadata is checked before): no record is larger than its maximum. */
#define RECORD_NAME_MAX     256
#define RECORD_PRICE_ID_MAX 448
#define RECORD_METADATA_MAX 1024
#define RECORD_OPENED_MAX   3072
#define RECORD_ATTEMPT_MAX  1280
#define RECORD_CLOSED_MAX   1536
#define RECORD_REFUSED_MAX  512

enum record_kind {
    RECORD_PAD = 1, /* fills a page */
    RECORD_OPENED,
    RECORD_ATTEMPT,
    RECORD_CLOSED,
    RECORD_REFUSED,
};

enum record_tokens {
    RECORD_TOKENS_INPUT, /* cached, cache-write and audio ones included */
    RECORD_TOKENS_OUTPUT,
    RECORD_TOKENS_CACHED,
    RECORD_TOKENS_CACHE_WRITE,
    RECORD_TOKENS_REASONING,
    RECORD_TOKENS_AUDIO,
    RECORD_TOKENS_COUNT,
};

#define RECORD_UNKNOWN INT64_C(-1)

/* A bill: what was used and what it costs. */
struct record_bill {
    int64_t tokens[RECORD_TOKENS_COUNT]; /* RECORD_UNKNOWN: not known */
    int64_t cost_nanousd;                /* RECORD_UNKNOWN: no price is known */
    struct slice price_id;
    bool estimated;
};

struct record_opened {
    struct id id;
    uint64_t time_us;                   /* since 1970, UTC */
    struct id user_id, key_id, team_id; /* zero: none */
    struct slice route;
    struct slice model;                  /* as the client named it */
    struct slice provider, target_model; /* of the first attempt */
    struct slice client_request_id;
    struct slice metadata;
    struct slice idempotency_hash; /* 32 bytes, or empty */
    struct record_bill orphan;     /* what it is charged if it never closes */
    bool stream;
};

/* The attempt `number` has ended without an answer for the client, and the next one begins. */
struct record_attempt {
    struct id id;
    unsigned number;  /* of the one that has ended; 1 is the first */
    uint64_t time_us; /* when it began */
    unsigned status;  /* HTTP status of the provider; 0: none */
    struct slice outcome;
    int64_t latency_us;
    struct slice next_provider, next_target_model;
};

struct record_closed {
    struct id id;
    struct record_bill bill;
    unsigned status; /* HTTP status for the client; 0: none */
    struct slice outcome;
    bool answered;
    unsigned attempts;
    unsigned last_status;      /* HTTP status of the last attempt */
    struct slice last_outcome; /* of the last attempt */
    int64_t latency_us;
    int64_t first_byte_us;   /* RECORD_UNKNOWN: none was sent */
    int64_t last_latency_us; /* of the last attempt */
    struct slice cache, context;
    struct slice provider_request_id;
};

struct record_refused {
    uint64_t time_us;
    struct id user_id, key_id, team_id;
    struct slice model; /* empty unless the configuration names it */
    struct slice reason;
};

/* Each writes at most its RECORD_…_MAX bytes and returns how many. */
size_t record_write_opened(const struct record_opened *opened, char *payload_out);
size_t record_write_attempt(const struct record_attempt *attempt, char *payload_out);
size_t record_write_closed(const struct record_closed *closed, char *payload_out);
size_t record_write_refused(const struct record_refused *refused, char *payload_out);

/* STATUS_INVALID: the payload is not one. */
MUST_CHECK enum status record_read_opened(struct slice payload, struct record_opened *opened_out);
MUST_CHECK enum status record_read_attempt(struct slice payload,
                                           struct record_attempt *attempt_out);
MUST_CHECK enum status record_read_closed(struct slice payload, struct record_closed *closed_out);
MUST_CHECK enum status record_read_refused(struct slice payload,
                                           struct record_refused *refused_out);
/* The id at the start of an OPENED, ATTEMPT or CLOSED payload. */
MUST_CHECK enum status record_read_id(struct slice payload, struct id *id_out);

#endif
