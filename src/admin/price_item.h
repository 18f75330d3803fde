/* A price as the admin API shows it: {"provider","model","source","id","from","until","terms",
 * "prices"}. `source` is "config", "store", "free" or "catalogue"; `terms` is the text that `weir
 * prices set` takes, `prices` the same as an object; both are per million tokens. All but the first
 * two are null where nobody says what the model costs. Private to the operations. */
#ifndef ADMIN_PRICE_ITEM_H
#define ADMIN_PRICE_ITEM_H

#include "base/slice.h"
#include "json/write.h"
#include "models/price.h"

struct price_item {
    struct slice provider, model;
    const struct price *price; /* NULL: not known */
};

void price_item_write(struct json_writer *writer, const struct price_item *item);

#endif
