/* What a request costs: finds the price that holds for its target and reckons with it.
 *
 * Each worker keeps the prices it found, by provider and model, until they end or the configuration
 * changes. Thread: the worker's. */
#ifndef GATEWAY_PRICING_H
#define GATEWAY_PRICING_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "dialect/openai_usage.h"
#include "gateway/snapshot.h"
#include "ledger/record.h"
#include "models/catalogue.h"
#include "models/price.h"

#define PRICING_SLOTS 256 /* a price that finds its slot taken replaces what was there */

struct pricing_entry;

struct pricing {
    struct pricing_entry *slots[PRICING_SLOTS];
};

/* The pricing starts zeroed. */
void pricing_fini(struct pricing *pricing);
/* Forgets everything: the configuration or the operator's prices have changed. */
void pricing_clear(struct pricing *pricing);

/* The price that holds at the time; of an unknown one all rates are PRICE_UNKNOWN. NULL: no memory.
 * Holds until the next call. */
const struct price *pricing_find(struct pricing *pricing, const struct snapshot *snapshot,
                                 const struct provider *provider, struct slice target_model,
                                 uint64_t time_us);

/* What the catalogue knows of the target besides prices; all zero if it does not know it. NULL and
 * the life of the result as of pricing_find(). */
const struct catalogue_facts *pricing_facts(struct pricing *pricing,
                                            const struct snapshot *snapshot,
                                            const struct provider *provider,
                                            struct slice target_model, uint64_t time_us);

/* The id that a row stores: the price's own, with a service class that is not the standard one behind
 * it ("catalogue/openai/gpt-4o@2025-08-13+flex"), so that the row can be priced anew. */
#define PRICING_ID_BYTES (PRICE_ID_BYTES + 16)
struct slice pricing_id(struct slice price_id, enum price_class service_class,
                        char text[PRICING_ID_BYTES]);
/* The service class of a row with this id. */
enum price_class pricing_class_of(struct slice stored_id);

/* Fills in tokens, cost and price of a bill; tokens that the usage does not give are unknown there,
 * and nothing in the cost. Where nobody says what cached tokens cost they are reckoned as all other
 * input, and the bill is an estimate. The id borrows from the price. */
void pricing_bill(const struct price *price, const struct provider *provider,
                  const struct openai_usage *usage, enum price_class service_class,
                  uint64_t time_us, struct record_bill *bill_out);

#endif
