#include "admin/definition_operations.h"

#include "admin/definition_body.h"
#include "admin/definition_change.h"
#include "admin/definition_item.h"
#include "admin/definition_trial.h"
#include "admin/list_offset.h"
#include "admin/member_writer.h"

static const char *noun_of(enum store_section section)
{
    return section == STORE_SECTION_MODELS ? "model" : "provider";
}

static int shown(struct slice name)
{
    return (int)(name.size < 64 ? name.size : 64);
}

/* --- What the file has, it has alone -------------------------------------------------------------- */

/* Whether the configuration knows the name otherwise than from the API, and from where. */
static bool find_configured(const struct config *config, enum store_section section,
                            struct slice name, struct config_origin *origin_out)
{
    const struct config_provider *provider = config_provider_find(config, name);
    if (section == STORE_SECTION_PROVIDERS && provider != NULL && !provider->is_from_api) {
        *origin_out = provider->origin;
        return true;
    }
    for (size_t i = 0; section == STORE_SECTION_MODELS && i < config->rules.count; i++) {
        *origin_out = config->rule_origins[i];
        if (origin_out->kind != CONFIG_ORIGIN_STORE &&
            slice_equal(config->rules.items[i].name, name))
            return true;
    }
    return false;
}

/* `takes_built_in`: the API may take the place of a built-in one. */
static unsigned check_not_configured(struct operation *operation, enum store_section section,
                                     struct slice name, bool takes_built_in)
{
    const struct snapshot *snapshot = operation->context->snapshot;
    struct config_origin origin;
    if (snapshot == NULL)
        return operation_problem(operation, 503, "there is no configuration to look into");
    if (!find_configured(snapshot->config, section, name, &origin))
        return 0;
    if (origin.kind == CONFIG_ORIGIN_FILE)
        return operation_problem(operation, 409,
                                 "the configuration has the %s '%.*s' (%.*s:%u), and goes first",
                                 noun_of(section), shown(name), name.data,
                                 SLICE_ARGS(snapshot->config->file), origin.line);
    if (takes_built_in)
        return 0;
    return operation_problem(operation, 409,
                             "the %s '%.*s' is built in; one of that name takes its place",
                             noun_of(section), shown(name), name.data);
}

/* --- What holds of a definition beyond its own mistakes ------------------------------------------- */

/* A rule that no request could reach would be no answer to whoever adds it. */
static unsigned check_reach(struct operation *operation, const struct config *config,
                            struct slice name)
{
    const struct rule *rule = definition_rule(config, name);
    for (const struct rule *earlier = config->rules.items; rule != NULL && earlier < rule;
         earlier++) {
        const struct config_origin origin = config->rule_origins[earlier - config->rules.items];
        if (!rule_covers(earlier, rule))
            continue;
        if (origin.kind == CONFIG_ORIGIN_FILE)
            return operation_problem(operation, 409,
                                     "the model would never be reached: the configuration's '%.*s' "
                                     "(%.*s:%u) matches first",
                                     SLICE_ARGS(earlier->name), SLICE_ARGS(config->file),
                                     origin.line);
        return operation_problem(operation, 409,
                                 "the model would never be reached: '%.*s' matches first",
                                 SLICE_ARGS(earlier->name));
    }
    return 0;
}

static bool have_same_host(const struct config_provider *a, const struct config_provider *b)
{
    return a != NULL && b != NULL && a->base_url.is_tls == b->base_url.is_tls &&
           a->base_url.port == b->base_url.port &&
           slice_equal_nocase(a->base_url.host, b->base_url.host);
}

/* A credential goes to the host that it was set for: who may name another host may not know it. */
static unsigned check_secret(struct operation *operation, const struct config *config,
                             struct slice name)
{
    const struct config *in_force = operation->context->snapshot->config;
    struct reason reason = {""};
    struct store_secret secret;
    const enum status status =
        store_secret_find(operation->context->store, name, operation->arena, &secret, &reason);
    if (status == STATUS_NOT_FOUND ||
        have_same_host(config_provider_find(in_force, name), config_provider_find(config, name)))
        return 0;
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    return operation_problem(operation, 409,
                             "a secret is stored for provider '%.*s' at another host; delete it "
                             "first, and set it for the new one afterwards",
                             shown(name), name.data);
}

static unsigned check_made(struct operation *operation, enum store_section section,
                           const struct config *config, struct slice name)
{
    if (section == STORE_SECTION_MODELS)
        return check_reach(operation, config, name);
    if (definition_provider(config, name) == NULL)
        return operation_problem(operation, 409, "there are as many providers as may be");
    return check_secret(operation, config, name);
}

/* --- Create and set ------------------------------------------------------------------------------ */

