/* Setting and removing the operator's prices. */
#include "admin/change.h"
#include "admin/member_writer.h"
#include "admin/price_item.h"
#include "admin/price_operations.h"
#include "admin/price_store.h"
#include "admin/provider_lookup.h"
#include "base/nearest.h"
#include "base/date.h"
#include "models/price_terms.h"
#include "store/store_usage.h"

#define DEFINITION_BYTES_MAX 65536
#define SUBJECT_BYTES_MAX    65536 /* more than a path or a body holds */

/* Whether a price for the first is one for the second: a '*' at the end stands for the rest. */
static bool covers(struct slice pattern, struct slice model)
{
    if (!slice_ends_with(pattern, SLICE("*")))
        return slice_equal(pattern, model);
    return slice_starts_with(model, slice_of(pattern.data, pattern.size - 1));
}

/* What the file names holds whatever the store says, so it is not to be set here. */
static unsigned check_not_configured(struct operation *operation, const struct store_price *price)
{
    const struct snapshot *snapshot = operation->context->snapshot;
    for (size_t i = 0; snapshot != NULL && i < snapshot->config->prices.count; i++) {
        const struct config_price *entry = &snapshot->config->prices.items[i];
        if (slice_equal(entry->provider, price->provider) && covers(entry->model, price->model))
            return operation_problem(operation, 409,
                                     "the configuration has this price (%.*s:%u), and goes first",
                                     SLICE_ARGS(snapshot->config->file), entry->origin.line);
    }
    return 0;
}

/* Reads a moment from which a price holds; without one it always has. */
static unsigned read_from(struct operation *operation, struct slice text, uint64_t *from_us_out)
{
    *from_us_out = 0;
    if (text.data == NULL || date_parse(text, from_us_out) == STATUS_OK)
        return 0;
    return operation_problem(operation, 400,
                             "`from` is a day such as 2026-01-31 or a time such as "
                             "2026-01-31T12:00:00Z");
}

/* The members as terms: "input=0.4;output=1.6". */
static enum status append_terms(yyjson_val *object, struct buffer *terms, struct reason *reason)
{
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    yyjson_val *name;
    while ((name = yyjson_obj_iter_next(&iterator)) != NULL) {
        yyjson_val *value = yyjson_obj_iter_get_val(name);
        if (!yyjson_is_str(value)) {
            reason_set(reason, "the price of %.40s is a decimal in quotes", yyjson_get_str(name));
            return STATUS_INVALID;
        }
        if (terms->size > 0)
            buffer_append_byte(terms, ';');
        buffer_append(terms, slice_of(yyjson_get_str(name), yyjson_get_len(name)));
        buffer_append_byte(terms, '=');
        buffer_append(terms, slice_of(yyjson_get_str(value), yyjson_get_len(value)));
    }
    return buffer_status(terms);
}

/* Of a name that is none, whose reason begins with it: the one that may be meant. */
static void suggest(struct reason *reason)
{
    const struct slice text = slice_from_text(reason->text);
    const size_t colon = slice_find_byte(text, ':');
    struct nearest nearest;
    struct reason longer;
    if (colon == text.size)
        return;
    nearest_begin(&nearest, slice_of(text.data, colon));
    for (unsigned i = 0; i < PRICE_PARTS; i++)
        nearest_consider(&nearest, slice_from_text(price_part_name((enum price_part)i)));
    if (nearest.found.size == 0)
        return;
    reason_set(&longer, "%s; did you mean '%.*s'?", reason->text, SLICE_ARGS(nearest.found));
    *reason = longer;
}

/* Reads the prices, and writes them in the one form that the store keeps. */
static enum status read_prices(yyjson_val *value, struct price *price, struct buffer *definition,
                               struct reason *reason)
{
    struct buffer terms;
    struct json_writer writer;
    if (!yyjson_is_obj(value)) {
        reason_set(reason, "`prices` is an object such as {\"input\":\"0.4\",\"output\":\"1.6\"}");
        return STATUS_INVALID;
    }
    buffer_init(&terms, DEFINITION_BYTES_MAX);
    enum status status = append_terms(value, &terms, reason);
    if (status == STATUS_OK)
        status = price_read(buffer_slice(&terms), price, reason);
    buffer_fini(&terms);
    if (status == STATUS_NOT_FOUND)
        suggest(reason);
    if (status != STATUS_OK)
        return status;
    json_writer_init(&writer, definition);
    price_definition_write(&writer, price);
    return buffer_status(definition);
}

