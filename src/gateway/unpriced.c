#include "gateway/unpriced.h"

#include <stdbool.h>

#define MODEL_SHOWN_MAX 256 /* bytes; a longer one is cut, so that the advice stays in the line */

/* FNV-1a of 64 bits; of another text with the same, no warning would come. */
static uint64_t hash_text(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3); /* the text ends here */
}

static uint64_t mark_of(struct slice provider, struct slice model, const struct price *price)
{
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), provider);
    hash = hash_text(hash, model);
    return hash_text(hash, price_id(price)) | 1; /* 0 is an empty slot */
}

/* Whether the mark was not there. */
static bool add_mark(struct unpriced *unpriced, uint64_t mark)
{
    for (size_t i = 0; i < UNPRICED_SLOTS; i++) {
        _Atomic uint64_t *slot = &unpriced->marks[(mark / 2 + i) % UNPRICED_SLOTS];
        uint64_t found = atomic_load_explicit(slot, memory_order_relaxed);
        if (found == 0 && atomic_compare_exchange_strong(slot, &found, mark))
            return true;
        if (found == mark)
            return false;
    }
    return false;
}

static void write_warning(struct log_producer *log, struct slice provider, struct slice model,
                          const struct price *price)
{
    if (model.size > MODEL_SHOWN_MAX)
        model.size = MODEL_SHOWN_MAX;
    if (price->id[0] == '\0')
        log_write(
            log, LOG_LEVEL_WARN, "prices",
            "no price is known for model '%.*s' of provider %.*s, so the cost of its requests "
            "is not known: give it one in prices of the configuration, or say free: true of "
            "the provider",
            SLICE_ARGS(model), SLICE_ARGS(provider));
    else
        log_write(log, LOG_LEVEL_WARN, "prices",
                  "the price %s does not state all that a request to model '%.*s' of provider %.*s "
                  "used, so its cost is not known: state the rest in prices of the configuration",
                  price->id, SLICE_ARGS(model), SLICE_ARGS(provider));
}

void unpriced_warn(struct unpriced *unpriced, struct log_producer *log, struct slice provider,
                   struct slice model, const struct price *price)
{
    if (atomic_load_explicit(&unpriced->count, memory_order_relaxed) > UNPRICED_MAX ||
        !add_mark(unpriced, mark_of(provider, model, price)))
        return;
    const unsigned before = atomic_fetch_add(&unpriced->count, 1);
    if (before < UNPRICED_MAX)
        write_warning(log, provider, model, price);
    else if (before == UNPRICED_MAX)
        log_write(log, LOG_LEVEL_WARN, "prices",
                  "more than %d models have no known cost; no more of them are named, and "
                  "weir_requests_unpriced_total counts their requests",
                  UNPRICED_MAX);
}
