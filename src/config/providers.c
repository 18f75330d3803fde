#include "base/assert.h"
#include "config/loader.h"

#define PROVIDERS_MAX 256

/* As if they stood at the front of every file. */
static const struct built_in {
    const char *name, *base_url, *api_key;
} built_ins[] = {
    {"openai", "https://api.openai.com/v1", "${OPENAI_API_KEY:-}"},
    {"local", "http://localhost:1234/v1", "lm-studio"},
};

#define BUILT_IN_COUNT (sizeof(built_ins) / sizeof(built_ins[0]))

static const struct place built_in_place = {.origin = {CONFIG_ORIGIN_DEFAULT, 0, 0},
                                            .name = {"default", 7}};

static bool names_provider(const struct yaml_node *section, const char *name)
{
    for (const struct yaml_node *child = section != NULL ? section->first : NULL; child != NULL;
         child = child->next) {
        if (slice_equal(child->key, slice_from_text(name)))
            return true;
    }
    return false;
}

static void apply_built_in(struct loader *loader, struct config_provider *provider,
                           const char *path, const char *text)
{
    const struct setting *setting = settings_find(&settings_of_provider, slice_from_text(path));
    const struct raw_value value = {.text = slice_from_text(text), .place = built_in_place};
    ASSERT(setting != NULL);
    value_apply(loader, setting, provider, &value);
}

/* https calls go through HTTPS_PROXY, unless NO_PROXY names the host (as in curl). */
static void apply_proxy(struct loader *loader, struct config_provider *provider)
{
    struct reason reason;
    struct slice text = loader_variable(loader, SLICE("HTTPS_PROXY"));
    struct slice no_proxy = loader_variable(loader, SLICE("NO_PROXY"));
    if (text.size == 0)
        text = loader_variable(loader, SLICE("https_proxy"));
    if (no_proxy.size == 0)
        no_proxy = loader_variable(loader, SLICE("no_proxy"));
    if (provider->proxy.host.size > 0 || text.size == 0 || !provider->base_url.is_tls ||
        config_no_proxy_matches(no_proxy, &provider->base_url))
        return;
    const struct setting *setting = settings_find(&settings_of_provider, SLICE("proxy"));
    const struct raw_value value = {
        .text = text,
        .place = {.origin = {CONFIG_ORIGIN_ENVIRONMENT, 0, 0}, .name = SLICE("HTTPS_PROXY")}};
    if (config_proxy_parse(text, &(struct config_url){0}, &reason) == STATUS_OK)
        value_apply(loader, setting, provider, &value);
    else
        loader_complain(loader, &value.place, (struct slice){0}, "%s", reason.text);
}

static struct config_origin *begin_provider(struct loader *loader, struct config_provider *provider,
                                            struct slice name)
{
    provider->name = loader_keep(loader, name);
    settings_preset(loader, &settings_of_provider, provider);
    struct config_origin *origins =
        loader_alloc(loader, settings_of_provider.count * sizeof(struct config_origin));
    provider->origins = origins;
    return origins;
}

static void check_provider(struct loader *loader, struct config_provider *provider,
                           const struct place *place)
{
    if (provider->base_url.host.size == 0)
        loader_complain(loader, place, SLICE("base_url: https://api.example.com/v1"),
                        "provider %.*s has no base_url", SLICE_ARGS(provider->name));
    if (!provider->tls_verify)
        loader_complain(loader, place, SLICE("name the authority with tls.ca"),
                        "tls.verify: certificates are always verified");
    provider->tls_verify = true;
    provider->has_credential = provider->api_key.data == NULL || provider->api_key.size > 0;
    apply_proxy(loader, provider);
}

static bool is_provider_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '/')
            return false;
    }
    return name.size > 0 && name.size <= 64;
}

static void load_provider(struct loader *loader, struct config_provider *provider,
                          const struct yaml_node *node)
{
    const struct place place = place_of_key(loader, node);
    struct config_origin *origins = begin_provider(loader, provider, node->key);
    if (!is_provider_name(node->key))
        loader_complain(loader, &place, (struct slice){0},
                        "'%.*s' is no provider's name: 1 to 64 characters without spaces and '/'",
                        SLICE_ARGS(node->key));
    if (node->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &place, (struct slice){0}, "provider %.*s: settings are wanted",
                        SLICE_ARGS(node->key));
        return;
    }
    if (origins != NULL)
        settings_apply_mapping(loader, &settings_of_provider, provider, origins, node, NULL);
    check_provider(loader, provider, &place);
}

static size_t count_section(struct loader *loader, const struct yaml_node *section)
{
    size_t count = 0;
    if (section == NULL)
        return 0;
    const struct place place = place_of_key(loader, section);
    if (section->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &place, (struct slice){0},
                        "providers: names with their settings are wanted");
        return 0;
    }
    for (const struct yaml_node *child = section->first; child != NULL; child = child->next)
        count++;
    if (count > PROVIDERS_MAX)
        loader_complain(loader, &place, (struct slice){0}, "more than %d providers", PROVIDERS_MAX);
    return count < PROVIDERS_MAX ? count : PROVIDERS_MAX;
}

void providers_load(struct loader *loader, const struct yaml_node *section)
{
    size_t left = count_section(loader, section);
    struct config_provider *providers =
        loader_alloc(loader, (left + BUILT_IN_COUNT) * sizeof(struct config_provider));
    size_t count = 0;
    if (providers == NULL)
        return;
    for (const struct yaml_node *child = left > 0 ? section->first : NULL; left > 0;
         child = child->next, left--)
        load_provider(loader, &providers[count++], child);
    for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
        if (names_provider(section, built_ins[i].name))
            continue;
        struct config_provider *provider = &providers[count++];
        begin_provider(loader, provider, slice_from_text(built_ins[i].name));
        apply_built_in(loader, provider, "base_url", built_ins[i].base_url);
        apply_built_in(loader, provider, "api_key", built_ins[i].api_key);
        check_provider(loader, provider, &built_in_place);
    }
    loader->config->providers = providers;
    loader->config->provider_count = count;
}