/* Whether a list takes it, and with which id. */
static enum status check_price(const struct store_price *stored, struct price *price,
                               struct reason *reason)
{
    struct price_list *list = price_list_create("store");
    const struct price *kept;
    uint64_t next_us;
    if (list == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        price_list_add(list, stored->provider, stored->model, stored->from_us, price);
    if (status == STATUS_OK && price_list_find(list, stored->provider, stored->model,
                                               stored->from_us, &kept, &next_us) == STATUS_OK)
        *price = *kept;
    if (status == STATUS_INVALID)
        reason_set(reason, "a provider's name has 1 to 64 bytes without '/', a model's 1 to 256");
    price_list_destroy(&list);
    return status;
}

/* "openai/gpt-4o", which holds until the change ends. */
static enum status set_subject(struct change *change, struct slice provider, struct slice model,
                               struct buffer *subject)
{
    buffer_append(subject, provider);
    buffer_append_byte(subject, '/');
    buffer_append(subject, model);
    change->subject = buffer_slice(subject);
    return buffer_status(subject);
}

static enum status enter(struct admin_context *context, const struct store_price *stored,
                         struct reason *reason)
{
    struct change change;
    struct buffer subject;
    buffer_init(&subject, SUBJECT_BYTES_MAX);
    enum status status = change_begin(context, SLICE("price.set"), &change, reason);
    if (status == STATUS_OK)
        status = set_subject(&change, stored->provider, stored->model, &subject);
    if (status == STATUS_OK)
        status = store_price_set(context->store, stored, reason);
    member_write_time(&change.writer, SLICE("from"), stored->from_us);
    json_write_key(&change.writer, SLICE("prices"));
    json_write_raw(&change.writer, stored->definition);
    status = change_end(&change, status, reason);
    buffer_fini(&subject);
    context->has_configuration_changed |= status == STATUS_OK;
    return status;
}

static enum status remove_price(struct admin_context *context, const struct store_price *stored,
                                struct reason *reason)
{
    struct change change;
    struct buffer subject;
    buffer_init(&subject, SUBJECT_BYTES_MAX);
    enum status status = change_begin(context, SLICE("price.remove"), &change, reason);
    if (status == STATUS_OK)
        status = store_price_delete(context->store, stored->provider, stored->model,
                                    stored->from_us, reason);
    if (status == STATUS_OK)
        status = set_subject(&change, stored->provider, stored->model, &subject);
    member_write_time(&change.writer, SLICE("from"), stored->from_us);
    status = change_end(&change, status, reason);
    buffer_fini(&subject);
    context->has_configuration_changed |= status == STATUS_OK;
    return status;
}

static unsigned keep(struct operation *operation, struct store_price *stored, yyjson_val *prices,
                     struct buffer *definition)
{
    struct reason reason = {""};
    struct price price;
    enum status status = read_prices(prices, &price, definition, &reason);
    if (status == STATUS_OK)
        status = check_price(stored, &price, &reason);
    if (status == STATUS_NOT_FOUND || status == STATUS_UNSUPPORTED || status == STATUS_EXISTS)
        status = STATUS_INVALID; /* of the terms: they are wrong input */
    stored->definition = buffer_slice(definition);
    if (status == STATUS_OK)
        status = enter(operation->context, stored, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    const struct price_item item = {stored->provider, stored->model, &price};
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    price_item_write(&writer, &item);
    return 200;
}

unsigned prices_set(struct operation *operation)
{
    struct body_member members[] = {
        {"provider", NULL}, {"model", NULL}, {"from", NULL}, {"prices", NULL}};
    const struct config_provider *provider;
    struct buffer definition;
    unsigned failed = operation_read_body(operation, members, 4);
    if (failed != 0)
        return failed;
    struct store_price stored = {
        .provider = body_text(&members[0]),
        .model = body_text(&members[1]),
        .created_at_us = operation->now_us,
    };
    failed = read_from(operation, body_text(&members[2]), &stored.from_us);
    if (failed == 0)
        failed = provider_look_up(operation, stored.provider, 400, &provider);
    if (failed == 0)
        failed = check_not_configured(operation, &stored);
    if (failed != 0)
        return failed;
    buffer_init(&definition, DEFINITION_BYTES_MAX);
    failed = keep(operation, &stored, members[3].value, &definition);
    buffer_fini(&definition);
    return failed;
}

unsigned prices_remove(struct operation *operation)
{
    static const struct slice parameters[] = {{"provider", 8}, {"model", 5}, {"from", 4}};
    const struct slice provider = target_parameter(&operation->target, parameters[0]);
    const struct slice model = target_parameter(&operation->target, parameters[1]);
    struct reason reason = {""};
    struct json_writer writer;
    uint64_t from_us;
    unsigned failed = operation_check_parameters(operation, parameters, 3);
    if (failed == 0)
        failed =
            read_from(operation, target_parameter(&operation->target, parameters[2]), &from_us);
    if (failed != 0)
        return failed;
    const struct store_price price = {.provider = provider, .model = model, .from_us = from_us};
    const enum status status = remove_price(operation->context, &price, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_text(&writer, SLICE("provider"), provider);
    member_write_text(&writer, SLICE("model"), model);
    member_write_time(&writer, SLICE("from"), from_us);
    member_write_bool(&writer, SLICE("removed"), true);
    json_write_end(&writer);
    return 200;
}
