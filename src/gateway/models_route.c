#include "gateway/models_route.h"

#include "gateway/gateway.h"
#include "gateway/request.h"
#include "gateway/target.h"
#include "http/url.h"
#include "json/write.h"

#define BODY_BYTES_MAX ((size_t)8 << 20)

/* Calls found() for each model that the key may call until it returns false: the exact names of
 * the rules, and what the providers of wildcards list, each where it is the first rule that
 * matches. */
typedef bool found_model(void *context, struct slice name, struct slice owner);

static bool answers_for(const struct request *request, const struct rule *rule, struct slice name)
{
    return rules_match(&request->calling->snapshot->config->rules, name) == rule &&
           target_is_allowed(request, name);
}

static bool visit_listed(const struct request *request, const struct rule *rule, found_model *found,
                         void *context)
{
    const struct rule_target *target = &rule->targets[0];
    const struct config *config = request->calling->snapshot->config;
    const struct models_list *list = request->worker->lists[target->provider];
    if (list == NULL || target->model.data != NULL || request->calling->is_former)
        return true;
    for (size_t i = 0; i < list->count; i++) {
        if (answers_for(request, rule, list->names[i]) &&
            !found(context, list->names[i], config->providers[target->provider].name))
            return false;
    }
    return true;
}

static void visit_models(const struct request *request, found_model *found, void *context)
{
    const struct config *config = request->calling->snapshot->config;
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct rule *rule = &config->rules.items[i];
        bool goes_on = true;
        if (rule->is_prefix)
            goes_on = visit_listed(request, rule, found, context);
        else if (answers_for(request, rule, rule->name))
            goes_on = found(context, rule->name, config->providers[rule->targets[0].provider].name);
        if (!goes_on)
            return;
    }
}

static void write_model(struct json_writer *writer, struct slice name, struct slice owner)
{
    json_write_object(writer);
    json_write_key(writer, SLICE("id"));
    json_write_string(writer, name);
    json_write_key(writer, SLICE("object"));
    json_write_string(writer, SLICE("model"));
    json_write_key(writer, SLICE("created"));
    json_write_u64(writer, 0); /* not known; clients want a number */
    json_write_key(writer, SLICE("owned_by"));
    json_write_string(writer, owner);
    json_write_end(writer);
}

static bool write_found(void *context, struct slice name, struct slice owner)
{
    write_model(context, name, owner);
    return true;
}

void models_handle(struct request *request)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, BODY_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("object"));
    json_write_string(&writer, SLICE("list"));
    json_write_key(&writer, SLICE("data"));
    json_write_array(&writer);
    visit_models(request, write_found, &writer);
    json_write_end(&writer);
    json_write_end(&writer);
    if (buffer_status(&body) == STATUS_OK)
        request_answer(request, 200, SLICE("application/json"), buffer_slice(&body));
    else
        request_fail(request, ERROR_INTERNAL, NULL, "The list of models is too long.");
    buffer_fini(&body);
}

/* --- One model ----------------------------------------------------------------------------------------- */

struct search {
    struct slice wanted, owner;
    bool is_found;
};

static bool compare_found(void *context, struct slice name, struct slice owner)
{
    struct search *search = context;
    search->is_found = slice_equal(name, search->wanted);
    search->owner = owner;
    return !search->is_found;
}

void model_handle(struct request *request)
{
    const struct slice coded = request->route_rest;
    struct search search = {0};
    struct buffer name;
    buffer_init(&name, 4096);
    if (url_decode(coded, &name) == STATUS_OK)
        search.wanted = arena_copy(&request->exchange->arena, buffer_slice(&name));
    buffer_fini(&name);
    if (search.wanted.size > 0)
        visit_models(request, compare_found, &search);
    if (!search.is_found) {
        request_fail(request, ERROR_MODEL_NOT_FOUND, "model",
                     "The model `%.*s` does not exist or this key may not use it.",
                     (int)(coded.size < 128 ? coded.size : 128), coded.data);
        return;
    }
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, 4096);
    json_writer_init(&writer, &body);
    write_model(&writer, search.wanted, search.owner);
    if (buffer_status(&body) == STATUS_OK)
        request_answer(request, 200, SLICE("application/json"), buffer_slice(&body));
    else
        request_fail(request, ERROR_INTERNAL, NULL, "Out of memory.");
    buffer_fini(&body);
}
