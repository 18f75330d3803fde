/* What a request writes into the ledger, and when.
 *
 *   not open ──account_open()──► open ──account_close()──► closed
 *
 * OPENED goes into the journal before the first byte goes upstream, so that no call is unknown;
 * CLOSED before the client has its last byte, so that what was answered is charged. Between them each
 * further call writes ATTEMPT. A request that was never admitted is counted by its reason.
 *
 * Thread: the worker's. Memory: nothing of its own. */
#ifndef GATEWAY_ACCOUNT_H
#define GATEWAY_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "ledger/record.h"
#include "models/price.h"

struct request;
struct token_counter;

/* Of a stream, kept to estimate what it came to if its usage never comes. */
#define ACCOUNT_SAMPLE_BYTES 512

/* What the model made, in events that were looked into. */
struct account_content {
    uint64_t events;      /* with anything in them */
    uint64_t text_bytes;  /* as it is written */
    uint64_t media_bytes; /* in base64 */
    uint64_t other_bytes; /* of events that have no form that is known */
};

struct account {
    bool is_open;          /* CLOSED must follow */
    bool has_room;         /* and the journal has room for it */
    bool usage_is_partial; /* a stream's that did not come to its end */
    bool is_closed;        /* the bill is final */
    bool is_unpriced;      /* nobody knows what it cost; the bill may have what was held */
    uint64_t time_us;      /* when it was admitted, since 1970 */
    uint64_t attempt_started_ns;
    uint64_t prompt_tokens;  /* an estimate, or counted */
    bool prompt_is_counted;  /* all of it */
    bool answer_is_known;    /* it was there, as far as it came; else nobody knows what was made */
    uint64_t content_tokens; /* of the answer's text, if it was counted */
    bool content_is_counted;
    struct token_counter *counter;  /* counts a stream's text as it passes; NULL: nobody does */
    bool is_watched;                /* a stream's events are counted: a hard budget may end it */
    bool is_followed;               /* ... and each event is looked into, from some moment on: */
    uint64_t tokens_before;         /* what the stream had come to by then */
    struct account_content content; /* what was found since */
    uint64_t events;                /* that passed while the stream was watched, by their lines */
    uint64_t event_overhead; /* bytes of such an event beside its text, as the sample shows */
    uint64_t event_media;    /* of these, those of sound and pictures */
    bool overhead_is_old;    /* there is a newer sample */
    enum price_class service_class; /* that the answer names; else the standard one */
    uint64_t content_bytes;         /* of an answer that is held; else as the sample shows */
    uint64_t relayed_bytes;         /* of a stream's events */
    size_t sample_bytes;
    uint32_t runs;           /* of events */
    struct record_bill bill; /* once it is closed; price_id lies in the request's arena */
    char sample
        [ACCOUNT_SAMPLE_BYTES]; /* the end of one of the runs; the last, since it starts unset */
};

/* Before the first call: the request is admitted. STATUS_OK; else the error is noted: the ledger has
 * no room, or its disk does not answer. */
MUST_CHECK enum status account_open(struct request *request);
/* Before a further call; `outcome` and status (0: no answer) are those of the one before. STATUS_OK; else
 * the error is noted. */
MUST_CHECK enum status account_next_attempt(struct request *request, struct slice outcome,
                                            unsigned status);
/* Makes the bill and writes CLOSED, once; `status` is what the client gets (0: nothing). Does nothing
 * if the request was not opened. */
void account_close(struct request *request, unsigned status);
/* Events that went to the client. */
void account_relayed(struct account *account, struct slice events);
/* The service class that the answer says it was given, as the provider writes it. */
void account_note_service(struct account *account, struct slice service_tier);
/* A request that a rule refused, for usage_hourly. Nothing happens without a key. */
void account_refuse(struct request *request, struct slice reason);

#endif
