#include "admin/rerate.h"

#include <string.h>

#include "admin/change.h"
#include "admin/member_writer.h"
#include "audit/batch.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "gateway/pricing.h"
#include "models/price.h"

#define ARENA_BYTES_MAX ((size_t)1 << 20)
#define CHANGES_MAX     (AUDIT_BATCH_ROWS_MAX + RERATE_BATCH_ROWS)

struct new_cost {
    struct id id;
    int64_t batch;
    int64_t cost_nanousd;
    char price_id[PRICING_ID_BYTES];
};

struct rerate {
    struct rerate_config config;
    struct snapshot prices; /* the configuration's, with the operator's as they are now; borrows */
    struct pricing pricing;
    struct new_cost *changes;
    size_t change_count, change_capacity;
    struct audit_batch *seal; /* once it is needed */
    struct rerate_target targets[RERATE_TARGETS_MAX + 1];
    size_t target_count;
    uint64_t rows;
    struct arena arena; /* names of targets */
    char id[PRICING_ID_BYTES];
    struct reason *reason;
};

struct rerate *rerate_create(const struct rerate_config *config)
{
    struct rerate *rerate = alloc_zeroed(1, sizeof(*rerate));
    if (rerate == NULL)
        return NULL;
    arena_init(&rerate->arena, NULL, 0, ARENA_BYTES_MAX);
    rerate->changes = alloc_zeroed(RERATE_BATCH_ROWS, sizeof(struct new_cost));
    if (rerate->changes == NULL) {
        rerate_destroy(&rerate);
        return NULL;
    }
    rerate->config = *config;
    rerate->change_capacity = RERATE_BATCH_ROWS;
    rerate->prices.config = config->snapshot->config;
    rerate->prices.providers = config->snapshot->providers;
    rerate->prices.catalogue = config->snapshot->catalogue;
    rerate->prices.config_prices = config->snapshot->config_prices;
    rerate->prices.store_prices = (struct price_list *)config->stored; /* only read */
    return rerate;
}

void rerate_destroy(struct rerate **rerate)
{
    if (*rerate == NULL)
        return;
    pricing_fini(&(*rerate)->pricing);
    audit_batch_destroy(&(*rerate)->seal);
    alloc_free((*rerate)->changes);
    arena_fini(&(*rerate)->arena);
    alloc_free(*rerate);
    *rerate = NULL;
}

uint64_t rerate_rows(const struct rerate *rerate)
{
    return rerate->rows;
}

const struct rerate_target *rerate_targets(const struct rerate *rerate, size_t *count_out)
{
    *count_out = rerate->target_count;
    return rerate->targets;
}

/* --- Changing ------------------------------------------------------------------------------------- */

static enum status set_costs(struct rerate *rerate)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < rerate->change_count && status == STATUS_OK; i++) {
        const struct new_cost *change = &rerate->changes[i];
        const struct store_usage usage = {.id = change->id};
        status = store_usage_set_cost(rerate->config.context->store, &usage, change->cost_nanousd,
                                      slice_from_text(change->price_id), rerate->reason);
    }
    return status;
}

/* Changes come batch by batch. */
static enum status seal(struct rerate *rerate)
{
    const uint64_t now_us = rerate->config.context->now_us();
    enum status status = STATUS_OK;
    if (rerate->seal == NULL)
        status = audit_batch_create(rerate->config.context->audit, &rerate->seal, rerate->reason);
    for (size_t i = 0; i < rerate->change_count && status == STATUS_OK; i++) {
        const int64_t batch = rerate->changes[i].batch;
        if (i == 0 || batch != rerate->changes[i - 1].batch)
            status = audit_batch_reseal(rerate->seal, rerate->config.context->store, batch, now_us,
                                        rerate->reason);
    }
    return status;
}

