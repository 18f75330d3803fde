#include "admin/provider_lookup.h"

#include "base/nearest.h"

#define SHOWN_BYTES_MAX 64

unsigned provider_look_up(struct operation *operation, struct slice name, unsigned http_status,
                          const struct config_provider **provider_out)
{
    const struct snapshot *snapshot = operation->context->snapshot;
    struct nearest nearest;
    *provider_out = NULL;
    if (snapshot == NULL)
        return 0;
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < snapshot->config->provider_count; i++) {
        const struct config_provider *provider = &snapshot->config->providers[i];
        nearest_consider(&nearest, provider->name);
        if (!slice_equal(provider->name, name))
            continue;
        *provider_out = provider;
        return 0;
    }
    const int shown = (int)(name.size < SHOWN_BYTES_MAX ? name.size : SHOWN_BYTES_MAX);
    if (nearest.found.size > 0)
        return operation_problem(operation, http_status,
                                 "no provider is called '%.*s'; did you mean '%.*s'?", shown,
                                 name.data, SLICE_ARGS(nearest.found));
    return operation_problem(operation, http_status, "no provider is called '%.*s'", shown,
                             name.data);
}
