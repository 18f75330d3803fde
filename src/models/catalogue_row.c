/* Reading of one row. */
#include "base/assert.h"
#include "models/catalogue.h"
#include "models/catalogue_columns.h"
#include "base/date.h"
#include "models/price_decimal.h"
#include "models/price_terms.h"

static const char *const mode_names[CATALOGUE_MODES] = {
    [CATALOGUE_CHAT] = "chat",
    [CATALOGUE_COMPLETION] = "completion",
    [CATALOGUE_RESPONSES] = "responses",
    [CATALOGUE_EMBEDDING] = "embedding",
    [CATALOGUE_RERANK] = "rerank",
    [CATALOGUE_IMAGE_GENERATION] = "image_generation",
    [CATALOGUE_AUDIO_TRANSCRIPTION] = "audio_transcription",
    [CATALOGUE_AUDIO_SPEECH] = "audio_speech",
    [CATALOGUE_MODERATION] = "moderation",
};

static const char *const ability_names[CATALOGUE_ABILITIES] = {
    [CATALOGUE_TOOLS] = "tools",
    [CATALOGUE_VISION] = "vision",
    [CATALOGUE_JSON_SCHEMA] = "json_schema",
    [CATALOGUE_REASONING] = "reasoning",
    [CATALOGUE_PROMPT_CACHING] = "prompt_caching",
    [CATALOGUE_AUDIO_IN] = "audio_in",
    [CATALOGUE_PDF] = "pdf",
};

const char *catalogue_mode_name(enum catalogue_mode mode)
{
    ASSERT(mode < CATALOGUE_MODES);
    return mode_names[mode];
}

const char *catalogue_ability_name(enum catalogue_ability ability)
{
    ASSERT(ability < CATALOGUE_ABILITIES);
    return ability_names[ability];
}

static enum status read_mode(struct slice text, enum catalogue_mode *mode_out)
{
    for (size_t i = 0; i < CATALOGUE_MODES; i++) {
        if (slice_equal(text, slice_from_text(mode_names[i]))) {
            *mode_out = (enum catalogue_mode)i;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID;
}

/* --- prices ------------------------------------------------------------------------------------- */

static enum status read_rate(struct slice text, enum price_part part, uint64_t *rate_out)
{
    const enum status status = price_decimal_parse(text, price_part_digits(part), rate_out);
    return status == STATUS_OK && *rate_out != PRICE_UNKNOWN ? STATUS_OK : STATUS_INVALID;
}

static enum status read_image(struct slice text, struct slice mode, struct price *price)
{
    const bool makes = slice_equal(mode, slice_from_text(mode_names[CATALOGUE_IMAGE_GENERATION]));
    const enum price_part part = makes ? PRICE_IMAGE : PRICE_IMAGE_READ;
    return read_rate(text, part, &price->rates[part]);
}

/* Fields that are not empty; `mode` is that of the row. */
static enum status read_price_field(const struct catalogue_column *column, struct slice text,
                                    struct slice mode, struct price *price)
{
    const enum price_part part = (enum price_part)column->which;
    switch (column->kind) {
    case CATALOGUE_COLUMN_RATE:
        return read_rate(text, part, &price->rates[part]);
    case CATALOGUE_COLUMN_IMAGE:
        return read_image(text, mode, price);
    case CATALOGUE_COLUMN_OFFPEAK_RATE:
        return read_rate(text, part, &price->offpeak_rates[part]);
    case CATALOGUE_COLUMN_HOURS:
        return price_offpeak_parse(text, &price->offpeak);
    case CATALOGUE_COLUMN_FACTOR:
        return price_set(price, slice_from_text(column->name), text, NULL);
    default:
        return STATUS_OK;
    }
}

static enum status read_rates(struct slice line, struct price *price)
{
    struct slice fields[CATALOGUE_MODEL_COLUMNS], mode = {0};
    enum status status = catalogue_csv_split(line, fields, CATALOGUE_MODEL_COLUMNS);
    for (size_t i = 0; status == STATUS_OK && i < CATALOGUE_MODEL_COLUMNS; i++) {
        const struct catalogue_column *column = &catalogue_model_columns[i];
        if (column->kind == CATALOGUE_COLUMN_MODE)
            mode = fields[i];
        if (fields[i].size > 0)
            status = read_price_field(column, fields[i], mode, price);
    }
    return status;
}

static enum status read_tier_rates(const struct slice *fields, struct price_tier *tier)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < CATALOGUE_TIER_COLUMNS; i++) {
        const struct catalogue_column *column = &catalogue_tier_columns[i];
        if (column->kind == CATALOGUE_COLUMN_RATE && fields[i].size > 0)
            status =
                read_rate(fields[i], (enum price_part)column->which, &tier->rates[column->which]);
    }
    return status;
}

