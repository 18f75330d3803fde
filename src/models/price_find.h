/* Which price holds for a target, and which one it was.
 *
 * The order: the configuration's price list, the store's, "free: true" of the provider, the
 * catalogue. Thread: any. Memory: the price is a copy. */
#ifndef MODELS_PRICE_FIND_H
#define MODELS_PRICE_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "models/catalogue.h"
#include "models/price.h"
#include "models/price_list.h"

/* Any of them may be NULL. */
struct price_sources {
    const struct price_list *config;
    const struct price_list *store;
    const struct catalogue *catalogue;
};

struct price_query {
    struct slice provider; /* its name in the configuration */
    struct slice model;    /* the target's: the provider's own name */
    struct slice
        catalogue_provider;       /* models/catalogue_provider.h; empty: the catalogue has none */
    struct slice region, variant; /* struct catalogue_query */
    bool is_free;                 /* the provider is said to cost nothing */
    uint64_t time_us;             /* since 1970: when the request was opened */
};

/* Sets *price_out to the price that holds at the time, with its id and until when it is that of the
 * query (price_out->until_us), so that it may be kept until then.
 * STATUS_NOT_FOUND: nobody says what it costs; *price_out is unknown then, with an empty id and the
 * moment from which that changes. A row of the catalogue that cannot be read counts as none. */
MUST_CHECK enum status price_find(const struct price_sources *sources,
                                  const struct price_query *query, struct price *price_out);

/* The price of an id that price_find() gave, to rate a request again.
 * STATUS_NOT_FOUND: it is gone, or no id. Of a list this is O(n). */
MUST_CHECK enum status price_find_id(const struct price_sources *sources, struct slice id,
                                     struct price *price_out);

#endif
