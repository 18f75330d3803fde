/* The ledger's tables in the database: one row per admitted request, sums per hour, the requests
 * still open, the position up to which each journal was taken over, and the operator's prices.
 *
 * Thread, memory and errors as in store/store.h. Money is nano-dollars, times are microseconds since
 * 1970, UTC. A number that is not known is STORE_UNKNOWN, NULL in the tables: never 0. */
#ifndef STORE_STORE_USAGE_H
#define STORE_STORE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define STORE_UNKNOWN INT64_C(-1)

/* --- Transactions ------------------------------------------------------------------------------ */

/* What follows, up to the commit, holds as a whole or not at all. It takes the write lock at once
 * and waits for it as long as busy_timeout_ms says; reading goes on beside it. Not nested. A call
 * that failed within it leaves it open: the caller rolls back. Each changing call of this header, of
 * store.h and of store_audit.h is a transaction of its own where none is open. */
MUST_CHECK enum status store_begin(struct store *store, struct reason *reason);
/* A failed commit has rolled back: nothing of the transaction holds. */
MUST_CHECK enum status store_commit(struct store *store, struct reason *reason);
/* Allowed where no transaction is open. */
void store_rollback(struct store *store);

/* Makes every transaction committed so far, by any connection to the file, outlast a power cut. A
 * commit alone outlasts the death of the process, not that of the machine: what is recycled only
 * because the tables have it (segments of a journal) is recycled after this returned STATUS_OK. Not
 * within a transaction. Costs one sync of the file's write-ahead log and holds no lock. After a
 * failure nothing is durable until a later call returns STATUS_OK; such a call does not trust what
 * the system kept of the failed sync, but writes it anew: STATUS_TIMED_OUT if readers or writers
 * did not let it for busy_timeout_ms. */
MUST_CHECK enum status store_sync(struct store *store, struct reason *reason);

/* Whether the path still names the file that was opened, and its write-ahead log is there:
 * STATUS_OK; STATUS_NOT_FOUND: one was deleted or another file put in its place; what is written now
 * would be lost. */
MUST_CHECK enum status store_check_file(struct store *store, struct reason *reason);

/* --- Requests ------------------------------------------------------------------------------------ */

enum store_tokens {
    STORE_TOKENS_INPUT,       /* all of the prompt: cached, cache-write and audio ones included */
    STORE_TOKENS_OUTPUT,      /* all of the answer: reasoning and audio ones included */
    STORE_TOKENS_CACHED,      /* read from the provider's prompt cache */
    STORE_TOKENS_CACHE_WRITE, /* written to it */
    STORE_TOKENS_REASONING,
    STORE_TOKENS_AUDIO, /* of input and output together */
    STORE_TOKENS_COUNT,
};

/* A row of usage_logs. Empty slices and zero ids are NULL in the table. */
struct store_usage {
    struct id id;
    uint64_t timestamp_us; /* when it was admitted */
    struct id user_id, key_id, team_id;
    struct slice route;    /* "/v1/chat/completions" */
    struct slice model;    /* as the client named it */
    struct slice provider; /* of the last attempt, with the model's name there */
    struct slice target_model;
    int64_t tokens[STORE_TOKENS_COUNT]; /* STORE_UNKNOWN, or any negative one: not known */
    int64_t cost_nanousd;               /* STORE_UNKNOWN: no price is known */
    struct slice price_id;              /* what it was reckoned with */
    unsigned status;                    /* HTTP status that the client got; 0: none */
    struct slice outcome;               /* "completed", "client_gone", …, "orphaned" */
    bool answered;  /* the client got the model's answer: what /v1/stats counts */
    bool estimated; /* a count of tokens is weir's own, not the provider's */
    unsigned attempts;
    struct slice cache;   /* "" none asked, "hit", "miss" … */
    struct slice context; /* what was left out to fit the window: "dropped=4" */
    bool stream;
    int64_t latency_us;    /* STORE_UNKNOWN for orphans */
    int64_t first_byte_us; /* from the request's start; STORE_UNKNOWN: none */
    struct slice client_request_id, provider_request_id;
    struct slice idempotency_hash; /* 32 bytes, or empty */
    struct slice metadata;         /* the JSON object that the client sent; at most 1 KiB */
    int64_t batch; /* of the drain: rows of one batch are sealed by one entry of the audit chain */
};

/* A row of usage_attempts: only of requests with more than one attempt. */
struct store_attempt {
    struct id request_id;
    unsigned number; /* 1 is the first */
    uint64_t timestamp_us;
    struct slice provider, target_model;
    unsigned status;      /* HTTP status of the provider; 0: none */
    struct slice outcome; /* "answered", "failed", "timed_out" … */
    int64_t latency_us;   /* STORE_UNKNOWN: not known */
};

/* A row of usage_open: a request whose journal segment is gone while it is still open. */
struct store_open {
    struct id id;
    uint64_t generation; /* the process that holds it */
    uint32_t worker;
    struct slice record; /* the journal's own bytes, opaque here */
};

