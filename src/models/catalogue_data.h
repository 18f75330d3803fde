/* The bytes of catalogue/, which the build puts into the program. */
#ifndef MODELS_CATALOGUE_DATA_H
#define MODELS_CATALOGUE_DATA_H

#include <stddef.h>

extern const unsigned char catalogue_models_csv[];
extern const size_t catalogue_models_csv_size;
extern const unsigned char catalogue_models_tiers_csv[];
extern const size_t catalogue_models_tiers_csv_size;

#endif
