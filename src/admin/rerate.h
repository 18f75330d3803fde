/* What requests of the ledger cost by the prices that are known now.
 *
 * Each row is reckoned anew with the price that holds for its target at the row's own time. Left as
 * they are: rows whose provider is not configured any more, or whose price nobody knows now; rows
 * that a cache answered; rows with audio tokens, which the ledger keeps as one number though they
 * are priced apart in input and output; and orphans that were not charged.
 *
 * Thread: that of the store. Memory: the rerate owns what it gathers. */
#ifndef ADMIN_RERATE_H
#define ADMIN_RERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "gateway/snapshot.h"
#include "models/price_list.h"
#include "store/store_usage.h"

#define RERATE_TARGETS_MAX 256 /* apart; the rest is added up in one that is called "other" */
#define RERATE_BATCH_ROWS                                                                          \
    500 /* changed in one transaction, and what else is of the last one's batch */

struct admin_context;
struct rerate;

struct rerate_config {
    struct admin_context *context;   /* its store and audit chain; outlives it, as the next two */
    const struct snapshot *snapshot; /* for the configuration and the catalogue */
    const struct price_list *stored; /* the operator's prices; may be NULL */
    bool applies;                    /* else nothing is changed */
};

/* What requests to one target come to, among those that were looked at. */
struct rerate_target {
    struct slice provider, model; /* both "other": those without a place */
    uint64_t rows;
    uint64_t changed;  /* with another cost or price */
    uint64_t unpriced; /* that had no price and have one now */
    uint64_t left;     /* as above */
    int64_t old_nanousd, new_nanousd;
};

/* NULL: no memory. */
struct rerate *rerate_create(const struct rerate_config *config);
void rerate_destroy(struct rerate **rerate);

/* Looks at the rows from `since_us` on, before `until_us`, and changes them if it applies, in
 * transactions of about RERATE_BATCH_ROWS; each batch whose rows changed is sealed anew within. After a
 * failure those before it are changed. Statuses of store_usage_list(), store_usage_set_cost(),
 * audit_batch_reseal() and change_end(). */
MUST_CHECK enum status rerate_run(struct rerate *rerate, uint64_t since_us, uint64_t until_us,
                                  struct reason *reason);

uint64_t rerate_rows(const struct rerate *rerate);
const struct rerate_target *rerate_targets(const struct rerate *rerate, size_t *count_out);

#endif
