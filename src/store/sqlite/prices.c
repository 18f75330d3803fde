#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"

enum status sqlite_price_set(struct store *store, const struct store_price *price,
                             struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_PRICE_SET);
    query_bind_text_or_empty(&query, 1, price->provider);
    query_bind_text_or_empty(&query, 2, price->model);
    query_bind_u64(&query, 3, price->from_us);
    query_bind_text_or_empty(&query, 4, price->definition);
    query_bind_u64(&query, 5, price->created_at_us);
    return query_run(&query, reason);
}

enum status sqlite_price_delete(struct store *store, struct slice provider, struct slice model,
                                uint64_t from_us, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_PRICE_DELETE);
    query_bind_text_or_empty(&query, 1, provider);
    query_bind_text_or_empty(&query, 2, model);
    query_bind_u64(&query, 3, from_us);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK || sqlite3_changes(connection->database) > 0)
        return status;
    reason_set(reason, "there is no price of %.*s at %.*s from that date", SLICE_ARGS(model),
               SLICE_ARGS(provider));
    return STATUS_NOT_FOUND;
}

enum status sqlite_prices_list(struct store *store, store_price_visitor *visit, void *context,
                               struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_PRICES_LIST);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        const struct store_price price = {
            .provider = query_read_text(&query, 0),
            .model = query_read_text(&query, 1),
            .from_us = query_read_u64(&query, 2),
            .definition = query_read_text(&query, 3),
            .created_at_us = query_read_u64(&query, 4),
        };
        if (query.code == SQLITE_OK)
            visited = visit(context, &price);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}
