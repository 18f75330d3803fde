#include "base/assert.h"
#include "base/nearest.h"
#include "config/guard.h"
#include "config/loader.h"
#include "models/catalogue_provider.h"

#define PROVIDERS_MAX 256

/* As if they stood at the end of every file that does not name them. */
static const struct built_in {
    const char *name, *base_url, *api_key;
    bool is_free;
} built_ins[] = {
    {"openai", "https://api.openai.com/v1", "${OPENAI_API_KEY:-}", false},
    {"local", "http://localhost:1234/v1", "lm-studio", true},
};

#define BUILT_IN_COUNT (sizeof(built_ins) / sizeof(built_ins[0]))

/* One that is being read. */
struct draft {
    struct loader *loader;
    struct config_provider *provider;
    struct config_origin *origins; /* NULL: out of memory */
    struct place place;
};

static const struct setting *setting_of(const char *path)
{
    const struct setting *setting = settings_find(&settings_of_provider, slice_from_text(path));
    ASSERT(setting != NULL);
    return setting;
}

static struct config_origin *origin_of(const struct draft *draft, const char *path)
{
    return &draft->origins[setting_of(path) - settings_of_provider.items];
}

static struct slice first_variable(const struct loader *loader, const char *upper,
                                   const char *lower)
{
    const struct slice value = loader_variable(loader, slice_from_text(upper));
    return value.size > 0 ? value : loader_variable(loader, slice_from_text(lower));
}

/* https calls go through HTTPS_PROXY, unless NO_PROXY names the host (as in curl) or the file says
 * something else, be it "". */
static void apply_proxy_of_environment(const struct draft *draft)
{
    struct loader *loader = draft->loader;
    struct config_provider *provider = draft->provider;
    const struct slice proxy = first_variable(loader, "HTTPS_PROXY", "https_proxy");
    const struct slice no_proxy = first_variable(loader, "NO_PROXY", "no_proxy");
    /* The guard looks at addresses that weir connects to itself, not a proxy for it. */
    if (provider->is_from_api || origin_of(draft, "proxy")->kind == CONFIG_ORIGIN_FILE ||
        proxy.size == 0 || !provider->base_url.is_tls ||
        config_no_proxy_matches(no_proxy, &provider->base_url))
        return;
    const struct raw_value value = {
        .text = proxy,
        .place = {.origin = {CONFIG_ORIGIN_ENVIRONMENT, 0, 0}, .name = SLICE("HTTPS_PROXY")}};
    if (value_apply(loader, setting_of("proxy"), provider, &value))
        *origin_of(draft, "proxy") = value.place.origin;
}

static bool begin(struct draft *draft, struct loader *loader, struct config_provider *provider,
                  struct slice name)
{
    provider->name = loader_keep(loader, name);
    settings_preset(loader, &settings_of_provider, provider);
    provider->origin = draft->place.origin;
    provider->is_from_api = provider->origin.kind == CONFIG_ORIGIN_STORE;
    draft->loader = loader;
    draft->provider = provider;
    draft->origins = loader_alloc(loader, settings_of_provider.count * sizeof(*draft->origins));
    provider->origins = draft->origins;
    return draft->origins != NULL;
}

static struct place place_of(const struct draft *draft, const char *path)
{
    const struct config_origin *origin = origin_of(draft, path);
    return origin->kind == CONFIG_ORIGIN_FILE || origin->kind == CONFIG_ORIGIN_STORE
               ? place_at(draft->loader, origin->line, origin->column)
               : draft->place;
}

static void complain_of(const struct draft *draft, const char *path, struct slice suggestion,
                        const char *message)
{
    const struct place place = place_of(draft, path);
    loader_complain(draft->loader, &place, suggestion, "%s: %s", path, message);
}

static void check_tls(const struct draft *draft)
{
    struct config_provider *provider = draft->provider;
    if (!provider->tls_verify)
        complain_of(draft, "tls.verify", SLICE("name the authority that signed with tls.ca"),
                    "certificates are always verified");
    if (provider->tls_ca.size > 0 && provider->base_url.host.size > 0 && !provider->base_url.is_tls)
        complain_of(draft, "tls.ca", SLICE("write https:// in base_url"),
                    "base_url is in the clear, so nothing is verified");
    provider->tls_verify = true;
}

