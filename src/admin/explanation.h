/* What is found out about a request that nobody sends, and how it is told. For admin/explain.c.
 *
 * Thread: the store's. Memory: all is borrowed from the operation's arena and the snapshot; the pricing
 * is to be ended. */
#ifndef ADMIN_EXPLANATION_H
#define ADMIN_EXPLANATION_H

#include "admin/operation.h"
#include "gateway/admit.h"
#include "gateway/limit_words.h"
#include "gateway/pricing.h"
#include "gateway/snapshot.h"
#include "identity/entry.h"

/* In the order of a request's steps. */
struct explanation {
    struct operation *operation;
    const struct snapshot *snapshot;
    struct store_key key;
    const struct identity_key *entry;
    struct slice route;   /* with its /v1 */
    struct slice address; /* of the client, as given; data is NULL: it was not */
    struct openai_request openai;
    struct slice model;
    const struct rule *rule;
    const struct provider *provider;
    struct slice target_model;
    struct pricing pricing;
    struct json_limits json;
    bool is_weighed; /* the members below are known */
    struct admission_levels levels;
    struct admission_demand demand;
    struct hold hold;
    bool has_hold; /* a hard budget holds: `hold` is known, and what it says is taken and written */
    /* The outcome; `code` is NULL as long as nothing refuses. */
    unsigned http_status;
    const char *code;
    struct limit_words words;
    struct admission_refusal refusal; /* ADMISSION_ADMITTED: no limit refuses */
};

/* Writes the answer. Returns 200. */
unsigned explanation_write(struct explanation *explanation);

#endif
