#include "gateway/snapshot_prices.h"

#include "base/assert.h"

/* The configuration states nano-dollars for a million tokens, and for one request; a price's rates
 * are of a million of anything. */
static uint64_t rate(int64_t nanousd, uint64_t per_million)
{
    return nanousd == CONFIG_PRICE_UNSET ? PRICE_UNKNOWN : (uint64_t)nanousd * per_million;
}

static void fill_price(const struct config_price *config, struct price *price)
{
    price_init_unknown(price);
    price->rates[PRICE_INPUT] = rate(config->input_nanousd, 1);
    price->rates[PRICE_OUTPUT] = rate(config->output_nanousd, 1);
    price->rates[PRICE_CACHE_READ] = rate(config->cache_read_nanousd, 1);
    price->rates[PRICE_CACHE_WRITE] = rate(config->cache_write_nanousd, 1);
    price->rates[PRICE_REASONING] = rate(config->reasoning_nanousd, 1);
    price->rates[PRICE_AUDIO_INPUT] = rate(config->audio_input_nanousd, 1);
    price->rates[PRICE_AUDIO_OUTPUT] = rate(config->audio_output_nanousd, 1);
    price->rates[PRICE_REQUEST] = rate(config->per_request_nanousd, 1000000);
}

static void place_provider(struct provider *provider)
{
    const struct config_provider *config = provider->config;
    if (catalogue_provider_find(config->base_url.host, config->name, &provider->catalogue) !=
        STATUS_OK)
        provider->catalogue = (struct catalogue_provider){0};
    if (config->catalogue.size > 0) {
        const bool exists = catalogue_provider_exists(config->catalogue, &provider->catalogue.name);
        ASSERT(exists); /* the configuration holds such names only */
    }
    if (config->region.size > 0)
        provider->catalogue.region = config->region;
}

static enum status add_price(struct snapshot *snapshot, const struct config_price *config,
                             struct reason *reason)
{
    struct price price;
    fill_price(config, &price);
    const enum status status = price_list_add(snapshot->config_prices, config->provider,
                                              config->model, config->from_us, &price);
    if (status != STATUS_OK)
        reason_set(reason, "the price of %.*s/%.*s (line %u) cannot be used: %s",
                   SLICE_ARGS(config->provider), SLICE_ARGS(config->model), config->origin.line,
                   status_name(status));
    return status;
}

enum status snapshot_prices_make(struct snapshot *snapshot, struct reason *reason)
{
    const struct config *config = snapshot->config;
    catalogue_embedded(&snapshot->catalogue);
    for (size_t i = 0; i < config->provider_count; i++)
        place_provider(&snapshot->providers[i]);
    if (config->prices.count == 0)
        return STATUS_OK;
    snapshot->config_prices = price_list_create("config");
    if (snapshot->config_prices == NULL)
        return STATUS_NO_MEMORY;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < config->prices.count; i++)
        status = add_price(snapshot, &config->prices.items[i], reason);
    return status;
}
