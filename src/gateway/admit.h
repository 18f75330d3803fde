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
    bool has_limits;   /* one of its levels has, when it was checked */
    bool is_granted;   /* and is to be settled */
    bool has_hold;     /* of money: one of its budgets does more than warn */
    bool body_is_gone; /* so it cannot be counted any more */
    struct admission_grant grant;
    uint64_t changes; /* of the map of keys, when its levels were last looked at */
    struct hold hold;
    uint64_t told_tokens;     /* of output, that were held first: the provider knows that maximum */
    uint64_t covered_bytes;   /* of a stream: the hold suffices at least up to here, */
    uint64_t token_bytes;     /* of one, with what is beside it, so far */
    uint64_t left_tokens;     /* or for so many tokens from when it was looked at last */
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

/* Whether a hard budget holds for the request, until it settles. */
bool admit_is_hard(const struct admit *admit);
/* ... and it is known what is held. */
bool admit_has_held_cost(const struct admit *admit);

/* What so many tokens cost by the rates that were held: of the dearest kinds, and of the service class
 * that was asked for. admit_has_held_cost() is true. */
uint64_t admit_held_cost(const struct request *request, uint64_t input_tokens,
                         uint64_t output_tokens);

/* Counts the input, where its bytes alone were held. Does not wait. False: it cannot be counted. */
bool admit_count_input(const struct request *request, uint64_t *tokens_out);

/* The call cannot be repeated from here on. Drops the body (request_drop_body()), but for a small one
 * that may be wanted for the bill. */
void admit_drop_body(struct request *request);

/* A stream has gone on: whether what it came to is still held, or could be. False: it is to end with
 * the error that is noted. */
bool admit_covers(struct request *request);

/* How many bytes of a stream's events that have come may be relayed before admit_covers() is asked
 * again: all of them, or a part at the front. */
size_t admit_covered(struct request *request, struct slice events);

/* Once the bill is made, or nobody was called. Does nothing the second time. */
void admit_settle(struct request *request);

/* x-ratelimit-*, in the forms of OpenAI's API ("Rate limits in headers"). */
void admit_add_headers(struct request *request);

#endif
