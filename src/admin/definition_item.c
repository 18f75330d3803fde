#include "admin/definition_item.h"

#include "admin/member_writer.h"

#define URL_BYTES_MAX 8192

const struct config_provider *definition_provider(const struct config *config, struct slice name)
{
    const struct config_provider *provider = config_provider_find(config, name);
    return provider != NULL && provider->is_from_api ? provider : NULL;
}

const struct rule *definition_rule(const struct config *config, struct slice name)
{
    for (size_t i = 0; i < config->rules.count; i++) {
        if (config->rule_origins[i].kind == CONFIG_ORIGIN_STORE &&
            slice_equal(config->rules.items[i].name, name))
            return &config->rules.items[i];
    }
    return NULL;
}

/* --- Where it comes from ------------------------------------------------------------------------- */

static void write_null(struct json_writer *writer, struct slice name)
{
    member_write_text(writer, name, (struct slice){0});
}

static void begin_configured(struct json_writer *writer, const struct config *config,
                             struct slice name, struct config_origin origin)
{
    const bool is_in_file = origin.kind == CONFIG_ORIGIN_FILE;
    json_write_object(writer);
    write_null(writer, SLICE("id"));
    member_write_text(writer, SLICE("name"), name);
    member_write_text(writer, SLICE("from"), is_in_file ? SLICE("file") : SLICE("built-in"));
    member_write_text(writer, SLICE("file"), is_in_file ? config->file : (struct slice){0});
    if (is_in_file)
        member_write_number(writer, SLICE("line"), origin.line);
    else
        write_null(writer, SLICE("line"));
    member_write_bool(writer, SLICE("in_force"), true);
}

static void end_configured(struct json_writer *writer)
{
    write_null(writer, SLICE("definition"));
    write_null(writer, SLICE("created_at"));
    write_null(writer, SLICE("updated_at"));
    json_write_end(writer);
}

static void begin_stored(struct json_writer *writer, const struct store_definition *definition,
                         bool is_in_force)
{
    json_write_object(writer);
    member_write_id(writer, SLICE("id"), &definition->id);
    member_write_text(writer, SLICE("name"), definition->name);
    member_write_text(writer, SLICE("from"), SLICE("api"));
    write_null(writer, SLICE("file"));
    write_null(writer, SLICE("line"));
    member_write_bool(writer, SLICE("in_force"), is_in_force);
}

static void end_stored(struct json_writer *writer, const struct store_definition *definition)
{
    json_write_key(writer, SLICE("definition"));
    json_write_raw(writer, definition->definition);
    member_write_time(writer, SLICE("created_at"), definition->created_at_us);
    member_write_time(writer, SLICE("updated_at"), definition->updated_at_us);
    json_write_end(writer);
}

/* --- What it is ---------------------------------------------------------------------------------- */

static struct slice credential_of(const struct config_provider *provider)
{
    if (provider->api_key.size == 0)
        return provider->has_credential ? SLICE("none") : SLICE("missing");
    switch (config_provider_key_origin(provider).kind) {
    case CONFIG_ORIGIN_FILE:
        return SLICE("file");
    case CONFIG_ORIGIN_ENVIRONMENT:
        return SLICE("environment");
    case CONFIG_ORIGIN_STORE:
        return SLICE("secret");
    default:
        return SLICE("built-in");
    }
}

static void write_url(struct json_writer *writer, const struct config_url *url)
{
    struct buffer text;
    buffer_init(&text, URL_BYTES_MAX);
    buffer_printf(&text, "%s://%.*s%.*s", url->is_tls ? "https" : "http",
                  SLICE_ARGS(url->authority), SLICE_ARGS(url->path));
    member_write_text(writer, SLICE("base_url"), buffer_slice(&text));
    if (buffer_status(&text) != STATUS_OK)
        writer->buffer->failed = buffer_status(&text);
    buffer_fini(&text);
}

/* NULL: it is not in force. */
static void write_provider(struct json_writer *writer, const struct config_provider *provider)
{
    static const struct slice names[] = {{"dialect", 7}, {"base_url", 8}, {"credential", 10}};
    for (size_t i = 0; provider == NULL && i < 3; i++)
        write_null(writer, names[i]);
    if (provider == NULL)
        return;
    member_write_text(writer, SLICE("dialect"), SLICE("openai")); /* there is but one */
    write_url(writer, &provider->base_url);
    member_write_text(writer, SLICE("credential"), credential_of(provider));
}

static void write_rule(struct json_writer *writer, const struct config *config,
                       const struct rule *rule)
{
    json_write_key(writer, SLICE("targets"));
    if (rule == NULL) {
        json_write_null(writer);
        return;
    }
    json_write_array(writer);
    for (size_t i = 0; i < rule->target_count; i++) {
        const struct rule_target *target = &rule->targets[i];
        json_write_object(writer);
        member_write_text(writer, SLICE("provider"), config->providers[target->provider].name);
        member_write_text(writer, SLICE("model"), target->model);
        json_write_end(writer);
    }
    json_write_end(writer);
}

void provider_item_write(struct json_writer *writer, const struct config *config,
                         const struct config_provider *provider)
{
    begin_configured(writer, config, provider->name, provider->origin);
    write_provider(writer, provider);
    end_configured(writer);
}

void model_item_write(struct json_writer *writer, const struct config *config, size_t rule)
{
    begin_configured(writer, config, config->rules.items[rule].name, config->rule_origins[rule]);
    write_rule(writer, config, &config->rules.items[rule]);
    end_configured(writer);
}

void definition_item_write(struct json_writer *writer, const struct config *config,
                           enum store_section section, const struct store_definition *definition)
{
    if (section == STORE_SECTION_MODELS) {
        const struct rule *rule = definition_rule(config, definition->name);
        begin_stored(writer, definition, rule != NULL);
        write_rule(writer, config, rule);
    } else {
        const struct config_provider *provider = definition_provider(config, definition->name);
        begin_stored(writer, definition, provider != NULL);
        write_provider(writer, provider);
    }
    end_stored(writer, definition);
}