static enum status change_and_tell(struct rerate *rerate)
{
    struct change change;
    enum status status =
        change_begin(rerate->config.context, SLICE("price.rerate"), &change, rerate->reason);
    if (status == STATUS_OK)
        status = set_costs(rerate);
    if (status == STATUS_OK)
        status = seal(rerate);
    member_write_number(&change.writer, SLICE("rows"), rerate->change_count);
    return change_end(&change, status, rerate->reason);
}

/* One short transaction: the drain waits for it. */
static enum status write_changes(struct rerate *rerate)
{
    const enum status status = rerate->change_count > 0 ? change_and_tell(rerate) : STATUS_OK;
    rerate->change_count = 0;
    return status;
}

/* A batch is not parted without need, since its seal takes a look at all its rows. */
static enum status make_room(struct rerate *rerate, int64_t batch)
{
    const bool is_next =
        rerate->change_count > 0 && rerate->changes[rerate->change_count - 1].batch != batch;
    if (rerate->change_count >= CHANGES_MAX ||
        (is_next && rerate->change_count >= RERATE_BATCH_ROWS))
        return write_changes(rerate);
    if (rerate->change_count < rerate->change_capacity)
        return STATUS_OK;
    const size_t capacity = rerate->change_capacity * 2;
    void *changes = alloc_resize(rerate->changes, capacity * sizeof(struct new_cost));
    if (changes == NULL)
        return STATUS_NO_MEMORY;
    rerate->changes = changes;
    rerate->change_capacity = capacity;
    return STATUS_OK;
}

static enum status add_change(struct rerate *rerate, const struct store_usage *usage,
                              const struct record_bill *bill)
{
    if (!rerate->config.applies)
        return STATUS_OK;
    const enum status status = make_room(rerate, usage->batch);
    if (status != STATUS_OK)
        return status;
    struct new_cost *change = &rerate->changes[rerate->change_count++];
    ASSERT(bill->price_id.size < sizeof(change->price_id));
    change->id = usage->id;
    change->batch = usage->batch;
    change->cost_nanousd = bill->cost_nanousd;
    memcpy(change->price_id, bill->price_id.data, bill->price_id.size);
    change->price_id[bill->price_id.size] = '\0';
    return STATUS_OK;
}

/* --- Reckoning ------------------------------------------------------------------------------------ */

static const struct provider *find_provider(const struct rerate *rerate, struct slice name)
{
    const struct snapshot *snapshot = rerate->config.snapshot;
    for (size_t i = 0; i < snapshot->config->provider_count; i++) {
        if (slice_equal(snapshot->config->providers[i].name, name))
            return &snapshot->providers[i];
    }
    return NULL;
}

static bool is_counted(const struct store_usage *usage)
{
    return usage->tokens[STORE_TOKENS_INPUT] >= 0 || usage->tokens[STORE_TOKENS_OUTPUT] >= 0;
}

static bool is_left(const struct store_usage *usage)
{
    const bool is_cached = slice_equal(usage->cache, SLICE("hit"));
    const bool is_orphan = slice_equal(usage->outcome, SLICE("orphaned"));
    return is_cached || usage->tokens[STORE_TOKENS_AUDIO] > 0 || (is_orphan && !is_counted(usage));
}

/* What the provider said, as far as the row has it. */
static void read_tokens(const struct store_usage *usage, struct openai_usage *tokens_out)
{
    static const enum openai_tokens places[STORE_TOKENS_COUNT] = {
        [STORE_TOKENS_INPUT] = OPENAI_TOKENS_INPUT,
        [STORE_TOKENS_OUTPUT] = OPENAI_TOKENS_OUTPUT,
        [STORE_TOKENS_CACHED] = OPENAI_TOKENS_CACHED,
        [STORE_TOKENS_CACHE_WRITE] = OPENAI_TOKENS_CACHE_WRITE,
        [STORE_TOKENS_REASONING] = OPENAI_TOKENS_REASONING,
        [STORE_TOKENS_AUDIO] = OPENAI_TOKENS_INPUT_AUDIO, /* none: see is_left() */
    };
    *tokens_out = (struct openai_usage){0};
    for (size_t i = 0; i < STORE_TOKENS_COUNT; i++) {
        if (usage->tokens[i] < 0)
            continue;
        tokens_out->tokens[places[i]] = (uint64_t)usage->tokens[i];
        tokens_out->given |= UINT32_C(1) << places[i];
    }
}

