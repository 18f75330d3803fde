#include "config/load.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "config/loader.h"

#define ARENA_BYTES_MAX ((size_t)32 << 20)

/* --- Complaints ------------------------------------------------------------------------------------------- */

static struct place place_at(const struct loader *loader, uint32_t line, uint32_t column)
{
    return (struct place){.origin = {CONFIG_ORIGIN_FILE, line, column}, .name = loader->file};
}

struct place place_of_node(const struct loader *loader, const struct yaml_node *node)
{
    return place_at(loader, node->line, node->column);
}

struct place place_of_key(const struct loader *loader, const struct yaml_node *node)
{
    return node->key_line > 0 ? place_at(loader, node->key_line, node->key_column)
                              : place_of_node(loader, node);
}

static void add_mistake(struct loader *loader, const struct place *place,
                        enum config_severity severity, struct slice suggestion, const char *message)
{
    const bool is_file = place->origin.kind == CONFIG_ORIGIN_FILE;
    const struct config_mistake mistake = {
        .file = place->name,
        .line = is_file ? place->origin.line : 0,
        .column = is_file ? place->origin.column : 0,
        .severity = severity,
        .message = slice_from_text(message),
        .suggestion = suggestion,
    };
    config_report_add(loader->report, &mistake);
}

void loader_complain(struct loader *loader, const struct place *place, struct slice suggestion,
                     const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    add_mistake(loader, place, CONFIG_SEVERITY_ERROR, suggestion, message);
}

void loader_warn(struct loader *loader, const struct place *place, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    add_mistake(loader, place, CONFIG_SEVERITY_WARNING, (struct slice){0}, message);
}

void loader_complain_unknown(struct loader *loader, const struct place *place,
                             const struct settings *settings, struct slice group, struct slice name)
{
    char suggestion[80] = "";
    struct slice nearest = settings_nearest(settings, group, name);
    if (nearest.size == 0 && group.size == 0 && settings == &settings_of_config) {
        static const struct slice sections[] = {{"providers", 9}, {"models", 6}};
        nearest = nearest_word(sections, 2, name);
    }
    if (nearest.size > 0)
        snprintf(suggestion, sizeof(suggestion), "did you mean '%.*s'?", SLICE_ARGS(nearest));
    loader_complain(loader, place, slice_from_text(suggestion), "'%.*s%s%.*s' is not known",
                    SLICE_ARGS(group), group.size > 0 ? "." : "", SLICE_ARGS(name));
}

void loader_complain_later(struct loader *loader, const struct place *place, struct slice name)
{
    loader_complain(loader, place, (struct slice){0}, "'%.*s' is not in this version",
                    SLICE_ARGS(name));
}

/* --- Memory and environment --------------------------------------------------------------------------------- */

struct slice loader_keep(struct loader *loader, struct slice text)
{
    const struct slice copy = arena_copy(loader->arena, text);
    if (copy.data != NULL)
        return copy;
    loader->is_out_of_memory = true;
    return SLICE("");
}

void *loader_alloc(struct loader *loader, size_t size)
{
    void *memory = arena_zeroed(loader->arena, size);
    if (memory == NULL)
        loader->is_out_of_memory = true;
    return memory;
}

struct slice loader_variable(const struct loader *loader, struct slice name)
{
    char *const *environment = loader->source->environment;
    for (; environment != NULL && *environment != NULL; environment++) {
        const struct slice entry = slice_from_text(*environment);
        if (entry.size > name.size && entry.data[name.size] == '=' &&
            slice_starts_with(entry, name))
            return slice_from(entry, name.size + 1);
    }
    return (struct slice){0};
}

/* --- Settings ------------------------------------------------------------------------------------------------ */

void settings_preset(struct loader *loader, const struct settings *settings, void *base)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->items[i];
        const struct raw_value value = {
            .text = slice_from_text(setting->preset != NULL ? setting->preset : ""),
            .place = {.name = SLICE("default")}};
        if (setting->preset != NULL) {
            const bool is_sound = value_apply(loader, setting, base, &value);
            ASSERT(is_sound || loader->is_out_of_memory);
        }
    }
}

