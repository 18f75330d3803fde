/* A catalogue of a few rows for tests, in the columns of the real one. */
#ifndef SUPPORT_SMALL_CATALOGUE_H
#define SUPPORT_SMALL_CATALOGUE_H

#include "base/buffer.h"

/* Appends the first lines. */
void small_catalogue_heads(struct buffer *models, struct buffer *tiers);

/* Appends a row of models.csv: its key ("p,m,,,2026-01-01"), its mode, and the input and output
 * prices. */
void small_catalogue_model(struct buffer *models, const char *key, const char *mode,
                           const char *input, const char *output);

/* Appends a line of models_tiers.csv: a key, a service class, a threshold and the input price. */
void small_catalogue_tier(struct buffer *tiers, const char *key, const char *service,
                          const char *threshold, const char *input);

#endif