/* *inserted_out says whether the row is new: one that is there already (same id) is left as it is.
 * The sums are the caller's: store_sum_of() and store_sum_add() for each row that is new. */
MUST_CHECK enum status store_usage_insert(struct store *store, const struct store_usage *usage,
                                          bool *inserted_out, struct reason *reason);
/* The same for an attempt, known by its request and number. */
MUST_CHECK enum status store_attempt_insert(struct store *store,
                                            const struct store_attempt *attempt,
                                            struct reason *reason);

/* One that is there already is left as it is. */
MUST_CHECK enum status store_open_insert(struct store *store, const struct store_open *open,
                                         struct reason *reason);
/* Nothing happens if there is none. */
MUST_CHECK enum status store_open_delete(struct store *store, const struct id *id,
                                         struct reason *reason);
typedef enum status store_open_visitor(void *context, const struct store_open *open);
MUST_CHECK enum status store_opens_list(struct store *store, uint64_t generation,
                                        store_open_visitor *visit, void *context,
                                        struct reason *reason);

/* Called for each row; a status other than STATUS_OK ends the reading and is its status. */
typedef enum status store_usage_visitor(void *context, const struct store_usage *usage);
/* The rows of one batch, ordered by id. The visitor does not call the store. */
MUST_CHECK enum status store_usage_list_batch(struct store *store, int64_t batch,
                                              store_usage_visitor *visit, void *context,
                                              struct reason *reason);
/* Rows from `since_us` on, before `until_us` (0: no end), by batch and id: for pricing anew. They are
 * read in pieces, none of them under way while the visitor runs, so the visitor may call the store;
 * it does not have to hold a transaction over all of it. Rows inserted meanwhile may be missed. */
MUST_CHECK enum status store_usage_list(struct store *store, uint64_t since_us, uint64_t until_us,
                                        store_usage_visitor *visit, void *context,
                                        struct reason *reason);
/* Sets the price of the row with that id (nothing else of `usage` is looked at), and moves the sums of its hour by the difference to what
 * the row says now, the count of requests without a price too. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_usage_set_cost(struct store *store, const struct store_usage *usage,
                                            int64_t cost_nanousd, struct slice price_id,
                                            struct reason *reason);

/* --- Sums ------------------------------------------------------------------------------------------ */

#define STORE_HOUR_US UINT64_C(3600000000)

/* A row of usage_hourly, and what is added to it. Its key is hour_us (the hour's start), key, user,
 * team, model, provider and reason. Where a client may name any model it likes (a model that is not
 * there), `model` is left empty, so that nobody can fill the table with names.
 * Sums are held at INT64_MAX where they would go beyond. */
struct store_sum {
    uint64_t hour_us;
    struct id key_id, user_id, team_id;
    struct slice model, provider;
    struct slice
        reason; /* why requests were refused: "rate_limit", "model_not_found"; empty: admitted */
    uint64_t requests;
    uint64_t answered;
    uint64_t estimated;
    uint64_t unpriced; /* requests whose cost is not known */
    uint64_t tokens[STORE_TOKENS_COUNT];
    uint64_t answered_tokens; /* input and output of answered requests */
    int64_t cost_nanousd;
    int64_t answered_cost_nanousd; /* of answered requests */
};
/* What one admitted request adds, and where: the key borrows the row's slices. */
void store_sum_of(const struct store_usage *usage, struct store_sum *sum_out);
/* Adds the counts of `sum` to those of `into`; both have the same key. */
void store_sum_merge(struct store_sum *into, const struct store_sum *sum);
/* Adds to the row, or makes it; and to what reports read: the sums per day, and those per hour over
 * all keys. The latter are gathered in memory and written by the commit. Many sums cost least in
 * the order of hour, user and key, in which they lie. */
MUST_CHECK enum status store_sum_add(struct store *store, const struct store_sum *sum,
                                     struct reason *reason);

/* --- Positions of the drain ------------------------------------------------------------------------ */

/* Everything of this worker's journal before `offset` of `segment` is in the tables. */
struct store_position {
    uint64_t generation;
    uint32_t worker;
    uint64_t segment;
    uint64_t offset;
    uint64_t sequence; /* of the next record */
};
MUST_CHECK enum status store_position_set(struct store *store,
                                          const struct store_position *position,
                                          struct reason *reason);
/* STATUS_NOT_FOUND: nothing was taken over yet. */
MUST_CHECK enum status store_position_find(struct store *store, uint64_t generation,
                                           uint32_t worker, struct store_position *position_out,
                                           struct reason *reason);
/* Forgets a generation whose journal is wholly in the tables. */
MUST_CHECK enum status store_positions_delete(struct store *store, uint64_t generation,
                                              struct reason *reason);