/* A wrong name would leave every price of the provider unknown. */
static void check_catalogue(const struct draft *draft)
{
    const struct slice name = draft->provider->catalogue;
    const struct place place = place_of(draft, "catalogue");
    struct slice found;
    if (name.size == 0 || catalogue_provider_exists(name, &found))
        return;
    const struct slice nearest = catalogue_provider_nearest(name);
    loader_complain(draft->loader, &place,
                    nearest.size > 0 ? loader_did_you_mean(draft->loader, nearest)
                                     : SLICE("docs/prices.md lists the names"),
                    "catalogue: the catalogue of prices has no provider '%.*s'", SLICE_ARGS(name));
}

/* A name is looked at when it has been resolved, at each connection. */
static void check_guard(const struct draft *draft)
{
    const struct config_provider *provider = draft->provider;
    unsigned char address[16];
    struct slice sort;
    if (!provider->is_from_api ||
        cidr_parse_address(provider->base_url.host, address) != STATUS_OK ||
        config_guard_allows(&draft->loader->config->admin.allowed_networks, address, &sort))
        return;
    const struct place place = place_of(draft, "base_url");
    loader_complain(draft->loader, &place,
                    SLICE("admin.allowed_networks of the configuration file may allow it"),
                    "base_url: %.*s is no public address (%.*s)",
                    SLICE_ARGS(provider->base_url.host), SLICE_ARGS(sort));
}

/* The secret of the store, where nothing before it gives a credential. */
static void apply_secret(const struct draft *draft)
{
    struct loader *loader = draft->loader;
    struct config_provider *provider = draft->provider;
    struct config_origin *origin = origin_of(draft, "api_key");
    const struct config_overlay *overlay = loader->source->overlay;
    const struct config_entry *secret =
        overlay != NULL ? config_entry_find(&overlay->secrets, provider->name) : NULL;
    if (secret == NULL)
        return;
    if (provider->api_key.size > 0 && origin->kind != CONFIG_ORIGIN_DEFAULT) {
        loader_notice(loader,
                      "the secret of provider %.*s is not used: %s gives the provider an api_key",
                      SLICE_ARGS(provider->name),
                      origin->kind == CONFIG_ORIGIN_ENVIRONMENT ? "OPENAI_API_KEY" : "the file");
        return;
    }
    provider->api_key = loader_keep(loader, secret->text);
    *origin = (struct config_origin){CONFIG_ORIGIN_STORE, 0, 0};
}

static void finish(const struct draft *draft)
{
    struct config_provider *provider = draft->provider;
    apply_secret(draft);
    provider->has_credential = provider->api_key.data == NULL || provider->api_key.size > 0;
    check_tls(draft);
    check_catalogue(draft);
    check_guard(draft);
    apply_proxy_of_environment(draft);
}

static bool is_provider_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '/')
            return false;
    }
    return name.size > 0 && name.size <= CONFIG_PROVIDER_NAME_BYTES_MAX;
}

static void load_provider(struct loader *loader, struct config_provider *provider,
                          const struct yaml_node *node)
{
    struct draft draft = {.place = place_of_key(loader, node)};
    if (!begin(&draft, loader, provider, node->key))
        return;
    if (!is_provider_name(node->key))
        loader_complain(loader, &draft.place, (struct slice){0},
                        "'%.*s' is no provider's name: 1 to %d characters without spaces and '/'",
                        SLICE_ARGS(node->key), CONFIG_PROVIDER_NAME_BYTES_MAX);
    if (node->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &draft.place, SLICE("{ base_url: https://api.example.com/v1 }"),
                        "provider %.*s: settings are wanted", SLICE_ARGS(node->key));
        return;
    }
    settings_apply_mapping(loader, &settings_of_provider, provider, draft.origins, node);
    if (yaml_member(node, SLICE("base_url")) == NULL)
        loader_complain(loader, &draft.place, SLICE("base_url: https://api.example.com/v1"),
                        "provider %.*s has no base_url", SLICE_ARGS(node->key));
    finish(&draft);
}

static void apply_built_in(const struct draft *draft, const char *path, const char *text)
{
    const struct raw_value value = {.text = slice_from_text(text), .place = draft->place};
    const bool is_sound = value_apply(draft->loader, setting_of(path), draft->provider, &value);
    if (!is_sound && !draft->loader->is_out_of_memory) /* OPENAI_API_KEY alone can be unsound */
        draft->provider->api_key = (struct slice){0};
}

