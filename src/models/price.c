#include "models/price.h"

#include "base/assert.h"

static const char *const part_names[PRICE_PARTS] = {
    [PRICE_INPUT] = "input",
    [PRICE_OUTPUT] = "output",
    [PRICE_CACHE_READ] = "cache_read",
    [PRICE_CACHE_WRITE] = "cache_write",
    [PRICE_CACHE_WRITE_1H] = "cache_write_1h",
    [PRICE_CACHE_WRITE_12H] = "cache_write_12h",
    [PRICE_REASONING] = "reasoning",
    [PRICE_AUDIO_INPUT] = "audio_input",
    [PRICE_AUDIO_OUTPUT] = "audio_output",
    [PRICE_AUDIO_CACHE_READ] = "audio_cache_read",
    [PRICE_IMAGE_INPUT] = "image_input",
    [PRICE_IMAGE_OUTPUT] = "image_output",
    [PRICE_IMAGE_CACHE_READ] = "image_cache_read",
    [PRICE_REQUEST] = "per_request",
    [PRICE_IMAGE] = "per_image",
    [PRICE_IMAGE_READ] = "per_image_read",
    [PRICE_SECOND] = "per_second",
    [PRICE_CHARACTER] = "per_character",
    [PRICE_QUERY] = "per_query",
    [PRICE_WEB_SEARCH] = "web_search",
    [PRICE_WEB_SEARCH_LOW] = "web_search_low",
    [PRICE_WEB_SEARCH_HIGH] = "web_search_high",
};

static const char *const class_names[PRICE_CLASSES] = {
    [PRICE_STANDARD] = "standard", [PRICE_BATCH] = "batch",       [PRICE_FLEX] = "flex",
    [PRICE_PRIORITY] = "priority", [PRICE_BALANCED] = "balanced", [PRICE_ULTRAFAST] = "ultrafast",
};

static const char *const standard_names[] = {"default", "auto", "on_demand", "standard_only"};

/* What is not stated costs what the other part does. */
static const struct stand_in {
    enum price_part part, other;
} stand_ins[] = {
    {PRICE_REASONING, PRICE_OUTPUT},
    {PRICE_IMAGE_INPUT, PRICE_INPUT},
    {PRICE_IMAGE_CACHE_READ, PRICE_CACHE_READ},
    {PRICE_WEB_SEARCH_LOW, PRICE_WEB_SEARCH},
    {PRICE_WEB_SEARCH_HIGH, PRICE_WEB_SEARCH},
};

static void set_all(uint64_t *rates, size_t count, uint64_t value)
{
    for (size_t i = 0; i < count; i++)
        rates[i] = value;
}

void price_init_unknown(struct price *price)
{
    *price = (struct price){.until_us = UINT64_MAX};
    set_all(price->rates, PRICE_PARTS, PRICE_UNKNOWN);
    set_all(price->offpeak_rates, PRICE_TIER_PARTS, PRICE_UNKNOWN);
}

void price_init_free(struct price *price)
{
    *price = (struct price){.until_us = UINT64_MAX, .is_free = true};
}

const struct price_tier *price_tier_find(const struct price *price, enum price_class service_class,
                                         uint64_t above_tokens)
{
    for (size_t i = 0; i < price->tier_count; i++) {
        const struct price_tier *tier = &price->tiers[i];
        if (tier->service_class == service_class && tier->above_tokens == above_tokens)
            return tier;
    }
    return NULL;
}

struct price_tier *price_tier_add(struct price *price, enum price_class service_class,
                                  uint64_t above_tokens)
{
    ASSERT(service_class != PRICE_STANDARD || above_tokens > 0);
    for (size_t i = 0; i < price->tier_count; i++) {
        struct price_tier *tier = &price->tiers[i];
        if (tier->service_class == service_class && tier->above_tokens == above_tokens)
            return tier;
    }
    if (price->tier_count == PRICE_TIERS_MAX)
        return NULL;
    struct price_tier *tier = &price->tiers[price->tier_count++];
    *tier = (struct price_tier){.service_class = service_class, .above_tokens = above_tokens};
    set_all(tier->rates, PRICE_TIER_PARTS, PRICE_UNKNOWN);
    return tier;
}

