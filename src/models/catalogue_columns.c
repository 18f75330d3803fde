#include "models/catalogue_columns.h"

#include "models/catalogue.h"

#define KEY(name)            {name, CATALOGUE_COLUMN_KEY, 0}
#define COUNT(member)        {#member, CATALOGUE_COLUMN_COUNT, offsetof(struct catalogue_facts, member)}
#define RATE(name, part)     {name, CATALOGUE_COLUMN_RATE, part}
#define OFFPEAK(name, part)  {"offpeak_" name, CATALOGUE_COLUMN_OFFPEAK_RATE, part}
#define FACTOR(name, which)  {name, CATALOGUE_COLUMN_FACTOR, which}
#define ABILITY(name, which) {"supports_" name, CATALOGUE_COLUMN_ABILITY, which}

#define KEYS                 KEY("provider"), KEY("model"), KEY("region"), KEY("variant"), KEY("effective_from")

#define TIER_RATES                                                                                 \
    RATE("input_usd_per_1m", PRICE_INPUT), RATE("output_usd_per_1m", PRICE_OUTPUT),                \
        RATE("cache_read_usd_per_1m", PRICE_CACHE_READ),                                           \
        RATE("cache_write_usd_per_1m", PRICE_CACHE_WRITE),                                         \
        RATE("cache_write_1h_usd_per_1m", PRICE_CACHE_WRITE_1H),                                   \
        RATE("cache_write_12h_usd_per_1m", PRICE_CACHE_WRITE_12H),                                 \
        RATE("reasoning_usd_per_1m", PRICE_REASONING)

const struct catalogue_column catalogue_model_columns[CATALOGUE_MODEL_COLUMNS] = {
    KEYS,
    {"mode", CATALOGUE_COLUMN_MODE, 0},
    COUNT(context_window_tokens),
    COUNT(max_input_tokens),
    COUNT(max_output_tokens),
    TIER_RATES,
    RATE("audio_input_usd_per_1m", PRICE_AUDIO_INPUT),
    RATE("audio_output_usd_per_1m", PRICE_AUDIO_OUTPUT),
    RATE("audio_cache_read_usd_per_1m", PRICE_AUDIO_CACHE_READ),
    RATE("image_input_usd_per_1m", PRICE_IMAGE_INPUT),
    RATE("image_output_usd_per_1m", PRICE_IMAGE_OUTPUT),
    RATE("image_cache_read_usd_per_1m", PRICE_IMAGE_CACHE_READ),
    {"per_image_usd", CATALOGUE_COLUMN_IMAGE, 0},
    RATE("per_second_usd", PRICE_SECOND),
    RATE("per_character_usd", PRICE_CHARACTER),
    RATE("per_query_usd", PRICE_QUERY),
    RATE("web_search_usd_per_call", PRICE_WEB_SEARCH),
    RATE("web_search_low_usd_per_call", PRICE_WEB_SEARCH_LOW),
    RATE("web_search_high_usd_per_call", PRICE_WEB_SEARCH_HIGH),
    OFFPEAK("input_usd_per_1m", PRICE_INPUT),
    OFFPEAK("output_usd_per_1m", PRICE_OUTPUT),
    OFFPEAK("cache_read_usd_per_1m", PRICE_CACHE_READ),
    {"offpeak_windows_utc", CATALOGUE_COLUMN_HOURS, 0},
    FACTOR("us_multiplier", PRICE_FACTOR_US),
    FACTOR("eu_multiplier", PRICE_FACTOR_EU),
    FACTOR("fast_multiplier", PRICE_FACTOR_FAST),
    ABILITY("tools", CATALOGUE_TOOLS),
    ABILITY("vision", CATALOGUE_VISION),
    ABILITY("json_schema", CATALOGUE_JSON_SCHEMA),
    ABILITY("reasoning", CATALOGUE_REASONING),
    ABILITY("prompt_caching", CATALOGUE_PROMPT_CACHING),
    ABILITY("audio_in", CATALOGUE_AUDIO_IN),
    ABILITY("pdf", CATALOGUE_PDF),
    COUNT(embedding_dimensions),
    COUNT(prompt_cache_min_tokens),
    {"deprecation_date", CATALOGUE_COLUMN_DEPRECATED, 0},
    {"source", CATALOGUE_COLUMN_SOURCE, 0},
};

const struct catalogue_column catalogue_tier_columns[CATALOGUE_TIER_COLUMNS] = {
    KEYS,
    {"service", CATALOGUE_COLUMN_CLASS, 0},
    {"threshold_tokens", CATALOGUE_COLUMN_THRESHOLD, 0},
    TIER_RATES,
};
