#include "config/load.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "config/loader.h"
#include "config/memory.h"

void settings_preset(struct loader *loader, const struct settings *settings, void *base)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->items[i];
        if (setting->preset == NULL)
            continue;
        const struct raw_value value = {.text = slice_from_text(setting->preset),
                                        .place = {.name = SLICE("default")}};
        const bool is_sound = value_apply(loader, setting, base, &value);
        ASSERT(is_sound || loader->is_out_of_memory);
    }
}

struct walk {
    struct loader *loader;
    const struct settings *settings;
    void *base;
    struct config_origin *origins;
};

static void apply_members(const struct walk *walk, const struct yaml_node *mapping,
                          struct slice group);

static void apply_group(const struct walk *walk, const struct yaml_node *member, struct slice path)
{
    const struct place place = place_of_key(walk->loader, member);
    if (member->kind == YAML_KIND_MAPPING)
        apply_members(walk, member, path);
    else if (!yaml_is_null(member)) /* a section whose lines are all commented out is none */
        loader_complain(walk->loader, &place, (struct slice){0},
                        "%.*s: settings with their names are wanted", SLICE_ARGS(path));
}

static void apply_setting(const struct walk *walk, const struct setting *setting,
                          const struct yaml_node *member)
{
    struct loader *loader = walk->loader;
    const struct raw_value value = {.node = member, .place = place_of_node(loader, member)};
    if (value_apply(loader, setting, walk->base, &value))
        walk->origins[setting - walk->settings->items] = place_of_key(loader, member).origin;
}

static void apply_member(const struct walk *walk, const struct yaml_node *member,
                         struct slice group)
{
    struct loader *loader = walk->loader;
    const struct place place = place_of_key(loader, member);
    struct slice path = member->key;
    if (group.size > 0)
        path =
            arena_printf(&loader->scratch, "%.*s.%.*s", SLICE_ARGS(group), SLICE_ARGS(member->key));
    if (path.data == NULL) {
        loader->is_out_of_memory = true;
        return;
    }
    const struct setting *setting = settings_find(walk->settings, path);
    if (settings_is_section(walk->settings, path))
        return;
    if (setting != NULL && setting->type == SETTING_TYPE_LATER)
        loader_complain_later(loader, &place, path);
    else if (setting != NULL)
        apply_setting(walk, setting, member);
    else if (settings_is_group(walk->settings, path))
        apply_group(walk, member, path);
    else
        loader_complain_unknown(loader, &place, walk->settings, group, member->key);
}

/* As deep as the table's paths are: below a path that is no group nothing is looked at. */
static void apply_members(const struct walk *walk, const struct yaml_node *mapping,
                          struct slice group)
{
    for (const struct yaml_node *child = mapping->first; child != NULL; child = child->next)
        apply_member(walk, child, group);
}

void settings_apply_mapping(struct loader *loader, const struct settings *settings, void *base,
                            struct config_origin *origins, const struct yaml_node *mapping)
{
    const struct walk walk = {loader, settings, base, origins};
    apply_members(&walk, mapping, (struct slice){0});
}

static void apply_text(struct loader *loader, const struct setting *setting, struct slice text,
                       enum config_origin_kind kind, struct config_origin *origins)
{
    const struct config_origin origin = {kind, 0, 0};
    const struct raw_value value = {.text = text,
                                    .place = place_of_origin(loader, setting, origin)};
    if (value_apply(loader, setting, loader->config, &value))
        origins[setting - settings_of_config.items] = origin;
}

/* An empty variable is as good as none: that is what compose files and unit files pass on for
 * what nobody set. */
static void apply_environment(struct loader *loader, struct config_origin *origins)
{
    for (size_t i = 0; i < settings_of_config.count; i++) {
        const struct setting *setting = &settings_of_config.items[i];
        char name[SETTINGS_NAME_BYTES];
        const struct slice value = loader_variable(loader, settings_variable(setting, name));
        if (value.size > 0 && setting->type != SETTING_TYPE_LATER)
            apply_text(loader, setting, value, CONFIG_ORIGIN_ENVIRONMENT, origins);
    }
}

static void apply_options(struct loader *loader, struct config_origin *origins)
{
    const struct {
        const char *path, *text;
    } options[] = {{"listen", loader->source->listen},
                   {"workers", loader->source->workers},
                   {"data_dir", loader->source->data_dir}};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const struct setting *setting =
            settings_find(&settings_of_config, slice_from_text(options[i].path));
        ASSERT(setting != NULL);
        if (options[i].text != NULL)
            apply_text(loader, setting, slice_from_text(options[i].text),
                       CONFIG_ORIGIN_COMMAND_LINE, origins);
    }
}

static void take_file(struct loader *loader, const char *path)
{
    loader->file = loader_keep(loader, slice_from_text(path));
    size_t end = loader->file.size;
    while (end > 0 && loader->file.data[end - 1] != '/')
        end--;
    loader->directory = slice_of(loader->file.data, end);
}

static const char *named_file(const struct loader *loader)
{
    const struct slice variable = loader_variable(loader, SLICE("WEIR_CONFIG"));
    if (loader->source->path != NULL)
        return loader->source->path;
    return variable.size > 0 ? variable.data : NULL; /* entries end in a zero byte */
}

