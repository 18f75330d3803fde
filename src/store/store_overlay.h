/* What the admin API adds to the configuration: providers, models and providers' credentials.
 *
 * Thread, memory and errors: as in store/store.h. */
#ifndef STORE_STORE_OVERLAY_H
#define STORE_STORE_OVERLAY_H

#include "store/store.h"

#define STORE_MASTER_ID_SIZE 8
#define STORE_NONCE_SIZE     24

/* --- Secrets ------------------------------------------------------------------------------------- */

/* A provider's credential, sealed under the master key of that id and bound to `id` and `provider`. */
struct store_secret {
    struct id id;
    struct slice provider; /* unique; not empty */
    unsigned char master_id[STORE_MASTER_ID_SIZE];
    unsigned char nonce[STORE_NONCE_SIZE];
    struct slice sealed;
    struct slice hint; /* the last characters of the plain text; may be empty */
    uint64_t created_at_us;
    uint64_t updated_at_us; /* rises with each change */
};
typedef enum status store_secret_visitor(void *context, const struct store_secret *secret);

/* Makes it, or replaces the one of that provider, whose id it must have. */
MUST_CHECK enum status store_secret_put(struct store *store, const struct store_secret *secret,
                                        struct reason *reason);
/* STATUS_NOT_FOUND. */
MUST_CHECK enum status store_secret_find(struct store *store, struct slice provider,
                                         struct arena *arena, struct store_secret *secret_out,
                                         struct reason *reason);
/* STATUS_NOT_FOUND. */
MUST_CHECK enum status store_secret_delete(struct store *store, struct slice provider,
                                           struct reason *reason);
/* In the order of the providers' names. */
MUST_CHECK enum status store_secrets_list(struct store *store, store_secret_visitor *visit,
                                          void *context, struct reason *reason);

/* --- Definitions --------------------------------------------------------------------------------- */

enum store_section {
    STORE_SECTION_PROVIDERS,
    STORE_SECTION_MODELS,
};

/* An entry of `providers:` or `models:` as JSON, with the members that it has in a file. */
struct store_definition {
    struct id id;
    struct slice name; /* unique in its section; not empty */
    struct slice definition;
    uint64_t created_at_us;
    uint64_t updated_at_us; /* rises with each change */
};
typedef enum status store_definition_visitor(void *context,
                                             const struct store_definition *definition);

/* STATUS_EXISTS: the name or the id is taken. */
MUST_CHECK enum status store_definition_create(struct store *store, enum store_section section,
                                               const struct store_definition *definition,
                                               struct reason *reason);
/* Writes definition and updated_at_us of the one of that name. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_definition_update(struct store *store, enum store_section section,
                                               const struct store_definition *definition,
                                               struct reason *reason);
/* STATUS_NOT_FOUND. */
MUST_CHECK enum status store_definition_delete(struct store *store, enum store_section section,
                                               struct slice name, struct reason *reason);
/* STATUS_NOT_FOUND. */
MUST_CHECK enum status store_definition_find(struct store *store, enum store_section section,
                                             struct slice name, struct arena *arena,
                                             struct store_definition *definition_out,
                                             struct reason *reason);
/* In the order of their making. */
MUST_CHECK enum status store_definitions_list(struct store *store, enum store_section section,
                                              store_definition_visitor *visit, void *context,
                                              struct reason *reason);

#endif