typedef enum status write_definition(struct admin_context *context, enum store_section section,
                                     const struct store_definition *definition,
                                     struct reason *reason);

/* Tries it, writes it, and shows what it has become. */
static unsigned keep(struct operation *operation, enum store_section section,
                     const struct store_definition *definition, write_definition *write,
                     unsigned http_status)
{
    struct reason reason = {""};
    const struct config *config = NULL;
    unsigned failed = definition_trial(operation, section, definition, &config);
    if (failed == 0)
        failed = check_made(operation, section, config, definition->name);
    enum status status = STATUS_OK;
    if (failed == 0)
        status = write(operation->context, section, definition, &reason);
    if (status != STATUS_OK)
        failed = operation_failed(operation, status, &reason);
    if (failed == 0) {
        struct json_writer writer;
        json_writer_init(&writer, operation->answer);
        definition_item_write(&writer, config, section, definition);
        operation->version_us = definition->updated_at_us;
    }
    config_unref(&config);
    return failed == 0 ? http_status : failed;
}

static unsigned create(struct operation *operation, enum store_section section)
{
    struct reason reason = {""};
    struct store_definition definition = {.id = id_make(operation->now_us),
                                          .created_at_us = operation->now_us,
                                          .updated_at_us = operation->now_us};
    struct store_definition former;
    unsigned failed = definition_read(operation, section, &definition);
    if (failed == 0)
        failed = check_not_configured(operation, section, definition.name, true);
    if (failed != 0)
        return failed;
    const enum status status = store_definition_find(
        operation->context->store, section, definition.name, operation->arena, &former, &reason);
    if (status == STATUS_OK)
        return operation_problem(operation, 409, "there is a %s '%.*s' already", noun_of(section),
                                 shown(definition.name), definition.name.data);
    if (status != STATUS_NOT_FOUND)
        return operation_failed(operation, status, &reason);
    return keep(operation, section, &definition, definition_enter, 201);
}

