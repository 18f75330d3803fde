/* Which provider of the catalogue stands behind a provider of the configuration. */
#ifndef MODELS_CATALOGUE_PROVIDER_H
#define MODELS_CATALOGUE_PROVIDER_H

#include "base/slice.h"
#include "base/status.h"
#include "models/cost.h"

struct catalogue_provider {
    struct slice name;   /* such as "openai"; static storage */
    struct slice region; /* of Bedrock, a part of the host given; else empty */
    enum cost_pin pin;   /* the host is one that processes in this place only */
};

/* Goes by the host of the base URL (without port; any case), else by the provider's name in the
 * configuration, if that is a name of the catalogue's. STATUS_NOT_FOUND: neither, so the catalogue
 * has no price for it; *provider_out is empty then. */
MUST_CHECK enum status catalogue_provider_find(struct slice host, struct slice configured_name,
                                               struct catalogue_provider *provider_out);

/* Whether the catalogue has a provider of this name (for a setting that names one); sets *name_out
 * to it in static storage. */
bool catalogue_provider_exists(struct slice name, struct slice *name_out);
/* The name that somebody meant who wrote another; empty: none is near enough. Static storage. */
struct slice catalogue_provider_nearest(struct slice name);

#endif