/* The highest tier of the class that the prompt is above; one above 0 needs no token. */
static const struct price_tier *tier_for(const struct price *price, enum price_class service_class,
                                         uint64_t prompt_tokens)
{
    const struct price_tier *best = NULL;
    for (size_t i = 0; i < price->tier_count; i++) {
        const struct price_tier *tier = &price->tiers[i];
        if (tier->service_class == service_class &&
            (tier->above_tokens == 0 || tier->above_tokens < prompt_tokens) &&
            (best == NULL || tier->above_tokens > best->above_tokens))
            best = tier;
    }
    return best;
}

static void use_tier(const struct price_tier *tier, struct price_rates *rates)
{
    memcpy(rates->of, tier->rates, sizeof(tier->rates));
    rates->above_tokens = tier->above_tokens;
}

static void use_offpeak(const struct price *price, struct price_rates *rates)
{
    rates->is_offpeak = true;
    for (size_t i = 0; i < PRICE_TIER_PARTS; i++) {
        if (price->offpeak_rates[i] != PRICE_UNKNOWN)
            rates->of[i] = price->offpeak_rates[i];
    }
    /* Reasoning that costs what output does follows it. */
    if (price->offpeak_rates[PRICE_REASONING] == PRICE_UNKNOWN &&
        price->rates[PRICE_REASONING] == price->rates[PRICE_OUTPUT])
        rates->of[PRICE_REASONING] = PRICE_UNKNOWN;
}

static void use_standard(const struct price *price, const struct price_situation *situation,
                         struct price_rates *rates)
{
    const struct price_tier *tier = tier_for(price, PRICE_STANDARD, situation->prompt_tokens);
    if (tier != NULL)
        use_tier(tier, rates);
    else if (price_offpeak_contains(&price->offpeak, situation->time_us))
        use_offpeak(price, rates);
}

static void use_class(const struct price *price, const struct price_situation *situation,
                      struct price_rates *rates)
{
    const uint64_t prompt_tokens = situation->prompt_tokens;
    const struct price_tier *standard = tier_for(price, PRICE_STANDARD, prompt_tokens);
    const struct price_tier *tier = tier_for(price, situation->service_class, prompt_tokens);
    set_all(rates->of, PRICE_TOKEN_PARTS, PRICE_UNKNOWN);
    /* A class that states nothing for prompts so long surely does not bill them as short ones. */
    if (tier != NULL && (standard == NULL || standard->above_tokens <= tier->above_tokens))
        use_tier(tier, rates);
}

void price_rates_at(const struct price *price, const struct price_situation *situation,
                    struct price_rates *rates_out)
{
    if (price->is_free) {
        *rates_out = (struct price_rates){0};
        return;
    }
    memcpy(rates_out->of, price->rates, sizeof(price->rates));
    rates_out->above_tokens = 0;
    rates_out->is_offpeak = false;
    if (situation->service_class == PRICE_STANDARD)
        use_standard(price, situation, rates_out);
    else
        use_class(price, situation, rates_out);
    for (size_t i = 0; i < sizeof(stand_ins) / sizeof(stand_ins[0]); i++) {
        if (rates_out->of[stand_ins[i].part] == PRICE_UNKNOWN)
            rates_out->of[stand_ins[i].part] = rates_out->of[stand_ins[i].other];
    }
    if (rates_out->of[PRICE_REQUEST] == PRICE_UNKNOWN)
        rates_out->of[PRICE_REQUEST] = 0;
}

const char *price_part_name(enum price_part part)
{
    ASSERT(part < PRICE_PARTS);
    return part_names[part];
}

const char *price_class_name(enum price_class service_class)
{
    ASSERT(service_class < PRICE_CLASSES);
    return class_names[service_class];
}

enum status price_class_find(struct slice name, enum price_class *class_out)
{
    for (size_t i = 0; i < PRICE_CLASSES; i++) {
        if (slice_equal(name, slice_from_text(class_names[i]))) {
            *class_out = (enum price_class)i;
            return STATUS_OK;
        }
    }
    for (size_t i = 0; i < sizeof(standard_names) / sizeof(standard_names[0]); i++) {
        if (slice_equal(name, slice_from_text(standard_names[i]))) {
            *class_out = PRICE_STANDARD;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}
