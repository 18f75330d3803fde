#include "gateway/pricing.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "models/cost.h"
#include "models/price_find.h"
#include "models/rules.h"

struct pricing_entry {
    const struct provider *provider;
    struct slice model; /* behind the entry */
    uint64_t since_us;  /* what was found holds from here on, until price.until_us */
    struct price price;
    struct catalogue_facts facts;
};

void pricing_clear(struct pricing *pricing)
{
    for (size_t i = 0; i < PRICING_SLOTS; i++) {
        alloc_free(pricing->slots[i]);
        pricing->slots[i] = NULL;
    }
}

void pricing_fini(struct pricing *pricing)
{
    pricing_clear(pricing);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
    return hash ^ hash >> 32;
}

static size_t slot_of(const struct provider *provider, struct slice model)
{
    uint64_t hash = UINT64_C(0x9E3779B97F4A7C15) ^ provider->metrics_index;
    uint64_t word = 0;
    size_t at = 0;
    if (model.size >= sizeof(word)) {
        for (; at + sizeof(word) < model.size; at += sizeof(word)) {
            memcpy(&word, model.data + at, sizeof(word));
            hash = mix(hash, word);
        }
        at = model.size - sizeof(word); /* the last eight, some of them once more */
        memcpy(&word, model.data + at, sizeof(word));
    } else {
        for (; at < model.size; at++)
            word = word << 8 | (unsigned char)model.data[at];
    }
    return mix(hash, word) % PRICING_SLOTS;
}

static void read_facts(const struct snapshot *snapshot, struct pricing_entry *entry,
                       uint64_t time_us)
{
    const struct catalogue_provider *catalogue = &entry->provider->catalogue;
    const struct catalogue_query query = {.provider = catalogue->name,
                                          .model = entry->model,
                                          .region = catalogue->region,
                                          .time_us = time_us};
    struct catalogue_row row;
    entry->facts = (struct catalogue_facts){0};
    if (catalogue->name.size > 0 &&
        catalogue_find(&snapshot->catalogue, &query, &row) == STATUS_OK &&
        catalogue_read_facts(&row, &entry->facts) != STATUS_OK)
        entry->facts = (struct catalogue_facts){0};
}

static struct pricing_entry *make_entry(const struct snapshot *snapshot,
                                        const struct provider *provider, struct slice model,
                                        uint64_t time_us)
{
    const struct price_sources sources = {snapshot->config_prices, snapshot->store_prices,
                                          &snapshot->catalogue};
    struct pricing_entry *entry = alloc_bytes(sizeof(*entry) + model.size + 1);
    if (entry == NULL)
        return NULL;
    char *copy = (char *)(entry + 1);
    if (model.size > 0)
        memcpy(copy, model.data, model.size);
    entry->provider = provider;
    entry->model = slice_of(copy, model.size);
    const struct price_query query = {
        .provider = provider->config->name,
        .model = entry->model,
        .catalogue_provider = provider->catalogue.name,
        .region = provider->catalogue.region,
        .is_free = provider->config->is_free,
        .time_us = time_us,
    };
    if (price_find(&sources, &query, &entry->price) != STATUS_OK)
        entry->price.id[0] = '\0'; /* unknown, until the moment that it says */
    /* The catalogue's first price also holds before the day on which it says that it begins. */
    entry->since_us = entry->price.from_us < time_us ? entry->price.from_us : time_us;
    read_facts(snapshot, entry, time_us);
    return entry;
}

static const struct pricing_entry *find_entry(struct pricing *pricing,
                                              const struct snapshot *snapshot,
                                              const struct provider *provider,
                                              struct slice target_model, uint64_t time_us)
{
    struct pricing_entry **slot = &pricing->slots[slot_of(provider, target_model)];
    if (*slot != NULL && (*slot)->provider == provider &&
        slice_equal((*slot)->model, target_model) && time_us < (*slot)->price.until_us &&
        time_us >= (*slot)->since_us)
        return *slot;
    struct pricing_entry *entry = make_entry(snapshot, provider, target_model, time_us);
    if (entry == NULL)
        return NULL;
    alloc_free(*slot);
    *slot = entry;
    return entry;
}

const struct price *pricing_find(struct pricing *pricing, const struct snapshot *snapshot,
                                 const struct provider *provider, struct slice target_model,
                                 uint64_t time_us)
{
    const struct pricing_entry *entry =
        find_entry(pricing, snapshot, provider, target_model, time_us);
    return entry != NULL ? &entry->price : NULL;
}

