#include "config/config.h"

#include "base/alloc.h"
#include "config/memory.h"
#include "config/settings.h"

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
    config_memory_unref(&config->memory);
    arena_fini(&config->arena);
    alloc_free(config);
}

struct config_origin config_provider_key_origin(const struct config_provider *provider)
{
    const struct setting *setting = settings_find(&settings_of_provider, SLICE("api_key"));
    return provider->origins[setting - settings_of_provider.items];
}

const struct config_provider *config_provider_find(const struct config *config, struct slice name)
{
    for (size_t i = 0; i < config->provider_count; i++) {
        if (slice_equal(config->providers[i].name, name))
            return &config->providers[i];
    }
    return NULL;
}
