#include "support/small_catalogue.h"

#include "models/catalogue_columns.h"

#define COLUMNS_TO_OUTPUT 11

static void append_head(struct buffer *text, const struct catalogue_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_printf(text, "%s%s", columns[i].name, i + 1 < count ? "," : "\n");
}

static void append_empty(struct buffer *text, size_t fields)
{
    for (size_t i = 0; i < fields; i++)
        buffer_append_byte(text, ',');
    buffer_append_byte(text, '\n');
}

void small_catalogue_heads(struct buffer *models, struct buffer *tiers)
{
    append_head(models, catalogue_model_columns, CATALOGUE_MODEL_COLUMNS);
    append_head(tiers, catalogue_tier_columns, CATALOGUE_TIER_COLUMNS);
}

void small_catalogue_model(struct buffer *models, const char *key, const char *mode,
                           const char *input, const char *output)
{
    buffer_printf(models, "%s,%s,128000,,4096,%s,%s", key, mode, input, output);
    append_empty(models, CATALOGUE_MODEL_COLUMNS - COLUMNS_TO_OUTPUT);
}

void small_catalogue_tier(struct buffer *tiers, const char *key, const char *service,
                          const char *threshold, const char *input)
{
    buffer_printf(tiers, "%s,%s,%s,%s", key, service, threshold, input);
    append_empty(tiers, CATALOGUE_TIER_COLUMNS - 8);
}