struct walk {
    struct loader *loader;
    const struct settings *settings;
    void *base;
    struct config_origin *origins;
    bool (*is_special)(struct slice path);
};

static void apply_members(const struct walk *walk, const struct yaml_node *mapping,
                          struct slice group);

static void check_repeat(const struct walk *walk, const struct yaml_node *mapping,
                         const struct yaml_node *member)
{
    for (const struct yaml_node *other = mapping->first; other != member; other = other->next) {
        const struct place place = place_of_key(walk->loader, member);
        if (slice_equal(other->key, member->key))
            loader_complain(walk->loader, &place, (struct slice){0},
                            "'%.*s' stands here twice (first in line %u)", SLICE_ARGS(member->key),
                            other->key_line);
    }
}

static void apply_member(const struct walk *walk, const struct yaml_node *member,
                         struct slice group)
{
    struct loader *loader = walk->loader;
    const struct place place = place_of_key(loader, member);
    const struct slice path = group.size > 0
                                  ? arena_printf(&loader->scratch, "%.*s.%.*s", SLICE_ARGS(group),
                                                 SLICE_ARGS(member->key))
                                  : member->key;
    const struct setting *setting = settings_find(walk->settings, path);
    if (walk->is_special != NULL && walk->is_special(path))
        return;
    if (setting == NULL && member->kind == YAML_KIND_MAPPING &&
        settings_is_group(walk->settings, path)) {
        apply_members(walk, member, path);
    } else if (setting == NULL) {
        loader_complain_unknown(loader, &place, walk->settings, group, member->key);
    } else if (setting->type == SETTING_TYPE_LATER) {
        loader_complain_later(loader, &place, path);
    } else {
        const struct raw_value value = {.node = member, .place = place_of_node(loader, member)};
        if (value_apply(loader, setting, walk->base, &value))
            walk->origins[setting - walk->settings->items] = place.origin;
    }
}

static void apply_members(const struct walk *walk, const struct yaml_node *mapping,
                          struct slice group)
{
    for (const struct yaml_node *child = mapping->first; child != NULL; child = child->next) {
        check_repeat(walk, mapping, child);
        apply_member(walk, child, group);
    }
}

void settings_apply_mapping(struct loader *loader, const struct settings *settings, void *base,
                            struct config_origin *origins, const struct yaml_node *mapping,
                            bool (*is_special)(struct slice path))
{
    const struct walk walk = {loader, settings, base, origins, is_special};
    apply_members(&walk, mapping, (struct slice){0});
}

/* --- Environment and command line ------------------------------------------------------------------------------ */

/* "admin.listen" is WEIR_ADMIN_LISTEN. */
static struct slice variable_name(const char *path, char text[64])
{
    int size = snprintf(text, 64, "WEIR_%s", path);
    for (int i = 5; i < size; i++) {
        if (text[i] == '.')
            text[i] = '_';
        else if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 'a' + 'A');
    }
    return slice_of(text, (size_t)size);
}

static void apply_text(struct loader *loader, const struct setting *setting, struct slice text,
                       enum config_origin_kind kind, struct slice name,
                       struct config_origin *origins)
{
    const struct raw_value value = {.text = text, .place = {.origin = {kind, 0, 0}, .name = name}};
    if (value_apply(loader, setting, loader->config, &value))
        origins[setting - settings_of_config.items] = value.place.origin;
}

static void apply_environment(struct loader *loader, struct config_origin *origins)
{
    for (size_t i = 0; i < settings_of_config.count; i++) {
        const struct setting *setting = &settings_of_config.items[i];
        char text[64];
        const struct slice name = variable_name(setting->path, text);
        const struct slice value = loader_variable(loader, name);
        if (value.data != NULL && setting->type != SETTING_TYPE_LATER)
            apply_text(loader, setting, value, CONFIG_ORIGIN_ENVIRONMENT, name, origins);
    }
}

static void apply_option(struct loader *loader, const char *path, const char *option,
                         const char *text, struct config_origin *origins)
{
    if (text == NULL)
        return;
    const struct setting *setting = settings_find(&settings_of_config, slice_from_text(path));
    ASSERT(setting != NULL);
    apply_text(loader, setting, slice_from_text(text), CONFIG_ORIGIN_COMMAND_LINE,
               slice_from_text(option), origins);
}