/* Takes the next number of a batch: one more than any that was committed. The first is 1. */
MUST_CHECK enum status store_batch_next(struct store *store, int64_t *batch_out,
                                        struct reason *reason);

/* --- Reports ----------------------------------------------------------------------------------------- */

enum store_group {
    STORE_GROUP_NONE, /* one line */
    STORE_GROUP_KEY,
    STORE_GROUP_USER,
    STORE_GROUP_TEAM,
    STORE_GROUP_MODEL,
    STORE_GROUP_PROVIDER,
    STORE_GROUP_DAY, /* UTC */
    STORE_GROUP_HOUR,
};

struct store_report {
    enum store_group by;
    uint64_t since_us; /* rounded down to its hour */
    uint64_t until_us; /* rounded up to its hour; 0: no end */
    struct id user_id; /* zero: all users */
    struct id team_id; /* zero: all teams, and users without one */
};

/* A line of a report, read from the sums alone. */
struct store_report_line {
    struct slice id;   /* of the key, user or team, as text; the model or provider; the day
                          "2026-11-24" or hour "2026-11-24T13:00:00Z"; empty: none */
    struct slice name; /* of the key, user or team, if it still exists */
    uint64_t requests; /* admitted */
    uint64_t answered;
    uint64_t refused;
    uint64_t estimated;
    uint64_t unpriced;
    uint64_t tokens[STORE_TOKENS_COUNT];
    uint64_t answered_tokens;
    int64_t cost_nanousd;
    int64_t answered_cost_nanousd;
};
typedef enum status store_report_visitor(void *context, const struct store_report_line *line);
/* Days and hours in their order, the rest by cost, the dearest first. Days and hours without any
 * request have no line; STORE_GROUP_NONE always has its one. The visitor does not call the store. */
MUST_CHECK enum status store_report(struct store *store, const struct store_report *report,
                                    store_report_visitor *visit, void *context,
                                    struct reason *reason);

/* --- Spending ------------------------------------------------------------------------------------------ */

/* What requests that were admitted in [since_us, until_us) cost, exactly: whole hours are read from
 * the sums, and rows only where an end lies within an hour that has any; there, rows that retention
 * deleted are missing. Requests without a known price count as nothing. `by` is STORE_GROUP_NONE (all
 * together), _KEY, _USER, _TEAM, _MODEL or _PROVIDER. */
struct store_spend_query {
    enum store_group by;
    uint64_t since_us, until_us;
};
struct store_spend {
    struct slice
        owner; /* the 16 bytes of the id of a key, user or team, a model's or provider's name; empty: none,
                           and of STORE_GROUP_NONE */
    int64_t cost_nanousd; /* > 0; held at INT64_MAX */
};
typedef enum status store_spend_visitor(void *context, const struct store_spend *spend);
/* Whoever spent anything, in no order. All are read first, about 180 bytes each, so the visitor may
 * call the store. */
MUST_CHECK enum status store_spend_list(struct store *store, const struct store_spend_query *query,
                                        store_spend_visitor *visit, void *context,
                                        struct reason *reason);
/* Of one `owner`, as above. A user's and a key's are found by a search for each day; for a team or a
 * model all sums of the time are read. */
MUST_CHECK enum status store_spend(struct store *store, const struct store_spend_query *query,
                                   struct slice owner, int64_t *nanousd_out, struct reason *reason);

/* --- Retention ----------------------------------------------------------------------------------------- */

/* The oldest batch, once its rows are all older than `before_us`. STATUS_NOT_FOUND: none, or not
 * yet. */
MUST_CHECK enum status store_retention_next(struct store *store, uint64_t before_us,
                                            int64_t *batch_out, uint64_t *rows_out,
                                            struct reason *reason);
/* Deletes up to `rows_max` rows of the batch, those with the lowest ids first, with their attempts;
 * *deleted_out < rows_max: it is empty now. The sums stay. Space is used anew, the file does not
 * shrink. */
MUST_CHECK enum status store_retention_delete(struct store *store, int64_t batch, uint64_t rows_max,
                                              uint64_t *deleted_out, struct reason *reason);

/* --- Prices ---------------------------------------------------------------------------------------------- */

/* A price that the operator set: `definition` is what the command was given, as JSON. The newest
 * `from_us` that a request is not before holds. */
struct store_price {
    struct slice provider, model;
    uint64_t from_us;
    struct slice definition;
    uint64_t created_at_us;
};
typedef enum status store_price_visitor(void *context, const struct store_price *price);
/* Replaces one of the same provider, model and date. */
MUST_CHECK enum status store_price_set(struct store *store, const struct store_price *price,
                                       struct reason *reason);
/* STATUS_NOT_FOUND. */
MUST_CHECK enum status store_price_delete(struct store *store, struct slice provider,
                                          struct slice model, uint64_t from_us,
                                          struct reason *reason);
MUST_CHECK enum status store_prices_list(struct store *store, store_price_visitor *visit,
                                         void *context, struct reason *reason);

#endif
