#include "store/sqlite/usage_row.h"

#include <limits.h>

void usage_row_bind(struct query *query, const struct store_usage *usage)
{
    query_bind_id(query, 1, &usage->id);
    query_bind_u64(query, 2, usage->timestamp_us);
    query_bind_id_or_null(query, 3, &usage->user_id);
    query_bind_id_or_null(query, 4, &usage->key_id);
    query_bind_id_or_null(query, 5, &usage->team_id);
    query_bind_text_or_null(query, 6, usage->route);
    query_bind_text_or_null(query, 7, usage->model);
    query_bind_text_or_null(query, 8, usage->provider);
    query_bind_text_or_null(query, 9, usage->target_model);
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        query_bind_known(query, 10 + i, usage->tokens[i]);
    query_bind_known(query, 16, usage->cost_nanousd);
    query_bind_text_or_null(query, 17, usage->price_id);
    query_bind_known(query, 18, usage->status != 0 ? (int64_t)usage->status : STORE_UNKNOWN);
    query_bind_text_or_null(query, 19, usage->outcome);
    query_bind_u64(query, 20, usage->answered);
    query_bind_u64(query, 21, usage->estimated);
    query_bind_u64(query, 22, usage->attempts);
    query_bind_text_or_null(query, 23, usage->cache);
    query_bind_text_or_null(query, 24, usage->context);
    query_bind_u64(query, 25, usage->stream);
    query_bind_known(query, 26, usage->latency_us);
    query_bind_known(query, 27, usage->first_byte_us);
    query_bind_text_or_null(query, 28, usage->client_request_id);
    query_bind_text_or_null(query, 29, usage->provider_request_id);
    query_bind_blob(query, 30,
                    usage->idempotency_hash.size > 0 ? usage->idempotency_hash.data : NULL,
                    usage->idempotency_hash.size);
    query_bind_text_or_null(query, 31, usage->metadata);
    query_bind_i64(query, 32, usage->batch);
}

/* A number that weir itself writes as an unsigned one. What weir cannot have written is read as the
 * largest, so that whoever compares the row with what was written sees that it changed. */
static unsigned read_unsigned(struct query *query, int column)
{
    const int64_t value = query_read_i64(query, column); /* NULL is 0 */
    return value < 0 || value > UINT_MAX ? UINT_MAX : (unsigned)value;
}

struct store_usage usage_row_read(struct query *query)
{
    struct store_usage usage = {
        .timestamp_us = query_read_u64(query, 1),
        .user_id = query_read_id_or_zero(query, 2),
        .key_id = query_read_id_or_zero(query, 3),
        .team_id = query_read_id_or_zero(query, 4),
        .route = query_read_text(query, 5),
        .model = query_read_text(query, 6),
        .provider = query_read_text(query, 7),
        .target_model = query_read_text(query, 8),
        .cost_nanousd = query_read_known(query, 15),
        .price_id = query_read_text(query, 16),
        .status = read_unsigned(query, 17),
        .outcome = query_read_text(query, 18),
        .answered = query_read_u64(query, 19) != 0,
        .estimated = query_read_u64(query, 20) != 0,
        .attempts = read_unsigned(query, 21),
        .cache = query_read_text(query, 22),
        .context = query_read_text(query, 23),
        .stream = query_read_u64(query, 24) != 0,
        .latency_us = query_read_known(query, 25),
        .first_byte_us = query_read_known(query, 26),
        .client_request_id = query_read_text(query, 27),
        .provider_request_id = query_read_text(query, 28),
        .idempotency_hash = query_read_bytes(query, 29),
        .metadata = query_read_text(query, 30),
        .batch = query_read_i64(query, 31),
    };
    /* A flag that weir did not write is told by what is compared beside it. */
    if (query_read_u64(query, 19) > 1 || query_read_u64(query, 20) > 1 ||
        query_read_u64(query, 24) > 1)
        usage.attempts = UINT_MAX;
    query_read_blob(query, 0, usage.id.bytes, sizeof(usage.id.bytes));
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        usage.tokens[i] = query_read_known(query, 9 + i);
    return usage;
}

enum status usage_row_keep(struct store_usage *usage, struct arena *arena)
{
    struct slice *const texts[] = {
        &usage->route,
        &usage->model,
        &usage->provider,
        &usage->target_model,
        &usage->price_id,
        &usage->outcome,
        &usage->cache,
        &usage->context,
        &usage->client_request_id,
        &usage->provider_request_id,
        &usage->idempotency_hash,
        &usage->metadata,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i]->size == 0)
            continue;
        *texts[i] = arena_copy(arena, *texts[i]);
        if (texts[i]->data == NULL)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}
