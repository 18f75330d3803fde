#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/sums.h"
#include "store/sqlite/transactions.h"
#include "store/sqlite/usage_row.h"

enum status sqlite_usage_insert(struct store *store, const struct store_usage *usage,
                                bool *inserted_out, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_USAGE_INSERT);
    usage_row_bind(&query, usage);
    const enum status status = query_run(&query, reason);
    *inserted_out = status == STATUS_OK && sqlite3_changes(connection->database) > 0;
    return status;
}

enum status sqlite_attempt_insert(struct store *store, const struct store_attempt *attempt,
                                  struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_ATTEMPT_INSERT);
    query_bind_id(&query, 1, &attempt->request_id);
    query_bind_u64(&query, 2, attempt->number);
    query_bind_u64(&query, 3, attempt->timestamp_us);
    query_bind_text_or_null(&query, 4, attempt->provider);
    query_bind_text_or_null(&query, 5, attempt->target_model);
    query_bind_known(&query, 6, attempt->status != 0 ? (int64_t)attempt->status : STORE_UNKNOWN);
    query_bind_text_or_null(&query, 7, attempt->outcome);
    query_bind_known(&query, 8, attempt->latency_us);
    return query_run(&query, reason);
}

static int64_t known_or_none(int64_t value)
{
    return value > 0 ? value : 0;
}

/* Reads the row's price into the change that a new one makes. The names go into the arena. */
static enum status read_change(struct connection *connection, const struct id *id,
                               int64_t cost_nanousd, struct arena *arena,
                               struct sums_change *change_out, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_USAGE_PRICED);
    query_bind_id(&query, 1, id);
    const bool found = query_next(&query);
    if (found) {
        const int64_t former = query_read_known(&query, 7);
        const int64_t difference = known_or_none(cost_nanousd) - known_or_none(former);
        *change_out = (struct sums_change){
            .timestamp_us = query_read_u64(&query, 0),
            .user_id = query_read_id_or_zero(&query, 1),
            .key_id = query_read_id_or_zero(&query, 2),
            .team_id = query_read_id_or_zero(&query, 3),
            .model = arena_copy(arena, query_read_text(&query, 4)),
            .provider = arena_copy(arena, query_read_text(&query, 5)),
            .unpriced = (cost_nanousd < 0) - (former < 0),
            .cost_nanousd = difference,
            .answered_cost_nanousd = query_read_u64(&query, 6) != 0 ? difference : 0,
        };
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (!found) {
        reason_set(reason, "there is no such request in the ledger");
        return STATUS_NOT_FOUND;
    }
    if (change_out->model.data == NULL || change_out->provider.data == NULL) {
        reason_set(reason, "out of memory while reading a request");
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static enum status write_cost(struct connection *connection, const struct id *id,
                              int64_t cost_nanousd, struct slice price_id, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_USAGE_SET_COST);
    query_bind_id(&query, 1, id);
    query_bind_known(&query, 2, cost_nanousd);
    query_bind_text_or_null(&query, 3, price_id);
    return query_run(&query, reason);
}

enum status sqlite_usage_set_cost(struct store *store, const struct store_usage *usage,
                                  int64_t cost_nanousd, struct slice price_id,
                                  struct reason *reason)
{
    struct connection *connection = connection_of(store);
    char memory[1024];
    struct arena arena;
    struct sums_change change = {0};
    struct transaction transaction;
    enum status status = transaction_join(connection, &transaction, reason);
    if (status != STATUS_OK)
        return status;
    arena_init(&arena, memory, sizeof(memory), SIZE_MAX);
    status = read_change(connection, &usage->id, cost_nanousd, &arena, &change, reason);
    if (status == STATUS_OK)
        status = write_cost(connection, &usage->id, cost_nanousd, price_id, reason);
    if (status == STATUS_OK)
        status = sums_change(connection, &change, reason);
    arena_fini(&arena);
    return transaction_leave(&transaction, status, reason);
}
