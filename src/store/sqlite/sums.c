#include "store/sqlite/sums.h"

#include <string.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/transactions.h"

/* A key of the tally: the hour, the size of the model's name, that name, the provider's. */
struct key_head {
    uint64_t hour_us;
    uint64_t model_size;
};

static void bind_counts(struct query *query, int parameter, const struct counts *counts,
                        enum count first)
{
    for (int i = (int)first; i < COUNT_COUNT; i++)
        query_bind_u64(query, parameter + i - (int)first, counts->values[i]);
}

static void bind_owners(struct query *query, const struct store_sum *sum)
{
    query_bind_id_or_empty(query, 2, &sum->user_id);
    query_bind_id_or_empty(query, 3, &sum->key_id);
    query_bind_id_or_empty(query, 4, &sum->team_id);
    query_bind_text_or_empty(query, 5, sum->model);
    query_bind_text_or_empty(query, 6, sum->provider);
}

static enum status add_to_hour(struct connection *connection, const struct store_sum *sum,
                               struct counts counts, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_SUM_HOURLY);
    query_bind_u64(&query, 1, sum->hour_us);
    bind_owners(&query, sum);
    query_bind_text_or_empty(&query, 7, sum->reason);
    /* Here the reason says which of the two the requests are. */
    counts.values[COUNT_REQUESTS] += counts.values[COUNT_REFUSED];
    bind_counts(&query, 8, &counts, COUNT_REQUESTS);
    return query_run(&query, reason);
}

static enum status add_to_day(struct connection *connection, const struct store_sum *sum,
                              const struct counts *counts, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_SUM_DAILY);
    query_bind_u64(&query, 1, sum->hour_us - sum->hour_us % DAY_US);
    bind_owners(&query, sum);
    bind_counts(&query, 7, counts, COUNT_REFUSED);
    return query_run(&query, reason);
}

static enum status add_to_tally(struct connection *connection, const struct store_sum *sum,
                                const struct counts *counts, struct reason *reason)
{
    const struct key_head head = {sum->hour_us, sum->model.size};
    struct buffer *key = &connection->tally_key;
    buffer_clear(key);
    buffer_append(key, slice_of(&head, sizeof(head)));
    buffer_append(key, sum->model);
    buffer_append(key, sum->provider);
    enum status status = buffer_status(key);
    if (status == STATUS_OK)
        status = tally_add(&connection->pending, buffer_slice(key), counts);
    if (status != STATUS_OK)
        reason_set(reason, "%s while adding up usage",
                   status == STATUS_NO_MEMORY ? "out of memory" : "a name is too long");
    return status;
}

enum status sqlite_sum_add(struct store *store, const struct store_sum *sum, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    const struct counts counts = counts_of(sum);
    struct transaction transaction;
    enum status status = transaction_join(connection, &transaction, reason);
    if (status != STATUS_OK)
        return status;
    status = add_to_hour(connection, sum, counts, reason);
    if (status == STATUS_OK)
        status = add_to_day(connection, sum, &counts, reason);
    if (status == STATUS_OK)
        status = add_to_tally(connection, sum, &counts, reason);
    return transaction_leave(&transaction, status, reason);
}

static enum status flush_entry(struct connection *connection, const struct tally_entry *entry,
                               struct reason *reason)
{
    struct key_head head;
    ASSERT(entry->key.size >= sizeof(head));
    memcpy(&head, entry->key.data, sizeof(head));
    const struct slice names = slice_from(entry->key, sizeof(head));
    struct query query = query_start(connection, STATEMENT_SUM_HOURLY_ALL);
    query_bind_u64(&query, 1, head.hour_us);
    query_bind_text_or_empty(&query, 2, slice_of(names.data, head.model_size));
    query_bind_text_or_empty(&query, 3, slice_from(names, head.model_size));
    bind_counts(&query, 4, &entry->counts, COUNT_REFUSED);
    return query_run(&query, reason);
}

enum status sums_flush(struct connection *connection, struct reason *reason)
{
    const struct tally *tally = &connection->pending;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < tally->count && status == STATUS_OK; i++)
        status = flush_entry(connection, &tally->entries[i], reason);
    if (status == STATUS_OK)
        tally_clear(&connection->pending);
    return status;
}

static enum status change_table(struct connection *connection, enum statement statement,
                                uint64_t start_us, const struct sums_change *change,
                                struct reason *reason)
{
    struct query query = query_start(connection, statement);
    query_bind_u64(&query, 1, start_us);
    query_bind_id_or_empty(&query, 2, &change->user_id);
    query_bind_id_or_empty(&query, 3, &change->key_id);
    query_bind_id_or_empty(&query, 4, &change->team_id);
    query_bind_text_or_empty(&query, 5, change->model);
    query_bind_text_or_empty(&query, 6, change->provider);
    query_bind_i64(&query, 7, change->unpriced);
    query_bind_i64(&query, 8, change->cost_nanousd);
    query_bind_i64(&query, 9, change->answered_cost_nanousd);
    return query_run(&query, reason);
}

enum status sums_change(struct connection *connection, const struct sums_change *change,
                        struct reason *reason)
{
    const uint64_t hour_us = change->timestamp_us - change->timestamp_us % STORE_HOUR_US;
    const uint64_t day_us = change->timestamp_us - change->timestamp_us % DAY_US;
    /* The row to change may still be in the tally. */
    enum status status = sums_flush(connection, reason);
    if (status == STATUS_OK)
        status = change_table(connection, STATEMENT_CHANGE_HOURLY, hour_us, change, reason);
    if (status == STATUS_OK)
        status = change_table(connection, STATEMENT_CHANGE_DAILY, day_us, change, reason);
    if (status == STATUS_OK)
        status = change_table(connection, STATEMENT_CHANGE_HOURLY_ALL, hour_us, change, reason);
    return status;
}