static enum status read_tier(struct slice line, struct price *price)
{
    struct slice fields[CATALOGUE_TIER_COLUMNS];
    enum price_class service_class;
    uint64_t above_tokens;
    if (catalogue_csv_split(line, fields, CATALOGUE_TIER_COLUMNS) != STATUS_OK ||
        price_class_find(fields[CATALOGUE_KEY_FIELDS], &service_class) != STATUS_OK ||
        slice_to_u64(fields[CATALOGUE_KEY_FIELDS + 1], &above_tokens) != STATUS_OK)
        return STATUS_INVALID;
    if ((service_class == PRICE_STANDARD && above_tokens == 0) ||
        price_tier_find(price, service_class, above_tokens) != NULL)
        return STATUS_INVALID;
    struct price_tier *tier = price_tier_add(price, service_class, above_tokens);
    return tier != NULL ? read_tier_rates(fields, tier) : STATUS_INVALID;
}

static enum status read_tiers(const struct catalogue *catalogue, const struct catalogue_key *key,
                              struct price *price)
{
    struct slice text = catalogue_csv_seek(catalogue->tiers, key, CATALOGUE_KEY_FIELDS);
    struct slice line;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && catalogue_csv_next(&text, &line) &&
           catalogue_csv_compare(line, key, CATALOGUE_KEY_FIELDS) == 0)
        status = read_tier(line, price);
    return status;
}

/* Appends to the id; what does not fit leaves it without its final day, which nothing finds. */
static void append(struct price *price, size_t *size, const char *before, struct slice text)
{
    const struct slice parts[] = {slice_from_text(before), text};
    for (size_t i = 0; i < 2; i++) {
        const size_t room = PRICE_ID_BYTES - 1 - *size;
        const size_t count = parts[i].size < room ? parts[i].size : room;
        if (count > 0)
            memcpy(price->id + *size, parts[i].data, count);
        *size += count;
    }
    price->id[*size] = '\0';
}

static void write_id(const struct catalogue_key *key, struct price *price)
{
    size_t size = 0;
    append(price, &size, "catalogue/", key->fields[CATALOGUE_KEY_PROVIDER]);
    if (key->fields[CATALOGUE_KEY_REGION].size > 0)
        append(price, &size, ":", key->fields[CATALOGUE_KEY_REGION]);
    append(price, &size, "/", key->fields[CATALOGUE_KEY_MODEL]);
    if (key->fields[CATALOGUE_KEY_VARIANT].size > 0)
        append(price, &size, "#", key->fields[CATALOGUE_KEY_VARIANT]);
    append(price, &size, "@", key->fields[CATALOGUE_KEY_FROM]);
}

enum status catalogue_read_price(const struct catalogue *catalogue, const struct catalogue_row *row,
                                 struct price *price_out)
{
    price_init_unknown(price_out);
    price_out->from_us = row->from_us;
    price_out->until_us = row->until_us;
    write_id(&row->key, price_out);
    if (read_rates(row->line, price_out) != STATUS_OK ||
        read_tiers(catalogue, &row->key, price_out) != STATUS_OK)
        return STATUS_INVALID;
    return STATUS_OK;
}

/* --- facts -------------------------------------------------------------------------------------- */

static enum status read_ability(struct slice text, size_t ability, struct catalogue_facts *facts)
{
    const bool has = slice_equal(text, SLICE("1"));
    if (!has && !slice_equal(text, SLICE("0")))
        return STATUS_INVALID;
    facts->abilities_known |= 1U << ability;
    facts->abilities |= (uint32_t)has << ability;
    return STATUS_OK;
}

static enum status read_fact(const struct catalogue_column *column, struct slice text,
                             struct catalogue_facts *facts)
{
    switch (column->kind) {
    case CATALOGUE_COLUMN_MODE:
        return read_mode(text, &facts->mode);
    case CATALOGUE_COLUMN_COUNT:
        return slice_to_u64(text, (uint64_t *)(void *)((char *)facts + column->which));
    case CATALOGUE_COLUMN_ABILITY:
        return read_ability(text, column->which, facts);
    case CATALOGUE_COLUMN_DEPRECATED:
        return date_parse_day(text, &facts->deprecated_us);
    default:
        return STATUS_OK;
    }
}

enum status catalogue_read_facts(const struct catalogue_row *row, struct catalogue_facts *facts_out)
{
    struct slice fields[CATALOGUE_MODEL_COLUMNS];
    *facts_out = (struct catalogue_facts){0};
    enum status status = catalogue_csv_split(row->line, fields, CATALOGUE_MODEL_COLUMNS);
    for (size_t i = 0; status == STATUS_OK && i < CATALOGUE_MODEL_COLUMNS; i++) {
        const struct catalogue_column *column = &catalogue_model_columns[i];
        if (fields[i].size > 0 || column->kind == CATALOGUE_COLUMN_MODE)
            status = read_fact(column, fields[i], facts_out);
    }
    return status;
}
