/* The three tables of sums, kept in step with the rows in the same transaction.
 *
 * usage_hourly has the full key. usage_daily has it by day and without the reason, for reports over
 * owners of many days. usage_hourly_all is over all owners; its few buckets are gathered in the
 * connection's tally and written once, by the commit. Thread: the connection's. */
#ifndef STORE_SQLITE_SUMS_H
#define STORE_SQLITE_SUMS_H

#include "store/sqlite/connection.h"

#define DAY_US (24 * STORE_HOUR_US)

/* Writes what the tally holds and empties it; on a failure the caller rolls back. */
MUST_CHECK enum status sums_flush(struct connection *connection, struct reason *reason);

/* The price of a request that the sums hold has changed. */
struct sums_change {
    uint64_t timestamp_us;
    struct id key_id, user_id, team_id;
    struct slice model, provider;
    int64_t unpriced; /* added, like the costs; may be negative */
    int64_t cost_nanousd;
    int64_t answered_cost_nanousd;
};
/* Within a transaction. */
MUST_CHECK enum status sums_change(struct connection *connection, const struct sums_change *change,
                                   struct reason *reason);

#endif
