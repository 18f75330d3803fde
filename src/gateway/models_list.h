/* What a provider's own `/models` lists. Immutable and reference-counted.
 *
 * Thread: any. */
#ifndef GATEWAY_MODELS_LIST_H
#define GATEWAY_MODELS_LIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "base/status.h"

#define MODELS_LIST_MAX 4096

struct models_list {
    atomic_uint references;
    size_t count;
    struct slice names[]; /* followed by their bytes */
};

/* Copies the names. NULL: no memory. */
struct models_list *models_list_create(const struct slice *names, size_t count);
struct models_list *models_list_ref(struct models_list *list);
/* Lets go of *list, if any, and sets it to NULL. */
void models_list_unref(struct models_list **list);

/* `list` may be NULL: nothing is known. */
bool models_list_has(const struct models_list *list, struct slice name);

#endif
