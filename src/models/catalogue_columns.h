/* The columns of catalogue/models.csv and catalogue/models_tiers.csv, in their order. */
#ifndef MODELS_CATALOGUE_COLUMNS_H
#define MODELS_CATALOGUE_COLUMNS_H

#include <stddef.h>

#define CATALOGUE_MODEL_COLUMNS 47
#define CATALOGUE_TIER_COLUMNS  14

enum catalogue_column_kind {
    CATALOGUE_COLUMN_KEY,
    CATALOGUE_COLUMN_MODE,
    CATALOGUE_COLUMN_COUNT,        /* `which` is the offset in struct catalogue_facts */
    CATALOGUE_COLUMN_RATE,         /* `which` is an enum price_part */
    CATALOGUE_COLUMN_IMAGE,        /* one made, or one read: the mode says which */
    CATALOGUE_COLUMN_OFFPEAK_RATE, /* `which` is an enum price_part */
    CATALOGUE_COLUMN_HOURS,
    CATALOGUE_COLUMN_FACTOR,  /* `which` is an enum price_factor */
    CATALOGUE_COLUMN_ABILITY, /* `which` is an enum catalogue_ability */
    CATALOGUE_COLUMN_DEPRECATED,
    CATALOGUE_COLUMN_CLASS,
    CATALOGUE_COLUMN_THRESHOLD,
    CATALOGUE_COLUMN_SOURCE, /* for people */
};

struct catalogue_column {
    const char *name;
    enum catalogue_column_kind kind;
    size_t which;
};

extern const struct catalogue_column catalogue_model_columns[CATALOGUE_MODEL_COLUMNS];
extern const struct catalogue_column catalogue_tier_columns[CATALOGUE_TIER_COLUMNS];

#endif
