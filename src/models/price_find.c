#include "models/price_find.h"

#include <stdio.h>

#include "base/date.h"

#define CATALOGUE_PREFIX "catalogue/"
#define FREE_PREFIX      "free/"

static void init_free(struct slice provider, struct price *price_out)
{
    price_init_free(price_out);
    (void)snprintf(price_out->id, PRICE_ID_BYTES, FREE_PREFIX "%.*s", SLICE_ARGS(provider));
}

/* Looks in one list, and notes when that may change. */
static bool find_in_list(const struct price_list *list, const struct price_query *query,
                         struct price *price_out, uint64_t *until_us)
{
    const struct price *found;
    uint64_t next_us;
    const enum status status =
        price_list_find(list, query->provider, query->model, query->time_us, &found, &next_us);
    if (next_us < *until_us)
        *until_us = next_us;
    if (status == STATUS_OK)
        *price_out = *found;
    return status == STATUS_OK;
}

static bool find_in_catalogue(const struct catalogue *catalogue, const struct price_query *query,
                              struct price *price_out)
{
    const struct catalogue_query wanted = {query->catalogue_provider, query->model, query->region,
                                           query->variant, query->time_us};
    struct catalogue_row row;
    return catalogue != NULL && query->catalogue_provider.size > 0 &&
           catalogue_find(catalogue, &wanted, &row) == STATUS_OK &&
           catalogue_read_price(catalogue, &row, price_out) == STATUS_OK;
}

enum status price_find(const struct price_sources *sources, const struct price_query *query,
                       struct price *price_out)
{
    uint64_t until_us = UINT64_MAX;
    enum status status = STATUS_OK;
    if (find_in_list(sources->config, query, price_out, &until_us) ||
        find_in_list(sources->store, query, price_out, &until_us)) {
        /* Either list may have a later price. */
    } else if (query->is_free) {
        init_free(query->provider, price_out);
    } else if (!find_in_catalogue(sources->catalogue, query, price_out)) {
        price_init_unknown(price_out);
        status = STATUS_NOT_FOUND;
    }
    if (until_us < price_out->until_us)
        price_out->until_us = until_us;
    return status;
}

/* --- by id -------------------------------------------------------------------------------------- */

static size_t find_last(struct slice text, char byte)
{
    for (size_t i = text.size; i-- > 0;) {
        if (text.data[i] == byte)
            return i;
    }
    return text.size;
}

/* Cuts the text in two at `at`; the byte there is dropped. All of it is the first if `at` is the
 * end. */
static struct slice cut(struct slice *text, size_t at)
{
    const struct slice rest = at < text->size ? slice_from(*text, at + 1) : (struct slice){NULL, 0};
    text->size = at;
    return rest;
}

/* Takes "PROVIDER[:REGION]/MODEL[#VARIANT]@DAY" apart. */
static enum status read_catalogue_id(struct slice id, struct catalogue_query *query_out)
{
    const size_t at = find_last(id, '@');
    const struct slice day = cut(&id, at);
    struct slice model = cut(&id, slice_find_byte(id, '/'));
    const struct slice region = cut(&id, slice_find_byte(id, ':'));
    const struct slice variant = cut(&model, slice_find_byte(model, '#'));
    *query_out = (struct catalogue_query){id, model, region, variant, 0};
    return date_parse_day(day, &query_out->time_us);
}

static enum status find_catalogue_id(const struct catalogue *catalogue, struct slice id,
                                     struct price *price_out)
{
    struct catalogue_query query;
    struct catalogue_row row;
    if (catalogue == NULL ||
        read_catalogue_id(slice_from(id, SLICE(CATALOGUE_PREFIX).size), &query) != STATUS_OK ||
        catalogue_find_exact(catalogue, &query, &row) != STATUS_OK ||
        catalogue_read_price(catalogue, &row, price_out) != STATUS_OK ||
        !slice_equal(price_id(price_out), id))
        return STATUS_NOT_FOUND;
    return STATUS_OK;
}

enum status price_find_id(const struct price_sources *sources, struct slice id,
                          struct price *price_out)
{
    if (slice_starts_with(id, SLICE(CATALOGUE_PREFIX)))
        return find_catalogue_id(sources->catalogue, id, price_out);
    if (slice_starts_with(id, SLICE(FREE_PREFIX)) && id.size < PRICE_ID_BYTES) {
        init_free(slice_from(id, SLICE(FREE_PREFIX).size), price_out);
        return STATUS_OK;
    }
    const struct price *found = price_list_find_id(sources->config, id);
    if (found == NULL)
        found = price_list_find_id(sources->store, id);
    if (found == NULL)
        return STATUS_NOT_FOUND;
    *price_out = *found;
    return STATUS_OK;
}
