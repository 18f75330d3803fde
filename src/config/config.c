#include "config/config.h"

#include "base/alloc.h"

const struct config *config_ref(const struct config *config)
{
    atomic_uint *references = (atomic_uint *)(uintptr_t)&config->references;
    atomic_fetch_add(references, 1);
    return config;
}

void config_unref(const struct config **taken)
{
    struct config *config = (struct config *)(uintptr_t)*taken;
    *taken = NULL;
    if (config == NULL || atomic_fetch_sub(&config->references, 1) != 1)
        return;
    arena_fini(&config->arena);
    alloc_free(config);
}

const struct config_provider *config_provider_find(const struct config *config, struct slice name)
{
    for (size_t i = 0; i < config->provider_count; i++) {
        if (slice_equal(config->providers[i].name, name))
            return &config->providers[i];
    }
    return NULL;
}
