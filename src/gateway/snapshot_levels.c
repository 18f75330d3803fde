#include "gateway/snapshot_levels.h"

#include "gateway/snapshot.h"

static const struct level *former_rule(const struct snapshot *former, struct slice name)
{
    for (size_t i = 0; former != NULL && i < former->config->rules.count; i++) {
        if (slice_equal(former->config->rules.items[i].name, name))
            return former->levels.rules[i];
    }
    return NULL;
}

static const struct level *former_provider(const struct snapshot *former, struct slice name)
{
    for (size_t i = 0; former != NULL && i < former->config->provider_count; i++) {
        if (slice_equal(former->config->providers[i].name, name))
            return former->levels.providers[i];
    }
    return NULL;
}

static enum status make_rules(struct snapshot *snapshot, struct counters *counters,
                              const struct snapshot *former)
{
    const struct config *config = snapshot->config;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < config->rules.count && status == STATUS_OK; i++)
        status = level_create(counters, &config->rule_limits[i], config->budgets.is_warn_only,
                              former_rule(former, config->rules.items[i].name),
                              &snapshot->levels.rules[i]);
    return status;
}

static enum status make_providers(struct snapshot *snapshot, struct counters *counters,
                                  const struct snapshot *former)
{
    const struct config *config = snapshot->config;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < config->provider_count && status == STATUS_OK; i++)
        status = level_create(counters, &config->providers[i].limits, config->budgets.is_warn_only,
                              former_provider(former, config->providers[i].name),
                              &snapshot->levels.providers[i]);
    return status;
}

enum status snapshot_levels_make(struct snapshot *snapshot, struct counters *counters,
                                 const struct snapshot *former)
{
    const struct config *config = snapshot->config;
    struct snapshot_levels *levels = &snapshot->levels;
    levels->rules =
        arena_zeroed(&snapshot->arena, (config->rules.count + 1) * sizeof(struct level *));
    levels->providers =
        arena_zeroed(&snapshot->arena, (config->provider_count + 1) * sizeof(struct level *));
    if (levels->rules == NULL || levels->providers == NULL)
        return STATUS_NO_MEMORY;
    enum status status = make_rules(snapshot, counters, former);
    if (status == STATUS_OK)
        status = make_providers(snapshot, counters, former);
    if (status == STATUS_OK)
        status = level_create(counters, &config->limits, config->budgets.is_warn_only,
                              former != NULL ? former->levels.gateway : NULL, &levels->gateway);
    return status;
}

void snapshot_levels_succeed(struct snapshot *snapshot, const struct snapshot *former,
                             uint64_t now_ns)
{
    const struct config *config = snapshot->config;
    if (snapshot->levels.rules == NULL || former == NULL || former->levels.rules == NULL)
        return;
    for (size_t i = 0; i < config->rules.count; i++)
        level_succeed(snapshot->levels.rules[i], former_rule(former, config->rules.items[i].name),
                      now_ns);
    for (size_t i = 0; i < config->provider_count; i++)
        level_succeed(snapshot->levels.providers[i],
                      former_provider(former, config->providers[i].name), now_ns);
    level_succeed(snapshot->levels.gateway, former->levels.gateway, now_ns);
}

void snapshot_levels_free(struct snapshot *snapshot)
{
    struct snapshot_levels *levels = &snapshot->levels;
    for (size_t i = 0; levels->rules != NULL && i < snapshot->config->rules.count; i++)
        level_unref(&levels->rules[i]);
    for (size_t i = 0; levels->providers != NULL && i < snapshot->config->provider_count; i++)
        level_unref(&levels->providers[i]);
    level_unref(&levels->gateway);
}
