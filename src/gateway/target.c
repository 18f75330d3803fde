#include "gateway/target.h"

#include "gateway/gateway.h"
#include "identity/access.h"

bool target_is_allowed(const struct request *request, struct slice model)
{
    return identity_allows_model(request->key, model);
}

static enum status refuse_model(struct request *request, struct slice model)
{
    const int size = (int)(model.size < 128 ? model.size : 128);
    account_refuse(request, SLICE("model_not_found"));
    return request_fail(request, ERROR_MODEL_NOT_FOUND, "model",
                        "The model `%.*s` does not exist or this key may not use it.", size,
                        model.data);
}

/* A local server that does not know the client's name answers with a model that it has. */
static struct slice name_at_target(const struct request *request, const struct rule_target *target,
                                   struct slice model)
{
    if (target->model.data != NULL)
        return target->model;
    const struct models_list *list = request->worker->lists[target->provider];
    if (!target->any_listed || list == NULL || list->count == 0 || models_list_has(list, model) ||
        request->calling->is_former)
        return model;
    return list->names[0];
}

enum status target_choose(struct request *request, struct slice model)
{
    const struct snapshot *snapshot = request->calling->snapshot;
    request->model = model;
    if (!target_is_allowed(request, model))
        return refuse_model(request, model);
    const struct rule *rule = rules_match(&snapshot->config->rules, model);
    if (rule == NULL)
        return refuse_model(request, model);
    const struct rule_target *target = &rule->targets[0];
    request->endpoint = &request->calling->endpoints[target->provider];
    request->rule = rule;
    request->metrics_target =
        snapshot->target_metrics[rule - snapshot->config->rules.items][target - rule->targets];
    request->target_model = name_at_target(request, target, model);
    request->model_is_replaced = !slice_equal(request->target_model, model);
    if (!request->model_is_replaced)
        return STATUS_OK;
    /* A list may be replaced by a newer one while the request waits. */
    request->target_model = arena_copy(&request->exchange->arena, request->target_model);
    if (request->target_model.data == NULL)
        return request_fail(request, ERROR_INTERNAL, NULL, "Out of memory.");
    return STATUS_OK;
}
