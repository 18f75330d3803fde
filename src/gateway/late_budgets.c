#include "gateway/late_budgets.h"

#include "gateway/admit.h"
#include "gateway/request.h"

void late_budgets_note(struct request *request)
{
    request->admit.changes = identity_reader_changes(request->worker->identity);
    request->admit.grant.now_us = loop_realtime_us(request->worker->loop);
}

static bool has_changed(const struct request *request)
{
    return request->admit.changes != identity_reader_changes(request->worker->identity) ||
           request->calling != request->worker->calling;
}

/* What the rule and the provider of the request are in the snapshot by now. False: one is gone. */
static bool find_now(const struct request *request, const struct snapshot *snapshot, size_t *rule,
                     size_t *provider)
{
    const struct config *config = snapshot->config;
    const struct config_provider *found =
        config_provider_find(config, request->endpoint->provider->config->name);
    const struct rule *match = rules_match(&config->rules, request->model);
    if (found == NULL || match == NULL)
        return false;
    *rule = (size_t)(match - config->rules.items);
    *provider = (size_t)(found - config->providers);
    return true;
}

void late_budgets_settle(struct request *request, uint64_t cost_nanousd)
{
    struct worker *worker = request->worker;
    const struct snapshot *snapshot = worker->calling->snapshot;
    struct admission_levels levels;
    size_t rule, provider;
    if (cost_nanousd == 0 || request->key == NULL || request->endpoint == NULL ||
        !has_changed(request))
        return;
    const struct identity_key *key = identity_find(worker->identity, request->key->hash);
    if (key == NULL || !find_now(request, snapshot, &rule, &provider))
        return;
    admit_levels(key, snapshot, rule, provider, &levels);
    admission_settle_late(&levels, &request->admit.grant, cost_nanousd);
}
