/* Reading requests of the ledger. */
#include "base/alloc.h"
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/usage_row.h"

#define PIECE_ROWS 256

enum status sqlite_usage_list_batch(struct store *store, int64_t batch, store_usage_visitor *visit,
                                    void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_USAGE_OF_BATCH);
    query_bind_i64(&query, 1, batch);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        const struct store_usage usage = usage_row_read(&query);
        if (query.code == SQLITE_OK)
            visited = visit(context, &usage);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}

/* Some rows of one batch, copied so that nothing is under way while they are visited. */
struct piece {
    struct store_usage rows[PIECE_ROWS];
    size_t count;
    struct arena arena; /* of their texts */
};

/* Whoever looks for what was tampered with asks for all rows, whatever their times and batches are. */
struct range {
    int64_t since_us, last_us; /* both included */
    bool is_over;
    int64_t batch, batch_last;
    struct id after; /* within the batch; zeros: from its start */
};

static struct range range_of(uint64_t since_us, uint64_t until_us)
{
    const uint64_t last_us = until_us == 0 || until_us > INT64_MAX ? INT64_MAX : until_us - 1;
    return (struct range){
        .since_us = since_us == 0          ? INT64_MIN
                    : since_us > INT64_MAX ? INT64_MAX
                                           : (int64_t)since_us,
        .last_us = (int64_t)last_us,
    };
}

static bool is_null(const struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

static enum status find_batches(struct connection *connection, struct range *range,
                                struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_USAGE_BATCHES);
    query_bind_i64(&query, 1, range->since_us);
    query_bind_i64(&query, 2, range->last_us);
    range->is_over = !query_next(&query) || is_null(&query, 0);
    range->batch = query_read_i64(&query, 0);
    range->batch_last = query_read_i64(&query, 1);
    return query_finish(&query, reason);
}

static enum status find_next_batch(struct connection *connection, struct range *range,
                                   struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_USAGE_NEXT_BATCH);
    query_bind_i64(&query, 1, range->batch);
    range->is_over = !query_next(&query) || is_null(&query, 0);
    range->batch = query_read_i64(&query, 0);
    range->is_over |= range->batch > range->batch_last;
    range->after = (struct id){{0}};
    return query_finish(&query, reason);
}

static enum status read_piece(struct connection *connection, const struct range *range,
                              struct piece *piece, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_USAGE_PIECE);
    query_bind_i64(&query, 1, range->batch);
    query_bind_id_or_empty(&query, 2, &range->after);
    query_bind_i64(&query, 3, range->since_us);
    query_bind_i64(&query, 4, range->last_us);
    query_bind_u64(&query, 5, PIECE_ROWS);
    enum status kept = STATUS_OK;
    piece->count = 0;
    while (kept == STATUS_OK && query_next(&query)) {
        struct store_usage *usage = &piece->rows[piece->count++];
        *usage = usage_row_read(&query);
        kept = usage_row_keep(usage, &piece->arena);
    }
    const enum status status = query_finish(&query, reason);
    if (status == STATUS_OK && kept != STATUS_OK)
        reason_set(reason, "out of memory while reading the ledger");
    return status == STATUS_OK ? kept : status;
}

/* Moves the range on behind the piece. */
static enum status advance(struct connection *connection, struct range *range,
                           const struct piece *piece, struct reason *reason)
{
    if (piece->count < PIECE_ROWS)
        return find_next_batch(connection, range, reason);
    range->after = piece->rows[piece->count - 1].id;
    return STATUS_OK;
}

static enum status visit_pieces(struct connection *connection, struct range *range,
                                struct piece *piece, store_usage_visitor *visit, void *context,
                                struct reason *reason)
{
    enum status status = find_batches(connection, range, reason);
    while (status == STATUS_OK && !range->is_over) {
        arena_init(&piece->arena, NULL, 0, SIZE_MAX);
        status = read_piece(connection, range, piece, reason);
        for (size_t i = 0; i < piece->count && status == STATUS_OK; i++)
            status = visit(context, &piece->rows[i]);
        if (status == STATUS_OK)
            status = advance(connection, range, piece, reason);
        arena_fini(&piece->arena);
    }
    return status;
}

enum status sqlite_usage_list(struct store *store, uint64_t since_us, uint64_t until_us,
                              store_usage_visitor *visit, void *context, struct reason *reason)
{
    struct range range = range_of(since_us, until_us);
    struct piece *piece = alloc_zeroed(1, sizeof(*piece));
    if (piece == NULL) {
        reason_set(reason, "out of memory while reading the ledger");
        return STATUS_NO_MEMORY;
    }
    const enum status status =
        visit_pieces(connection_of(store), &range, piece, visit, context, reason);
    alloc_free(piece);
    return status;
}