const struct catalogue_facts *pricing_facts(struct pricing *pricing,
                                            const struct snapshot *snapshot,
                                            const struct provider *provider,
                                            struct slice target_model, uint64_t time_us)
{
    const struct pricing_entry *entry =
        find_entry(pricing, snapshot, provider, target_model, time_us);
    return entry != NULL ? &entry->facts : NULL;
}

/* --- Bills ---------------------------------------------------------------------------------------------- */

static int64_t count(const struct openai_usage *usage, enum openai_tokens which)
{
    return openai_usage_has(usage, which) ? (int64_t)usage->tokens[which] : RECORD_UNKNOWN;
}

static int64_t audio(const struct openai_usage *usage)
{
    const bool is_given = openai_usage_has(usage, OPENAI_TOKENS_INPUT_AUDIO) ||
                          openai_usage_has(usage, OPENAI_TOKENS_OUTPUT_AUDIO);
    return is_given ? (int64_t)(usage->tokens[OPENAI_TOKENS_INPUT_AUDIO] +
                                usage->tokens[OPENAI_TOKENS_OUTPUT_AUDIO])
                    : RECORD_UNKNOWN;
}

struct slice pricing_id(struct slice price_id, enum price_class service_class,
                        char text[PRICING_ID_BYTES])
{
    if (price_id.size == 0 || service_class == PRICE_STANDARD)
        return price_id;
    const int size = snprintf(text, PRICING_ID_BYTES, "%.*s+%s", SLICE_ARGS(price_id),
                              price_class_name(service_class));
    ASSERT(size > 0 && size < PRICING_ID_BYTES);
    return slice_of(text, (size_t)size);
}

/* A model's name that ends so itself is taken for it: such a row is priced in that class or left. */
enum price_class pricing_class_of(struct slice stored_id)
{
    enum price_class service_class = PRICE_STANDARD;
    size_t at = stored_id.size;
    while (at > 0 && stored_id.data[at - 1] != '+')
        at--;
    if (at == 0 || price_class_find(slice_from(stored_id, at), &service_class) != STATUS_OK)
        return PRICE_STANDARD;
    return service_class;
}

/* The price of a prompt is at most that of one without cached tokens, so this is not too little. */
static enum status reckon(const struct price *price, struct usage *used, struct cost *cost,
                          bool *is_estimate_out)
{
    enum status status = cost_compute(price, used, cost);
    *is_estimate_out = status == STATUS_NOT_FOUND && cost->missing == PRICE_CACHE_READ;
    if (*is_estimate_out) {
        used->cached_tokens = 0;
        status = cost_compute(price, used, cost);
    }
    *is_estimate_out = *is_estimate_out && status == STATUS_OK;
    return status;
}

void pricing_bill(const struct price *price, const struct provider *provider,
                  const struct openai_usage *usage, enum price_class service_class,
                  uint64_t time_us, struct record_bill *bill_out)
{
    struct cost cost;
    struct usage used = {
        .input_tokens = usage->tokens[OPENAI_TOKENS_INPUT],
        .cached_tokens = usage->tokens[OPENAI_TOKENS_CACHED],
        .cache_write_tokens = usage->tokens[OPENAI_TOKENS_CACHE_WRITE],
        .audio_input_tokens = usage->tokens[OPENAI_TOKENS_INPUT_AUDIO],
        .output_tokens = usage->tokens[OPENAI_TOKENS_OUTPUT],
        .reasoning_tokens = usage->tokens[OPENAI_TOKENS_REASONING],
        .audio_output_tokens = usage->tokens[OPENAI_TOKENS_OUTPUT_AUDIO],
        .service_class = service_class,
        .pin = provider->catalogue.pin,
        .time_us = time_us,
    };
    *bill_out = (struct record_bill){.cost_nanousd = RECORD_UNKNOWN};
    bill_out->tokens[RECORD_TOKENS_INPUT] = count(usage, OPENAI_TOKENS_INPUT);
    bill_out->tokens[RECORD_TOKENS_OUTPUT] = count(usage, OPENAI_TOKENS_OUTPUT);
    bill_out->tokens[RECORD_TOKENS_CACHED] = count(usage, OPENAI_TOKENS_CACHED);
    bill_out->tokens[RECORD_TOKENS_CACHE_WRITE] = count(usage, OPENAI_TOKENS_CACHE_WRITE);
    bill_out->tokens[RECORD_TOKENS_REASONING] = count(usage, OPENAI_TOKENS_REASONING);
    bill_out->tokens[RECORD_TOKENS_AUDIO] = audio(usage);
    if (price == NULL)
        return;
    bill_out->price_id = price_id(price);
    if (reckon(price, &used, &cost, &bill_out->estimated) == STATUS_OK)
        bill_out->cost_nanousd = cost.nanousd;
}
