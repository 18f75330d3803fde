#include "models/catalogue.h"

#include "base/assert.h"
#include "base/clock.h"
#include "models/catalogue_columns.h"
#include "models/catalogue_data.h"
#include "base/date.h"

#define NAME_FIELDS CATALOGUE_KEY_FROM /* the fields before it are the name of a row */

/* --- opening ------------------------------------------------------------------------------------ */

/* Takes the first line off, which must name exactly these columns. */
static enum status take_header(struct slice *text, const struct catalogue_column *columns,
                               size_t count)
{
    struct slice line;
    struct slice fields[CATALOGUE_MODEL_COLUMNS];
    if (!catalogue_csv_next(text, &line) || catalogue_csv_split(line, fields, count) != STATUS_OK)
        return STATUS_INVALID;
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(fields[i], slice_from_text(columns[i].name)))
            return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status catalogue_open(struct slice models, struct slice tiers, struct catalogue *catalogue_out,
                           struct reason *reason)
{
    if (take_header(&models, catalogue_model_columns, CATALOGUE_MODEL_COLUMNS) != STATUS_OK) {
        reason_set(reason, "the list of models has other columns than this version of weir");
        return STATUS_INVALID;
    }
    if (take_header(&tiers, catalogue_tier_columns, CATALOGUE_TIER_COLUMNS) != STATUS_OK) {
        reason_set(reason, "the list of tiers has other columns than this version of weir");
        return STATUS_INVALID;
    }
    *catalogue_out = (struct catalogue){models, tiers};
    return STATUS_OK;
}

void catalogue_embedded(struct catalogue *catalogue_out)
{
    const struct slice models = slice_of(catalogue_models_csv, catalogue_models_csv_size);
    const struct slice tiers =
        slice_of(catalogue_models_tiers_csv, catalogue_models_tiers_csv_size);
    const enum status status = catalogue_open(models, tiers, catalogue_out, NULL);
    ASSERT(status == STATUS_OK);
}

/* --- finding ------------------------------------------------------------------------------------ */

static void read_key(struct slice line, struct catalogue_key *key_out)
{
    for (size_t i = 0; i < CATALOGUE_KEY_FIELDS; i++) {
        const size_t end = slice_find_byte(line, ',');
        key_out->fields[i] = slice_of(line.data, end);
        line = slice_from(line, end < line.size ? end + 1 : end);
    }
}

static enum status take_row(struct slice line, struct catalogue_row *row_out)
{
    *row_out = (struct catalogue_row){.line = line, .until_us = UINT64_MAX};
    read_key(line, &row_out->key);
    return date_parse_day(row_out->key.fields[CATALOGUE_KEY_FROM], &row_out->from_us);
}

/* Goes through the rows of one name, the oldest first, until one begins after the time. */
static enum status choose_row(struct slice text, const struct catalogue_key *name, uint64_t time_us,
                              struct catalogue_row *row_out)
{
    struct slice line;
    enum status status = STATUS_NOT_FOUND;
    while (catalogue_csv_next(&text, &line) &&
           catalogue_csv_compare(line, name, NAME_FIELDS) == 0) {
        struct catalogue_row row;
        if (take_row(line, &row) != STATUS_OK)
            return STATUS_INVALID;
        if (status == STATUS_OK && row.from_us > time_us) {
            row_out->until_us = row.from_us;
            break;
        }
        *row_out = row;
        status = STATUS_OK;
    }
    return status;
}

enum status catalogue_find_exact(const struct catalogue *catalogue,
                                 const struct catalogue_query *query, struct catalogue_row *row_out)
{
    const struct catalogue_key name = {
        {query->provider, query->model, query->region, query->variant, {0}}};
    return choose_row(catalogue_csv_seek(catalogue->models, &name, NAME_FIELDS), &name,
                      query->time_us, row_out);
}

/* --- checking ----------------------------------------------------------------------------------- */

static enum status wrong_line(struct reason *reason, const char *file, size_t number,
                              const char *what)
{
    reason_set(reason, "%s:%zu: %s", file, number, what);
    return STATUS_INVALID;
}

static enum status check_model(const struct catalogue *catalogue, struct slice line)
{
    struct catalogue_row row;
    struct price price;
    struct catalogue_facts facts;
    if (take_row(line, &row) != STATUS_OK ||
        catalogue_read_price(catalogue, &row, &price) != STATUS_OK ||
        catalogue_read_facts(&row, &facts) != STATUS_OK ||
        price_id(&price).size + 1 == PRICE_ID_BYTES)
        return STATUS_INVALID;
    return STATUS_OK;
}

static enum status check_models(const struct catalogue *catalogue, struct reason *reason)
{
    struct slice text = catalogue->models, line;
    struct catalogue_key previous;
    for (size_t number = 2; catalogue_csv_next(&text, &line); number++) {
        if (number > 2 && catalogue_csv_compare(line, &previous, CATALOGUE_KEY_FIELDS) <= 0)
            return wrong_line(reason, "models.csv", number, "out of order, or twice");
        read_key(line, &previous);
        if (check_model(catalogue, line) != STATUS_OK)
            return wrong_line(reason, "models.csv", number, "it, or a tier of it, cannot be read");
    }
    return STATUS_OK;
}

/* What a tier says was read with its row; here is whether it has one, and is where it is found. */
static enum status check_tiers(const struct catalogue *catalogue, struct reason *reason)
{
    struct slice text = catalogue->tiers, line, found;
    struct catalogue_key key, previous;
    for (size_t number = 2; catalogue_csv_next(&text, &line); number++) {
        if (number > 2 && catalogue_csv_compare(line, &previous, CATALOGUE_KEY_FIELDS) < 0)
            return wrong_line(reason, "models_tiers.csv", number, "out of order");
        read_key(line, &key);
        struct slice rest = catalogue_csv_seek(catalogue->models, &key, CATALOGUE_KEY_FIELDS);
        if (!catalogue_csv_next(&rest, &found) ||
            catalogue_csv_compare(found, &key, CATALOGUE_KEY_FIELDS) != 0)
            return wrong_line(reason, "models_tiers.csv", number, "no such model");
        previous = key;
    }
    return STATUS_OK;
}

enum status catalogue_check(const struct catalogue *catalogue, struct reason *reason)
{
    const enum status status = check_models(catalogue, reason);
    return status == STATUS_OK ? check_tiers(catalogue, reason) : status;
}
