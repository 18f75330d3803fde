/* Prices as the store keeps them and as the admin API shows them: a JSON object whose members are
 * the terms of models/price_terms.h, as {"input":"0.40","output":"1.60"}.
 *
 * Thread: that of the store. Memory: stated at each. */
#ifndef ADMIN_PRICE_STORE_H
#define ADMIN_PRICE_STORE_H

#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "json/write.h"
#include "models/price.h"
#include "models/price_list.h"
#include "store/store.h"

/* Reads the operator's prices into a list, the caller's to destroy. STATUS_INVALID: one cannot be
 * read, the reason says which; STATUS_NO_MEMORY; else the statuses of store_prices_list(). */
MUST_CHECK enum status price_store_load(struct store *store, struct price_list **list_out,
                                        struct reason *reason);

/* Statuses of price_read(); STATUS_INVALID: no such object, too. On an error *price_out is
 * undefined. */
MUST_CHECK enum status price_definition_read(struct slice json, struct price *price_out,
                                             struct reason *reason);
/* Writes the object; not for a free price. */
void price_definition_write(struct json_writer *writer, const struct price *price);

#endif