/* STATUS_NOT_FOUND: the row is left as it is. */
static enum status reckon(struct rerate *rerate, const struct store_usage *usage,
                          struct record_bill *bill_out)
{
    struct openai_usage tokens;
    const struct provider *provider = find_provider(rerate, usage->provider);
    if (provider == NULL || is_left(usage))
        return STATUS_NOT_FOUND;
    const struct price *price = pricing_find(&rerate->pricing, &rerate->prices, provider,
                                             usage->target_model, usage->timestamp_us);
    if (price == NULL)
        return STATUS_NO_MEMORY;
    const enum price_class service_class = pricing_class_of(usage->price_id);
    read_tokens(usage, &tokens);
    pricing_bill(price, provider, &tokens, service_class, usage->timestamp_us, bill_out);
    bill_out->price_id = pricing_id(bill_out->price_id, service_class, rerate->id);
    return bill_out->cost_nanousd >= 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

/* --- Adding up ------------------------------------------------------------------------------------ */

static struct rerate_target *find_target(struct rerate *rerate, const struct store_usage *usage)
{
    for (size_t i = 0; i < rerate->target_count; i++) {
        struct rerate_target *target = &rerate->targets[i];
        if (slice_equal(target->provider, usage->provider) &&
            slice_equal(target->model, usage->target_model))
            return target;
    }
    const bool has_place = rerate->target_count < RERATE_TARGETS_MAX;
    struct rerate_target *other = &rerate->targets[RERATE_TARGETS_MAX];
    const struct slice provider =
        has_place ? arena_copy(&rerate->arena, usage->provider) : SLICE("other");
    const struct slice model =
        has_place ? arena_copy(&rerate->arena, usage->target_model) : SLICE("other");
    if ((usage->provider.size > 0 && provider.data == NULL) ||
        (usage->target_model.size > 0 && model.data == NULL))
        return NULL;
    if (!has_place)
        rerate->target_count = RERATE_TARGETS_MAX + 1;
    struct rerate_target *target = has_place ? &rerate->targets[rerate->target_count++] : other;
    target->provider = provider;
    target->model = model;
    return target;
}

static void add_money(int64_t *sum, int64_t amount)
{
    if (amount > 0)
        *sum = amount > INT64_MAX - *sum ? INT64_MAX : *sum + amount;
}

static enum status visit(void *context, const struct store_usage *usage)
{
    struct rerate *rerate = context;
    struct record_bill bill = {.cost_nanousd = STORE_UNKNOWN};
    struct rerate_target *target = find_target(rerate, usage);
    enum status status = target != NULL ? reckon(rerate, usage, &bill) : STATUS_NO_MEMORY;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    rerate->rows++;
    target->rows++;
    add_money(&target->old_nanousd, usage->cost_nanousd);
    if (status == STATUS_NOT_FOUND) {
        target->left++;
        add_money(&target->new_nanousd, usage->cost_nanousd);
        return STATUS_OK;
    }
    add_money(&target->new_nanousd, bill.cost_nanousd);
    if (usage->cost_nanousd == bill.cost_nanousd && slice_equal(usage->price_id, bill.price_id))
        return STATUS_OK;
    target->changed++;
    target->unpriced += usage->cost_nanousd < 0;
    return add_change(rerate, usage, &bill);
}

enum status rerate_run(struct rerate *rerate, uint64_t since_us, uint64_t until_us,
                       struct reason *reason)
{
    rerate->reason = reason;
    enum status status =
        store_usage_list(rerate->config.context->store, since_us, until_us, visit, rerate, reason);
    if (status == STATUS_OK)
        status = write_changes(rerate);
    rerate->change_count = 0;
    return status;
}