static void load_built_in(struct loader *loader, struct config_provider *provider,
                          const struct built_in *built_in)
{
    const bool is_openai = slice_equal(slice_from_text(built_in->name), SLICE("openai"));
    struct draft draft = {.place = {.origin = {CONFIG_ORIGIN_DEFAULT, 0, 0}}};
    if (!begin(&draft, loader, provider, slice_from_text(built_in->name)))
        return;
    draft.place.name = SLICE("default");
    provider->is_free = built_in->is_free;
    apply_built_in(&draft, "base_url", built_in->base_url);
    if (is_openai)
        draft.place.name = SLICE("OPENAI_API_KEY");
    apply_built_in(&draft, "api_key", built_in->api_key);
    if (is_openai && provider->api_key.size > 0)
        origin_of(&draft, "api_key")->kind = CONFIG_ORIGIN_ENVIRONMENT;
    finish(&draft);
}

const struct config_provider *providers_find(const struct loader *loader, struct slice name)
{
    const struct config_provider *provider = config_provider_find(loader->config, name);
    return provider != NULL && provider->is_from_api && !loader->is_in_store ? NULL : provider;
}

static struct slice nearest_name(struct loader *loader, struct slice name)
{
    const struct config *config = loader->config;
    struct slice *names = NULL;
    if (loader_may_suggest(loader))
        names = arena_alloc(&loader->scratch, config->provider_count * sizeof(*names));
    if (names == NULL)
        return (struct slice){0};
    size_t count = 0;
    for (size_t i = 0; i < config->provider_count; i++) {
        if (providers_find(loader, config->providers[i].name) != NULL)
            names[count++] = config->providers[i].name;
    }
    return nearest_word(names, count, name);
}

void providers_complain_unknown(struct loader *loader, const struct place *place, struct slice name)
{
    loader_complain(loader, place, loader_did_you_mean(loader, nearest_name(loader, name)),
                    "there is no provider '%.*s'", SLICE_ARGS(name));
}

/* How many the file has, as far as they are allowed. */
static size_t count_section(struct loader *loader, const struct yaml_node *section)
{
    if (section == NULL || yaml_is_null(section))
        return 0;
    const struct place place = place_of_key(loader, section);
    if (section->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &place,
                        SLICE("providers: { main: { base_url: https://api.example.com/v1 } }"),
                        "providers: names with their settings are wanted");
        return 0;
    }
    const size_t count = yaml_child_count(section);
    if (count <= PROVIDERS_MAX)
        return count;
    loader_complain(loader, &place, (struct slice){0}, "more than %d providers", PROVIDERS_MAX);
    return PROVIDERS_MAX;
}

/* Whether the entry is to be kept. */
static bool load_entry(struct loader *loader, const struct config_entry *entry,
                       struct config_provider *provider)
{
    struct overlay_reading reading;
    overlay_begin(loader, entry, "provider", &reading);
    const struct yaml_node *node = overlay_parse(loader, entry);
    *provider = (struct config_provider){0};
    if (node != NULL)
        load_provider(loader, provider, node);
    return overlay_end(loader, &reading);
}

/* Adds to the `count` providers of the file. Returns how many there are then. */
static size_t load_entries(struct loader *loader, const struct config_entries *entries,
                           struct config_provider *providers, size_t count)
{
    const struct config of_file = {.providers = providers, .provider_count = count};
    for (size_t i = 0; i < entries->count; i++) {
        const struct config_entry *entry = &entries->items[i];
        if (config_provider_find(&of_file, entry->name) != NULL)
            loader_notice(loader, "provider %.*s of the API is not used: the file has one, too",
                          SLICE_ARGS(entry->name));
        else if (count < PROVIDERS_MAX)
            count += load_entry(loader, entry, &providers[count]);
        else
            loader_notice(loader, "provider %.*s of the API is left out: there are %d before it",
                          SLICE_ARGS(entry->name), PROVIDERS_MAX);
    }
    return count;
}

void providers_load(struct loader *loader, const struct yaml_node *section)
{
    static const struct config_entries none;
    const struct config_overlay *overlay = loader->source->overlay;
    const struct config_entries *entries = overlay != NULL ? &overlay->providers : &none;
    size_t left = count_section(loader, section);
    struct config_provider *providers =
        loader_alloc(loader, (left + entries->count + BUILT_IN_COUNT) * sizeof(*providers));
    struct config *config = loader->config;
    size_t count = 0;
    if (providers == NULL)
        return;
    config->providers = providers;
    for (const struct yaml_node *child = left > 0 ? section->first : NULL; left > 0;
         child = child->next, left--)
        load_provider(loader, &providers[count++], child);
    config->provider_count = load_entries(loader, entries, providers, count);
    for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
        if (config_provider_find(config, slice_from_text(built_ins[i].name)) == NULL)
            load_built_in(loader, &providers[config->provider_count++], &built_ins[i]);
    }
}
