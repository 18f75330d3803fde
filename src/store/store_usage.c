#include "store/store_usage.h"

#include "base/assert.h"
#include "store/store_driver.h"

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    const uint64_t max = INT64_MAX;
    return a > max || b > max - a ? max : a + b;
}

static int64_t add_cost(int64_t a, int64_t b)
{
    ASSERT(a >= 0 && b >= 0);
    return (int64_t)add_capped((uint64_t)a, (uint64_t)b);
}

static uint64_t known_or_none(int64_t value)
{
    return value > 0 ? (uint64_t)value : 0;
}

void store_sum_of(const struct store_usage *usage, struct store_sum *sum_out)
{
    *sum_out = (struct store_sum){
        .hour_us = usage->timestamp_us - usage->timestamp_us % STORE_HOUR_US,
        .key_id = usage->key_id,
        .user_id = usage->user_id,
        .team_id = usage->team_id,
        .model = usage->model,
        .provider = usage->provider,
        .requests = 1,
        .answered = usage->answered,
        .estimated = usage->estimated,
        .unpriced = usage->cost_nanousd < 0,
        .cost_nanousd = (int64_t)known_or_none(usage->cost_nanousd),
    };
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        sum_out->tokens[i] = known_or_none(usage->tokens[i]);
    if (!usage->answered)
        return;
    sum_out->answered_tokens =
        add_capped(sum_out->tokens[STORE_TOKENS_INPUT], sum_out->tokens[STORE_TOKENS_OUTPUT]);
    sum_out->answered_cost_nanousd = sum_out->cost_nanousd;
}

void store_sum_merge(struct store_sum *into, const struct store_sum *sum)
{
    into->requests = add_capped(into->requests, sum->requests);
    into->answered = add_capped(into->answered, sum->answered);
    into->estimated = add_capped(into->estimated, sum->estimated);
    into->unpriced = add_capped(into->unpriced, sum->unpriced);
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        into->tokens[i] = add_capped(into->tokens[i], sum->tokens[i]);
    into->answered_tokens = add_capped(into->answered_tokens, sum->answered_tokens);
    into->cost_nanousd = add_cost(into->cost_nanousd, sum->cost_nanousd);
    into->answered_cost_nanousd = add_cost(into->answered_cost_nanousd, sum->answered_cost_nanousd);
}

enum status store_begin(struct store *store, struct reason *reason)
{
    return store->driver->begin(store, reason);
}

enum status store_commit(struct store *store, struct reason *reason)
{
    return store->driver->commit(store, reason);
}

void store_rollback(struct store *store)
{
    store->driver->rollback(store);
}

enum status store_sync(struct store *store, struct reason *reason)
{
    return store->driver->sync(store, reason);
}

enum status store_check_file(struct store *store, struct reason *reason)
{
    return store->driver->check_file(store, reason);
}

enum status store_usage_insert(struct store *store, const struct store_usage *usage,
                               bool *inserted_out, struct reason *reason)
{
    return store->driver->usage_insert(store, usage, inserted_out, reason);
}

enum status store_attempt_insert(struct store *store, const struct store_attempt *attempt,
                                 struct reason *reason)
{
    return store->driver->attempt_insert(store, attempt, reason);
}

enum status store_open_insert(struct store *store, const struct store_open *open,
                              struct reason *reason)
{
    return store->driver->open_insert(store, open, reason);
}

enum status store_open_delete(struct store *store, const struct id *id, struct reason *reason)
{
    return store->driver->open_delete(store, id, reason);
}

enum status store_opens_list(struct store *store, uint64_t generation, store_open_visitor *visit,
                             void *context, struct reason *reason)
{
    return store->driver->opens_list(store, generation, visit, context, reason);
}

enum status store_usage_list_batch(struct store *store, int64_t batch, store_usage_visitor *visit,
                                   void *context, struct reason *reason)
{
    return store->driver->usage_list_batch(store, batch, visit, context, reason);
}

enum status store_usage_list(struct store *store, uint64_t since_us, uint64_t until_us,
                             store_usage_visitor *visit, void *context, struct reason *reason)
{
    return store->driver->usage_list(store, since_us, until_us, visit, context, reason);
}

enum status store_usage_set_cost(struct store *store, const struct store_usage *usage,
                                 int64_t cost_nanousd, struct slice price_id, struct reason *reason)
{
    return store->driver->usage_set_cost(store, usage, cost_nanousd, price_id, reason);
}

enum status store_sum_add(struct store *store, const struct store_sum *sum, struct reason *reason)
{
    return store->driver->sum_add(store, sum, reason);
}

enum status store_report(struct store *store, const struct store_report *report,
                         store_report_visitor *visit, void *context, struct reason *reason)
{
    return store->driver->report(store, report, visit, context, reason);
}

enum status store_spend_list(struct store *store, const struct store_spend_query *query,
                             store_spend_visitor *visit, void *context, struct reason *reason)
{
    ASSERT(query->by <= STORE_GROUP_PROVIDER);
    return store->driver->spend_list(store, query, visit, context, reason);
}

enum status store_spend(struct store *store, const struct store_spend_query *query,
                        struct slice owner, int64_t *nanousd_out, struct reason *reason)
{
    ASSERT(query->by <= STORE_GROUP_PROVIDER);
    return store->driver->spend(store, query, owner, nanousd_out, reason);
}

enum status store_position_set(struct store *store, const struct store_position *position,
                               struct reason *reason)
{
    return store->driver->position_set(store, position, reason);
}

enum status store_position_find(struct store *store, uint64_t generation, uint32_t worker,
                                struct store_position *position_out, struct reason *reason)
{
    return store->driver->position_find(store, generation, worker, position_out, reason);
}

enum status store_positions_delete(struct store *store, uint64_t generation, struct reason *reason)
{
    return store->driver->positions_delete(store, generation, reason);
}

enum status store_batch_next(struct store *store, int64_t *batch_out, struct reason *reason)
{
    return store->driver->batch_next(store, batch_out, reason);
}

enum status store_retention_next(struct store *store, uint64_t before_us, int64_t *batch_out,
                                 uint64_t *rows_out, struct reason *reason)
{
    return store->driver->retention_next(store, before_us, batch_out, rows_out, reason);
}

enum status store_retention_delete(struct store *store, int64_t batch, uint64_t rows_max,
                                   uint64_t *deleted_out, struct reason *reason)
{
    return store->driver->retention_delete(store, batch, rows_max, deleted_out, reason);
}

enum status store_price_set(struct store *store, const struct store_price *price,
                            struct reason *reason)
{
    return store->driver->price_set(store, price, reason);
}

enum status store_price_delete(struct store *store, struct slice provider, struct slice model,
                               uint64_t from_us, struct reason *reason)
{
    return store->driver->price_delete(store, provider, model, from_us, reason);
}

enum status store_prices_list(struct store *store, store_price_visitor *visit, void *context,
                              struct reason *reason)
{
    return store->driver->prices_list(store, visit, context, reason);
}
