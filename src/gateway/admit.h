/* Whether a request may be made: what all limits of its levels say, what it takes of them, and how it
 * gives back what it did not use.
 *
 *   admit_check() → admit_take() → [admit_covers()…] → admit_settle()
 *
 * Checking reads only, so that what is refused costs little; taking is all or nothing. A request that
 * has no limits at any level passes through here at the price of six pointers.
 *
 * Thread: the worker's. Memory: what is taken lies in the request's arena, with a reference of each
 * level until the request settles. */
#ifndef GATEWAY_ADMIT_H
#define GATEWAY_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "gateway/hold.h"
#include "policy/admission.h"

struct identity_key;
struct request;
struct snapshot;

/* What the headers x-ratelimit-* say. */
struct admit_rates {
    bool has_requests, has_tokens;
    struct admission_nearest requests, tokens;
};

struct admit {
    bool has_limits; /* one of its levels has, when it was checked */
    bool is_granted; /* and is to be settled */
    bool has_hold;   /* of money: one of its budgets does more than warn */
    struct admission_grant grant;
    uint64_t changes; /* of the map of keys, when its levels were last looked at */
    struct hold hold;
    uint64_t covered_bytes;   /* of a stream: the hold suffices at least up to here */
    struct admit_rates rates; /* when it was refused */
    uint64_t retry_after_ns;  /* of a refusal; UINT64_MAX: nobody knows */
};

/* The levels of a request of this key; `rule` and `provider` are indices of the snapshot's. They hold
 * until the end of the turn. */
void admit_levels(const struct identity_key *key, const struct snapshot *snapshot, size_t rule,
                  size_t provider, struct admission_levels *levels_out);

/* The target is chosen. STATUS_OK; else the error is noted and the refusal counted. */
MUST_CHECK enum status admit_check(struct request *request);
/* The messages fit; nobody is called yet. The same. */
MUST_CHECK enum status admit_take(struct request *request);

/* A stream has gone on: whether what it came to is still held, or could be. False: it is to end with
 * the error that is noted. */
bool admit_covers(struct request *request);

/* How much of a stream may be read at once, of at most `most` bytes, so that it is looked at before what
 * is held is used up. */
size_t admit_read_bytes(const struct request *request, size_t most);

/* Once the bill is made, or nobody was called. Does nothing the second time. */
void admit_settle(struct request *request);

/* x-ratelimit-*, in the forms of OpenAI's API ("Rate limits in headers"). */
void admit_add_headers(struct request *request);

#endif