/* --- The file -------------------------------------------------------------------------------------------------- */

static enum status read_one(struct loader *loader, const char *path, struct buffer *content,
                            struct reason *reason)
{
    config_read *read = loader->source->read != NULL ? loader->source->read : config_read_file;
    const enum status status = read(loader->source->read_context, path, content, reason);
    if (status != STATUS_OK)
        return status;
    loader->file = loader_keep(loader, slice_from_text(path));
    size_t end = loader->file.size;
    while (end > 0 && loader->file.data[end - 1] != '/')
        end--;
    loader->directory = slice_of(loader->file.data, end);
    return STATUS_OK;
}

/* A file that was named must be there; of the usual places the first that is there is taken. */
static bool find_file(struct loader *loader, struct buffer *content)
{
    static const char *const usual[] = {"./weir.yaml", "/etc/weir/weir.yaml"};
    const struct slice variable = loader_variable(loader, SLICE("WEIR_CONFIG"));
    const char *named = loader->source->path;
    struct reason reason = {"it is not there"};
    enum status status = STATUS_NOT_FOUND;
    if (named == NULL && variable.size > 0)
        named = variable.data; /* environment entries end in a zero byte */
    if (named != NULL)
        status = read_one(loader, named, content, &reason);
    for (size_t i = 0; named == NULL && i < 2 && status == STATUS_NOT_FOUND; i++) {
        status = read_one(loader, usual[i], content, &reason);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            named = usual[i];
    }
    if (status == STATUS_OK || named == NULL)
        return status == STATUS_OK;
    const struct place place = {.name = slice_from_text(named)};
    loader_complain(loader, &place, (struct slice){0}, "cannot read the configuration: %s",
                    reason.text);
    return false;
}

static struct yaml_node *parse_file(struct loader *loader)
{
    struct buffer content;
    struct yaml_node *root = NULL;
    struct yaml_error error;
    buffer_init(&content, CONFIG_FILE_BYTES_MAX);
    if (find_file(loader, &content)) {
        const enum status status =
            yaml_read(buffer_slice(&content), &loader->scratch, &root, &error);
        const struct place place = place_at(loader, error.line, error.column);
        if (status == STATUS_INVALID)
            loader_complain(loader, &place, (struct slice){0}, "%s", error.reason.text);
        else if (status != STATUS_OK)
            loader->is_out_of_memory = true;
        if (status != STATUS_OK)
            root = NULL;
    }
    buffer_fini(&content);
    if (root == NULL || root->kind == YAML_KIND_MAPPING ||
        (root->kind == YAML_KIND_SCALAR && root->text.size == 0))
        return root != NULL && root->kind == YAML_KIND_MAPPING ? root : NULL;
    const struct place place = place_of_node(loader, root);
    loader_complain(loader, &place, (struct slice){0}, "settings with their names are wanted");
    return NULL;
}

static bool is_section(struct slice path)
{
    return slice_equal(path, SLICE("providers")) || slice_equal(path, SLICE("models"));
}

static const struct yaml_node *section_of(const struct yaml_node *root, const char *name)
{
    for (const struct yaml_node *child = root != NULL ? root->first : NULL; child != NULL;
         child = child->next) {
        if (slice_equal(child->key, slice_from_text(name)))
            return child;
    }
    return NULL;
}

/* --- What must hold between settings ------------------------------------------------------------------------------ */

static struct place place_of_setting(const struct loader *loader, const char *path)
{
    const struct setting *setting = settings_find(&settings_of_config, slice_from_text(path));
    const struct config_origin origin = loader->config->origins[setting - settings_of_config.items];
    return (struct place){.origin = origin,
                          .name = origin.kind == CONFIG_ORIGIN_FILE ? loader->file
                                                                    : slice_from_text(path)};
}

static void check_loopback(struct loader *loader)
{
    const struct config_listeners *listeners = &loader->config->admin.listen;
    const struct place place = place_of_setting(loader, "admin.listen");
    for (size_t i = 0; i < listeners->count; i++) {
        if (!config_ip_is_loopback(&listeners->items[i].address.ip))
            loader_complain(
                loader, &place, SLICE("use 127.0.0.1, or metrics.listen for /metrics"),
                "admin.listen: an address that others can reach is not in this version");
    }
}

