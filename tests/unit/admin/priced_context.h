/* A context whose configuration has prices: for operations on usage and prices. */
#ifndef TESTS_UNIT_ADMIN_PRICED_CONTEXT_H
#define TESTS_UNIT_ADMIN_PRICED_CONTEXT_H

#include "unit/config/loading.h"

#include "store/store_usage.h"
#include "unit/admin/data_dir.h"

#define PRICED_HOUR_US (UINT64_C(1769860800) * US_PER_S) /* 2026-01-31T12:00:00Z */

static const char priced_yaml[] =
    "providers:\n"
    "  openai: { base_url: 'http://127.0.0.1:9/v1', api_key: k }\n"
    "  local: { base_url: 'http://127.0.0.1:9/v1', free: true }\n"
    "models:\n"
    "  - { name: 'gpt*', targets: [openai, { provider: local, model: small }] }\n"
    "prices:\n"
    "  - { provider: openai, model: gpt-x, input: 2usd, output: 8usd, from: 2026-01-15 }\n"
    "  - { provider: openai, model: 'ours-*', input: 1usd }\n";

static inline int priced_open(void **state)
{
    static struct loading
        loading; /* which a configuration that is loaded again still borrows from */
    struct reason reason = {""};
    loading = (struct loading){.status = STATUS_OK};
    if (data_dir_make(state) != 0)
        return -1;
    struct admin_context *context = data_dir_open(false);
    const struct config *config = config_ref(loading_sound(&loading, priced_yaml));
    loading_end(&loading);
    ASSERT(snapshot_create_for_prices(&config, &context->snapshot, &reason) == STATUS_OK);
    *state = context;
    return 0;
}

static inline int priced_close(void **state)
{
    struct admin_context *context = *state;
    snapshot_unref(&context->snapshot);
    admin_context_close(&context);
    return data_dir_remove(state);
}

/* A request to openai's gpt-x: 100 tokens in, 10 out, without a price. */
static inline struct store_usage priced_usage(uint32_t number)
{
    struct store_usage usage = {
        .timestamp_us = PRICED_HOUR_US + number,
        .model = SLICE("gpt-x"),
        .provider = SLICE("openai"),
        .target_model = SLICE("gpt-x"),
        .tokens = {100, 10, STORE_UNKNOWN, STORE_UNKNOWN, STORE_UNKNOWN, STORE_UNKNOWN},
        .cost_nanousd = STORE_UNKNOWN,
        .status = 200,
        .outcome = SLICE("completed"),
        .answered = true,
        .attempts = 1,
        .batch = 1,
    };
    memcpy(usage.id.bytes + 12, &number, sizeof(number));
    usage.id.bytes[0] = 1;
    return usage;
}

/* As the drain does it. */
static inline void priced_add(struct admin_context *context, const struct store_usage *usage)
{
    struct reason reason = {""};
    struct store_sum sum;
    bool inserted = false;
    ASSERT(store_usage_insert(context->store, usage, &inserted, &reason) == STATUS_OK && inserted);
    store_sum_of(usage, &sum);
    ASSERT(store_sum_add(context->store, &sum, &reason) == STATUS_OK);
}

#endif
