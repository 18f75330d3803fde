#include "admin/price_operations.h"

#include "admin/list_offset.h"
#include "admin/price_item.h"
#include "admin/price_store.h"
#include "models/price_find.h"
#include "store/store_usage.h"

/* --- List ----------------------------------------------------------------------------------------- */

struct listing {
    struct list_offset page;
    const struct price_list *stored;
};

static void write_listed(struct list_offset *page, const struct price_list *list,
                         struct price_item item, uint64_t from_us)
{
    uint64_t next_us;
    if (price_list_find(list, item.provider, item.model, from_us, &item.price, &next_us) ==
            STATUS_OK &&
        list_offset_takes(page))
        price_item_write(&page->writer, &item);
}

static enum status write_stored(void *context, const struct store_price *stored)
{
    struct listing *listing = context;
    const struct price_item item = {.provider = stored->provider, .model = stored->model};
    write_listed(&listing->page, listing->stored, item, stored->from_us);
    return buffer_status(listing->page.writer.buffer);
}

static void write_configured(struct list_offset *page, const struct snapshot *snapshot)
{
    const struct config_prices *prices = &snapshot->config->prices;
    for (size_t i = 0; i < prices->count; i++) {
        const struct config_price *entry = &prices->items[i];
        const struct price_item item = {.provider = entry->provider, .model = entry->model};
        write_listed(page, snapshot->config_prices, item, entry->from_us);
    }
}

unsigned prices_list(struct operation *operation)
{
    struct admin_context *context = operation->context;
    struct reason reason = {""};
    struct price_list *list = NULL;
    struct listing listing;
    const unsigned failed = list_offset_begin(&listing.page, operation);
    if (failed != 0)
        return failed;
    enum status status = price_store_load(context->store, &list, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status == STATUS_INVALID ? STATUS_IO : status, &reason);
    listing.stored = list;
    if (context->snapshot != NULL)
        write_configured(&listing.page, context->snapshot);
    status = store_prices_list(context->store, write_stored, &listing, &reason);
    price_list_destroy(&list);
    return status == STATUS_OK ? list_offset_end(&listing.page)
                               : operation_failed(operation, status, &reason);
}

/* --- Show ----------------------------------------------------------------------------------------- */

static void write_target(struct list_offset *page, const struct price_sources *sources,
                         const struct price_query *query)
{
    struct price price;
    const bool is_known = price_find(sources, query, &price) == STATUS_OK;
    const struct price_item item = {query->provider, query->model, is_known ? &price : NULL};
    if (list_offset_takes(page))
        price_item_write(&page->writer, &item);
}

static void write_targets(struct operation *operation, struct list_offset *page,
                          const struct rule *rule, const struct price_list *stored)
{
    const struct snapshot *snapshot = operation->context->snapshot;
    const struct price_sources sources = {snapshot->config_prices, stored, &snapshot->catalogue};
    for (size_t i = 0; i < rule->target_count; i++) {
        const struct rule_target *target = &rule->targets[i];
        const struct provider *provider = &snapshot->providers[target->provider];
        const struct price_query query = {
            .provider = provider->config->name,
            .model = target->model.size > 0 ? target->model : operation->target.item,
            .catalogue_provider = provider->catalogue.name,
            .region = provider->catalogue.region,
            .is_free = provider->config->is_free,
            .time_us = operation->now_us,
        };
        write_target(page, &sources, &query);
    }
}

unsigned prices_show(struct operation *operation)
{
    const struct snapshot *snapshot = operation->context->snapshot;
    struct reason reason = {""};
    struct price_list *stored = NULL;
    struct list_offset page;
    const unsigned failed = list_offset_begin(&page, operation);
    if (failed != 0)
        return failed;
    if (snapshot == NULL)
        return operation_problem(operation, 503, "there is no configuration to look into");
    const struct rule *rule = rules_match(&snapshot->config->rules, operation->target.item);
    if (rule == NULL)
        return operation_problem(operation, 404, "no rule of the configuration serves this model");
    const enum status status = price_store_load(operation->context->store, &stored, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status == STATUS_INVALID ? STATUS_IO : status, &reason);
    write_targets(operation, &page, rule, stored);
    price_list_destroy(&stored);
    return list_offset_end(&page);
}
