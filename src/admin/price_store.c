#include "admin/price_store.h"

#include "base/arena.h"
#include "json/read.h"
#include "json/value.h"
#include "models/price_terms.h"
#include "store/store_usage.h"

#define DEFINITION_BYTES_MAX 65536
#define ARENA_BYTES_MAX      ((size_t)1 << 20)

/* --- Reading ------------------------------------------------------------------------------------- */

static enum status append_term(const struct json_member *member, struct arena *arena,
                               struct buffer *terms, struct reason *reason)
{
    struct slice name, value;
    if (member->value.type != JSON_TYPE_STRING) {
        reason_set(reason, "the price of %.*s is a decimal in quotes",
                   (int)(member->key.size < 40 ? member->key.size : 40), member->key.data);
        return STATUS_INVALID;
    }
    enum status status = json_unescape(member->key, arena, &name);
    if (status == STATUS_OK)
        status = json_string(member->value, arena, &value);
    if (status != STATUS_OK)
        return status;
    if (terms->size > 0)
        buffer_append_byte(terms, ';');
    buffer_append(terms, name);
    buffer_append_byte(terms, '=');
    buffer_append(terms, value);
    return buffer_status(terms);
}

static enum status read_object(struct slice json, struct arena *arena, struct buffer *terms,
                               struct price *price_out, struct reason *reason)
{
    struct json_object object;
    struct json_error error;
    enum status status = json_read_object(json, &JSON_LIMITS_DEFAULT, arena, &object, &error);
    if (status != STATUS_OK)
        reason_set(reason, "it is no JSON object");
    for (size_t i = 0; status == STATUS_OK && i < object.count; i++)
        status = append_term(&object.members[i], arena, terms, reason);
    return status == STATUS_OK ? price_read(buffer_slice(terms), price_out, reason) : status;
}

enum status price_definition_read(struct slice json, struct price *price_out, struct reason *reason)
{
    struct arena arena;
    struct buffer terms;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    buffer_init(&terms, DEFINITION_BYTES_MAX);
    const enum status status = read_object(json, &arena, &terms, price_out, reason);
    buffer_fini(&terms);
    arena_fini(&arena);
    return status;
}

struct loading {
    struct price_list *list;
    struct reason *reason;
};

static enum status add_price(void *context, const struct store_price *stored)
{
    struct loading *loading = context;
    struct price price;
    struct reason why = {""};
    enum status status = price_definition_read(stored->definition, &price, &why);
    if (status == STATUS_OK)
        status =
            price_list_add(loading->list, stored->provider, stored->model, stored->from_us, &price);
    if (status == STATUS_OK || status == STATUS_NO_MEMORY)
        return status;
    reason_set(loading->reason, "the price of %.*s/%.*s in the database cannot be used: %s",
               SLICE_ARGS(stored->provider), SLICE_ARGS(stored->model),
               why.text[0] != '\0' ? why.text : status_name(status));
    return STATUS_INVALID;
}

enum status price_store_load(struct store *store, struct price_list **list_out,
                             struct reason *reason)
{
    struct loading loading = {price_list_create("store"), reason};
    if (loading.list == NULL)
        return STATUS_NO_MEMORY;
    const enum status status = store_prices_list(store, add_price, &loading, reason);
    if (status == STATUS_OK)
        *list_out = loading.list;
    else
        price_list_destroy(&loading.list);
    return status;
}

/* --- Writing ------------------------------------------------------------------------------------- */

void price_definition_write(struct json_writer *writer, const struct price *price)
{
    struct buffer terms;
    buffer_init(&terms, DEFINITION_BYTES_MAX);
    /* Without memory some terms are missing; the answer's own buffer is told below. */
    const enum status status = price_write(price, &terms);
    json_write_object(writer);
    struct slice rest = buffer_slice(&terms);
    while (rest.size > 0) {
        const size_t end = slice_find_byte(rest, ';');
        const struct slice term = slice_of(rest.data, end);
        const size_t equals = slice_find_byte(term, '=');
        json_write_key(writer, slice_of(term.data, equals));
        json_write_string(writer, slice_from(term, equals + 1));
        rest = slice_from(rest, end < rest.size ? end + 1 : end);
    }
    json_write_end(writer);
    if (status != STATUS_OK)
        writer->buffer->failed = status;
    buffer_fini(&terms);
}
