/* Price lists of the operator: of the configuration, and of the store.
 *
 * An entry replaces what stands behind it whole: a part that it does not state is unknown, whatever
 * the catalogue says. A model's name that ends in '*' is a prefix: it is for all that begin so. A
 * whole name goes before a prefix, a longer prefix before a shorter one; a name whose prices all
 * begin later does not count yet.
 *
 * Thread: one while it is built; then any. Memory: the list owns its entries and their texts. */
#ifndef MODELS_PRICE_LIST_H
#define MODELS_PRICE_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "models/price.h"

#define PRICE_LIST_ENTRIES_MAX 100000

struct price_list;

/* `source` is the first word of the prices' ids, "config" or "store", and outlives the list.
 * NULL: no memory. */
struct price_list *price_list_create(const char *source);
/* Shares it, once it is built: each reference is destroyed by itself, on any thread. NULL stays so. */
struct price_list *price_list_ref(struct price_list *list);
/* Ends a reference; the last one frees the list. */
void price_list_destroy(struct price_list **list);

/* Adds a price that holds from a moment on (0: always has); texts and price are copied.
 * `provider` is the name in the configuration: 1 to 64 bytes without '/'; `model` the provider's own
 * name for it, or a prefix with its '*', which stands nowhere else: 1 to 256 bytes.
 * STATUS_EXISTS: the same with the same moment is there; STATUS_INVALID: such names are none;
 * STATUS_TOO_LARGE: PRICE_LIST_ENTRIES_MAX; STATUS_NO_MEMORY. On an error the list is as before. */
MUST_CHECK enum status price_list_add(struct price_list *list, struct slice provider,
                                      struct slice model, uint64_t from_us,
                                      const struct price *price);

size_t price_list_count(const struct price_list *list);

/* The price that holds at the moment: that of the most exact name that has one which begins not
 * after it; of several the latest. *next_us_out is until when this answer holds, be it that there is
 * none: when the next one of that name, or the first of a more exact one, begins; UINT64_MAX: for
 * ever. O(log n), for each of the prefixes that it looks at. STATUS_NOT_FOUND: none holds (yet). `list` may be NULL, which is empty. */
MUST_CHECK enum status price_list_find(const struct price_list *list, struct slice provider,
                                       struct slice model, uint64_t time_us,
                                       const struct price **price_out, uint64_t *next_us_out);

/* The price with exactly this id, or NULL. */
const struct price *price_list_find_id(const struct price_list *list, struct slice id);

#endif
