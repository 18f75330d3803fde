/* One request on its way through the gateway: what its steps know, decide and leave behind.
 *
 * It lies on its task's stack; what its steps allocate lies in the exchange's arena. Every request
 * ends in request_settle() exactly once, whatever happened. */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/reason.h"
#include "dialect/openai_request.h"
#include "dialect/openai_usage.h"
#include "gateway/account.h"
#include "gateway/admit.h"
#include "gateway/error.h"
#include "gateway/fit.h"
#include "gateway/route.h"
#include "gateway/worker.h"
#include "http/exchange.h"
#include "telemetry/outcome.h"

struct request {
    struct worker *worker;
    struct http_exchange *exchange;
    struct calling *calling;   /* the configuration that it began with */
    const struct route *route; /* NULL: there is none */
    struct slice route_rest;
    struct id id;

    struct identity_key *key; /* acquired; NULL: none was checked, or it was wrong */
    struct id team_id;        /* of the key's user; zero: none */
    struct http_body body;
    struct fit fit;               /* what became of the chat's messages */
    struct openai_request openai; /* what weir read in the body */
    bool stream;                  /* the client wants events */

    struct slice model;               /* as the client names it, or the route's default */
    struct target_endpoint *endpoint; /* the chosen target; NULL: none yet */
    const struct rule *rule;          /* that chose it */
    uint32_t metrics_target;
    struct slice target_model; /* its name there */
    bool model_is_replaced;    /* ... which is not the client's */
    unsigned attempts;
    bool upstream_reused, upstream_replaced;
    unsigned upstream_status; /* of the last answer; 0: none */
    struct slice upstream_request_id;
    uint64_t upstream_sent_ns;
    uint64_t upstream_first_byte_ns; /* when the answer's head was there */

    struct openai_usage usage;
    struct admit admit;
    enum outcome outcome;
    struct account account;
    /* From the account's sample on, what is long and seldom used is not cleared: */
    struct error error;   /* ERROR_NONE while all is well */
    struct reason reason; /* for the operator */
};

/* Notes what went wrong; the answer is written when the steps are over. Returns STATUS_DENIED, so
 * that a step can end with it. `param` may be NULL. */
__attribute__((format(printf, 4, 5))) enum status request_fail(struct request *request,
                                                               enum error_kind kind,
                                                               const char *param,
                                                               const char *format, ...);

/* Begins the answer with the headers that all answers have. */
void request_begin_answer(struct request *request, unsigned http_status);
/* A whole answer of weir's own. */
void request_answer(struct request *request, unsigned http_status, struct slice content_type,
                    struct slice body);

/* Writes the error that was noted, if nothing was answered yet. */
void request_answer_error(struct request *request);

/* Closes the account of a request that is not answered by its handler, before the error goes out. */
void request_close_account(struct request *request);

/* The last step: figures and the access line; gives back what the request held. */
void request_settle(struct request *request);

/* Frees the body once the call can no longer be repeated; the names that lay in it are kept. */
void request_drop_body(struct request *request);

/* Looks the key up and holds it. STATUS_OK; else the error is noted. */
MUST_CHECK enum status request_authenticate(struct request *request);
/* Reads the body whole. STATUS_OK; else the error is noted, or the client is gone. */
MUST_CHECK enum status request_read_body(struct request *request);

#endif
