#include "admin/price_operations.h"

#include "admin/member_writer.h"
#include "admin/price_item.h"
#include "admin/price_store.h"
#include "models/price_find.h"
#include "store/store_usage.h"

static void begin_items(struct operation *operation, struct json_writer *writer)
{
    json_writer_init(writer, operation->answer);
    json_write_object(writer);
    json_write_key(writer, SLICE("items"));
    json_write_array(writer);
}

/* There is one page of prices. */
static unsigned end_items(struct json_writer *writer)
{
    json_write_end(writer);
    member_write_text(writer, SLICE("next"), slice_of(NULL, 0));
    json_write_end(writer);
    return 200;
}

static unsigned check_page_parameters(struct operation *operation)
{
    static const struct slice parameters[] = {{"limit", 5}, {"after", 5}};
    return operation_check_parameters(operation, parameters, 2);
}

/* --- List ----------------------------------------------------------------------------------------- */

static void write_listed(struct json_writer *writer, const struct price_list *list,
                         struct price_item item, uint64_t from_us)
{
    uint64_t next_us;
    if (price_list_find(list, item.provider, item.model, from_us, &item.price, &next_us) ==
        STATUS_OK)
        price_item_write(writer, &item);
}

struct listing {
    struct json_writer writer;
    const struct price_list *list;
};

static enum status write_stored(void *context, const struct store_price *stored)
{
    struct listing *listing = context;
    const struct price_item item = {.provider = stored->provider, .model = stored->model};
    write_listed(&listing->writer, listing->list, item, stored->from_us);
    return buffer_status(listing->writer.buffer);
}

static void write_configured(struct json_writer *writer, const struct snapshot *snapshot)
{
    const struct config_prices *prices = &snapshot->config->prices;
    for (size_t i = 0; i < prices->count; i++) {
        const struct config_price *entry = &prices->items[i];
        const struct price_item item = {.provider = entry->provider, .model = entry->model};
        write_listed(writer, snapshot->config_prices, item, entry->from_us);
    }
}

unsigned prices_list(struct operation *operation)
{
    struct admin_context *context = operation->context;
    struct reason reason = {""};
    struct price_list *list = NULL;
    const unsigned failed = check_page_parameters(operation);
    if (failed != 0)
        return failed;
    enum status status = price_store_load(context->store, &list, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status == STATUS_INVALID ? STATUS_IO : status, &reason);
    struct listing listing = {.list = list};
    begin_items(operation, &listing.writer);
    if (context->snapshot != NULL)
        write_configured(&listing.writer, context->snapshot);
    status = store_prices_list(context->store, write_stored, &listing, &reason);
    price_list_destroy(&list);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return end_items(&listing.writer);
}

/* --- Show ----------------------------------------------------------------------------------------- */

static void write_target(struct json_writer *writer, const struct price_sources *sources,
                         const struct price_query *query)
{
    struct price price;
    const bool is_known = price_find(sources, query, &price) == STATUS_OK;
    const struct price_item item = {query->provider, query->model, is_known ? &price : NULL};
    price_item_write(writer, &item);
}

static void write_targets(struct operation *operation, struct json_writer *writer,
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
        write_target(writer, &sources, &query);
    }
}

unsigned prices_show(struct operation *operation)
{
    const struct snapshot *snapshot = operation->context->snapshot;
    struct reason reason = {""};
    struct price_list *stored = NULL;
    struct json_writer writer;
    const unsigned failed = check_page_parameters(operation);
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
    begin_items(operation, &writer);
    write_targets(operation, &writer, rule, stored);
    price_list_destroy(&stored);
    return end_items(&writer);
}