/* A file that was named must be there; of the usual places the first that is there is taken, and
 * must be readable. */
static bool find_file(struct loader *loader, struct buffer *content)
{
    static const char *const usual[] = {"./weir.yaml", "/etc/weir/weir.yaml"};
    const char *path = named_file(loader);
    const bool is_named = path != NULL;
    struct reason reason;
    enum status status = STATUS_NOT_FOUND;
    if (is_named)
        status = loader_read(loader, path, content, &reason);
    for (size_t i = 0; !is_named && i < 2 && status == STATUS_NOT_FOUND; i++) {
        path = usual[i];
        status = loader_read(loader, path, content, &reason);
    }
    if (status == STATUS_OK) {
        take_file(loader, path);
        return true;
    }
    const struct place place = {.name = slice_from_text(path)};
    if (is_named || status != STATUS_NOT_FOUND)
        loader_complain(loader, &place, (struct slice){0}, "cannot read the configuration: %s",
                        reason.text);
    return false;
}

/* "{ api_key: ${KEY} }" is no YAML, and what the parser says of it helps nobody. */
static struct slice suggest_quotes(struct slice content, uint32_t line)
{
    for (; line > 1 && content.size > 0; line--) {
        const size_t end = slice_find_byte(content, '\n');
        content = slice_from(content, end < content.size ? end + 1 : end);
    }
    const struct slice text = slice_of(content.data, slice_find_byte(content, '\n'));
    return slice_find(text, SLICE("${")) < text.size ? SLICE("put ${...} between quotes")
                                                     : (struct slice){0};
}

static const struct yaml_node *parse(struct loader *loader, struct slice content)
{
    struct yaml_node *root = NULL;
    struct yaml_error error;
    const enum status status = yaml_read(content, &loader->scratch, &root, &error);
    const struct place place = place_at(loader, error.line, error.column);
    if (status == STATUS_INVALID)
        loader_complain(loader, &place, suggest_quotes(content, error.line), "%s",
                        error.reason.text);
    else if (status != STATUS_OK)
        loader->is_out_of_memory = true;
    if (status != STATUS_OK || root == NULL || yaml_is_null(root))
        return NULL;
    if (root->kind == YAML_KIND_MAPPING)
        return root;
    const struct place start = place_of_node(loader, root);
    loader_complain(loader, &start, SLICE("listen: 127.0.0.1:8000"),
                    "settings with their names are wanted");
    return NULL;
}

static const struct yaml_node *read_file(struct loader *loader)
{
    struct buffer content;
    const struct yaml_node *root = NULL;
    buffer_init(&content, CONFIG_FILE_BYTES_MAX);
    if (find_file(loader, &content))
        root = parse(loader, buffer_slice(&content));
    buffer_fini(&content);
    loader->config->file = loader->file;
    return root;
}

static void load_all(struct loader *loader)
{
    struct config_origin *origins =
        loader_alloc(loader, settings_of_config.count * sizeof(struct config_origin));
    if (origins == NULL)
        return;
    loader->config->origins = origins;
    const struct yaml_node *root = read_file(loader);
    settings_preset(loader, &settings_of_config, loader->config);
    if (root != NULL) {
        check_repeats(loader, root);
        settings_apply_mapping(loader, &settings_of_config, loader->config, origins, root);
    }
    apply_environment(loader, origins);
    apply_options(loader, origins);
    providers_load(loader, yaml_member(root, SLICE("providers")));
    if (loader->config->providers != NULL) {
        rules_load(loader, yaml_member(root, SLICE("models")));
        prices_load(loader, yaml_member(root, SLICE("prices")));
    }
    check_settings(loader);
    loader_keep_notices(loader);
}

/* Takes over the reference of the memory, which may be NULL for want of it. */
static enum status load(const struct config_source *source, struct config_memory *memory,
                        bool is_again, struct config_report *report,
                        const struct config **config_out)
{
    struct loader loader;
    struct config *config = alloc_zeroed(1, sizeof(*config));
    if (config == NULL || memory == NULL) {
        config_memory_unref(&memory);
        alloc_free(config);
        return STATUS_NO_MEMORY;
    }
    atomic_init(&config->references, 1);
    config->memory = memory;
    loader_init(&loader, source, report, config);
    loader.keeps_files = !is_again;
    load_all(&loader);
    loader_fini(&loader);
    config_report_sort(report);

    const struct config *loaded = config;
    if (!loader.is_out_of_memory && report->error_count == 0) {
        *config_out = loaded;
        return STATUS_OK;
    }
    config_unref(&loaded);
    return loader.is_out_of_memory ? STATUS_NO_MEMORY : STATUS_INVALID;
}

enum status config_load(const struct config_source *source, struct config_report *report,
                        const struct config **config_out)
{
    return load(source, config_memory_create(source), false, report, config_out);
}

enum status config_load_again(const struct config *config, const struct config_overlay *overlay,
                              struct config_report *report, const struct config **config_out)
{
    struct config_source source = config_memory_source(config->memory);
    source.overlay = overlay;
    return load(&source, config_memory_ref(config->memory), true, report, config_out);
}