/* Whether one of the first listeners has the address of one of the second, other than itself. */
static bool overlaps(const struct config_listeners *first, const struct config_listeners *second)
{
    for (size_t i = 0; i < first->count; i++) {
        const struct config_address *one = &first->items[i].address;
        for (size_t j = first == second ? i + 1 : 0; j < second->count; j++) {
            if (one->port != 0 && config_address_equal(one, &second->items[j].address))
                return true;
        }
    }
    return false;
}

static void check_overlap(struct loader *loader)
{
    const struct config *config = loader->config;
    const struct config_listeners *lists[] = {&config->listen, &config->admin.listen,
                                              &config->metrics_listen};
    static const char *const paths[] = {"listen", "admin.listen", "metrics.listen"};
    for (size_t a = 0; a < 3; a++) {
        for (size_t b = a; b < 3; b++) {
            const struct place place = place_of_setting(loader, paths[b]);
            if (overlaps(lists[a], lists[b]))
                loader_complain(loader, &place, (struct slice){0},
                                "%s: another listener has the same address", paths[b]);
        }
    }
}

static void check_cors(struct loader *loader)
{
    const struct config_cors *cors = &loader->config->cors;
    const struct place place = place_of_setting(loader, "cors.origins");
    for (size_t i = 0; i < cors->origins.count; i++) {
        const struct slice origin = cors->origins.items[i];
        if (!slice_equal(origin, SLICE("*")) && slice_find(origin, SLICE("://")) == origin.size)
            loader_complain(loader, &place, SLICE("write https://app.example"),
                            "cors.origins: '%.*s' is no origin", SLICE_ARGS(origin));
    }
}

static void check_all(struct loader *loader)
{
    if (loader->config->listen.count == 0) {
        const struct place place = place_of_setting(loader, "listen");
        loader_complain(loader, &place, SLICE("127.0.0.1:8000"), "listen: an address is wanted");
    }
    check_loopback(loader);
    check_overlap(loader);
    check_cors(loader);
}

/* ----------------------------------------------------------------------------------------------------------------- */

static void load_all(struct loader *loader)
{
    struct config_origin *origins =
        loader_alloc(loader, settings_of_config.count * sizeof(struct config_origin));
    if (origins == NULL)
        return;
    loader->config->origins = origins;
    settings_preset(loader, &settings_of_config, loader->config);
    const struct yaml_node *root = parse_file(loader);
    loader->config->file = loader->file;
    if (root != NULL)
        settings_apply_mapping(loader, &settings_of_config, loader->config, origins, root,
                               is_section);
    apply_environment(loader, origins);
    apply_option(loader, "listen", "--listen", loader->source->listen, origins);
    apply_option(loader, "workers", "--workers", loader->source->workers, origins);
    apply_option(loader, "data_dir", "--data-dir", loader->source->data_dir, origins);
    providers_load(loader, section_of(root, "providers"));
    if (loader->config->providers != NULL)
        rules_load(loader, section_of(root, "models"));
    check_all(loader);
}

enum status config_load(const struct config_source *source, struct config_report *report,
                        const struct config **config_out)
{
    struct config *config = alloc_zeroed(1, sizeof(*config));
    if (config == NULL)
        return STATUS_NO_MEMORY;
    arena_init(&config->arena, NULL, 0, ARENA_BYTES_MAX);
    atomic_store(&config->references, 1);
    struct loader loader = {
        .source = source, .report = report, .config = config, .arena = &config->arena};
    arena_init(&loader.scratch, NULL, 0, ARENA_BYTES_MAX);
    load_all(&loader);
    arena_fini(&loader.scratch);

    const struct config *loaded = config;
    if (!loader.is_out_of_memory && report->error_count == 0) {
        *config_out = loaded;
        return STATUS_OK;
    }
    config_unref(&loaded);
    return loader.is_out_of_memory ? STATUS_NO_MEMORY : STATUS_INVALID;
}