static unsigned set(struct operation *operation, enum store_section section)
{
    struct reason reason = {""};
    struct store_definition definition;
    const struct slice name = operation->target.item;
    unsigned failed = check_not_configured(operation, section, name, false);
    if (failed != 0)
        return failed;
    const enum status status = store_definition_find(operation->context->store, section, name,
                                                     operation->arena, &definition, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    definition.updated_at_us = operation->now_us > definition.updated_at_us
                                   ? operation->now_us
                                   : definition.updated_at_us + 1;
    failed = definition_read(operation, section, &definition);
    return failed != 0 ? failed : keep(operation, section, &definition, definition_change, 200);
}

/* --- Delete -------------------------------------------------------------------------------------- */

struct search {
    struct operation *operation;
    struct slice provider;
    struct slice model; /* that names it; data is NULL: none does */
};

static enum status note_user(void *context, const struct store_definition *model)
{
    struct search *search = context;
    struct arena *arena = search->operation->arena;
    if (!definition_names_provider(model->definition, search->provider, arena))
        return STATUS_OK;
    search->model = arena_copy(arena, model->name);
    return search->model.data != NULL ? STATUS_AGAIN : STATUS_NO_MEMORY;
}

static unsigned check_not_used(struct operation *operation, struct slice provider)
{
    struct reason reason = {""};
    struct search search = {.operation = operation, .provider = provider};
    const enum status status = store_definitions_list(
        operation->context->store, STORE_SECTION_MODELS, note_user, &search, &reason);
    if (status == STATUS_AGAIN)
        return operation_problem(operation, 409, "the model '%.*s' uses provider '%.*s'",
                                 shown(search.model), search.model.data, shown(provider),
                                 provider.data);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

static unsigned answer_removed(struct operation *operation)
{
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_text(&writer, SLICE("name"), operation->target.item);
    member_write_bool(&writer, SLICE("deleted"), true);
    json_write_end(&writer);
    return 200;
}

/* One that the file has, too, is only the API's shadow of it: it may go, and the secret stays. */
static unsigned remove_definition(struct operation *operation, enum store_section section)
{
    const struct snapshot *snapshot = operation->context->snapshot;
    const struct slice name = operation->target.item;
    struct reason reason = {""};
    struct store_definition definition;
    struct config_origin origin;
    unsigned failed = 0;
    enum status status = store_definition_find(operation->context->store, section, name,
                                               operation->arena, &definition, &reason);
    if (status == STATUS_NOT_FOUND)
        failed = check_not_configured(operation, section, name, false);
    if (status != STATUS_OK)
        return failed != 0 ? failed : operation_failed(operation, status, &reason);
    const bool is_shadow =
        snapshot != NULL && find_configured(snapshot->config, section, name, &origin);
    if (section == STORE_SECTION_PROVIDERS && !is_shadow)
        failed = check_not_used(operation, name);
    if (failed != 0)
        return failed;
    status = definition_remove(operation->context, section, name,
                               section == STORE_SECTION_PROVIDERS && !is_shadow, &reason);
    return status == STATUS_OK ? answer_removed(operation)
                               : operation_failed(operation, status, &reason);
}

/* --- List and show ------------------------------------------------------------------------------- */

struct listing {
    struct list_offset list;
    const struct config *config;
    enum store_section section;
};

static void write_configured(struct listing *listing)
{
    const struct config *config = listing->config;
    for (size_t i = 0; listing->section == STORE_SECTION_PROVIDERS && i < config->provider_count;
         i++) {
        if (!config->providers[i].is_from_api && list_offset_takes(&listing->list))
            provider_item_write(&listing->list.writer, config, &config->providers[i]);
    }
    for (size_t i = 0; listing->section == STORE_SECTION_MODELS && i < config->rules.count; i++) {
        if (config->rule_origins[i].kind != CONFIG_ORIGIN_STORE &&
            list_offset_takes(&listing->list))
            model_item_write(&listing->list.writer, config, i);
    }
}

static enum status write_stored(void *context, const struct store_definition *definition)
{
    struct listing *listing = context;
    struct json_writer *writer = &listing->list.writer;
    if (list_offset_takes(&listing->list))
        definition_item_write(writer, listing->config, listing->section, definition);
    return buffer_status(writer->buffer);
}

static unsigned list(struct operation *operation, enum store_section section)
{
    struct admin_context *context = operation->context;
    struct reason reason = {""};
    struct listing listing = {.section = section};
    const unsigned failed = list_offset_begin(&listing.list, operation);
    if (failed != 0)
        return failed;
    if (context->snapshot == NULL)
        return operation_problem(operation, 503, "there is no configuration to look into");
    listing.config = context->snapshot->config;
    write_configured(&listing);
    const enum status status =
        store_definitions_list(context->store, section, write_stored, &listing, &reason);
    return status == STATUS_OK ? list_offset_end(&listing.list)
                               : operation_failed(operation, status, &reason);
}

static void show_configured(struct json_writer *writer, const struct config *config,
                            enum store_section section, struct slice name)
{
    if (section == STORE_SECTION_PROVIDERS)
        provider_item_write(writer, config, config_provider_find(config, name));
    for (size_t i = 0; section == STORE_SECTION_MODELS && i < config->rules.count; i++) {
        if (!slice_equal(config->rules.items[i].name, name))
            continue;
        model_item_write(writer, config, i);
        return;
    }
}

static unsigned show(struct operation *operation, enum store_section section)
{
    struct admin_context *context = operation->context;
    const struct slice name = operation->target.item;
    struct reason reason = {""};
    struct store_definition definition;
    struct config_origin origin;
    struct json_writer writer;
    if (context->snapshot == NULL)
        return operation_problem(operation, 503, "there is no configuration to look into");
    const struct config *config = context->snapshot->config;
    json_writer_init(&writer, operation->answer);
    if (find_configured(config, section, name, &origin)) {
        show_configured(&writer, config, section, name);
        return 200;
    }
    const enum status status = store_definition_find(context->store, section, name,
                                                     operation->arena, &definition, &reason);
    if (status == STATUS_NOT_FOUND)
        return operation_problem(operation, 404, "there is no %s '%.*s'", noun_of(section),
                                 shown(name), name.data);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    definition_item_write(&writer, config, section, &definition);
    operation->version_us = definition.updated_at_us;
    return 200;
}

/* --- Routes -------------------------------------------------------------------------------------- */

unsigned providers_create(struct operation *operation)
{
    return create(operation, STORE_SECTION_PROVIDERS);
}

unsigned providers_list(struct operation *operation)
{
    return list(operation, STORE_SECTION_PROVIDERS);
}

unsigned providers_show(struct operation *operation)
{
    return show(operation, STORE_SECTION_PROVIDERS);
}

unsigned providers_set(struct operation *operation)
{
    return set(operation, STORE_SECTION_PROVIDERS);
}

unsigned providers_delete(struct operation *operation)
{
    return remove_definition(operation, STORE_SECTION_PROVIDERS);
}

unsigned models_create(struct operation *operation)
{
    return create(operation, STORE_SECTION_MODELS);
}

unsigned models_list(struct operation *operation)
{
    return list(operation, STORE_SECTION_MODELS);
}

unsigned models_show(struct operation *operation)
{
    return show(operation, STORE_SECTION_MODELS);
}

unsigned models_set(struct operation *operation)
{
    return set(operation, STORE_SECTION_MODELS);
}

unsigned models_delete(struct operation *operation)
{
    return remove_definition(operation, STORE_SECTION_MODELS);
}
