#include "config/loader.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/nearest.h"
#include "config/memory.h"

#define ARENA_BYTES_MAX   ((size_t)32 << 20)
#define MESSAGE_BYTES_MAX 512

void loader_init(struct loader *loader, const struct config_source *source,
                 struct config_report *report, struct config *config)
{
    arena_init(&config->arena, NULL, 0, ARENA_BYTES_MAX);
    *loader = (struct loader){
        .source = source, .report = report, .config = config, .arena = &config->arena};
    arena_init(&loader->scratch, NULL, 0, ARENA_BYTES_MAX);
    loader->notices_end = &loader->notices;
}

void loader_fini(struct loader *loader)
{
    arena_fini(&loader->scratch);
}

struct place place_at(const struct loader *loader, uint32_t line, uint32_t column)
{
    if (loader->is_in_store)
        return (struct place){.origin = {CONFIG_ORIGIN_STORE, 0, 0}, .name = loader->entry_name};
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

struct place place_of_origin(struct loader *loader, const struct setting *setting,
                             struct config_origin origin)
{
    char text[SETTINGS_NAME_BYTES];
    struct slice name = loader->file;
    if (origin.kind == CONFIG_ORIGIN_ENVIRONMENT)
        name = arena_copy(&loader->scratch, settings_variable(setting, text));
    else if (origin.kind == CONFIG_ORIGIN_COMMAND_LINE)
        name = arena_copy(&loader->scratch, settings_option(setting, text));
    else if (origin.kind == CONFIG_ORIGIN_DEFAULT)
        name = SLICE("default");
    else if (origin.kind == CONFIG_ORIGIN_STORE)
        name = loader->entry_name;
    return (struct place){.origin = origin, .name = name};
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
    char message[MESSAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    add_mistake(loader, place, CONFIG_SEVERITY_ERROR, suggestion, message);
}

void loader_warn(struct loader *loader, const struct place *place, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    add_mistake(loader, place, CONFIG_SEVERITY_WARNING, (struct slice){0}, message);
}

void loader_notice(struct loader *loader, const char *format, ...)
{
    char text[MESSAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct notice *notice = arena_zeroed(&loader->scratch, sizeof(*notice));
    if (notice == NULL) {
        loader->is_out_of_memory = true;
        return;
    }
    notice->text = loader_keep(loader, slice_from_text(text));
    *loader->notices_end = notice;
    loader->notices_end = &notice->next;
}

void loader_keep_notices(struct loader *loader)
{
    size_t count = 0;
    for (const struct notice *notice = loader->notices; notice != NULL; notice = notice->next)
        count++;
    if (count == 0)
        return;
    struct slice *items = loader_alloc(loader, count * sizeof(struct slice));
    if (items == NULL)
        return;
    loader->config->notices = (struct config_texts){items, count};
    for (const struct notice *notice = loader->notices; notice != NULL; notice = notice->next)
        *items++ = notice->text;
}

struct slice loader_did_you_mean(struct loader *loader, struct slice nearest)
{
    if (nearest.size == 0)
        return nearest;
    return arena_printf(&loader->scratch, "did you mean '%.*s'?", SLICE_ARGS(nearest));
}

bool loader_may_suggest(const struct loader *loader)
{
    return loader->report->count < CONFIG_MISTAKES_MAX;
}

bool loader_is_later_everywhere(struct slice name)
{
    return slice_equal(name, SLICE("cache"));
}

/* The nearest name beside it; else, where the name is right but stands at the wrong level, its
 * whole path. */
static struct slice nearest_setting(const struct settings *settings, struct slice group,
                                    struct slice name)
{
    const struct slice nearest = settings_nearest(settings, group, name);
    return nearest.size > 0 ? nearest : settings_elsewhere(settings, name);
}

void loader_complain_unknown(struct loader *loader, const struct place *place,
                             const struct settings *settings, struct slice group, struct slice name)
{
    struct slice suggestion = {0};
    if (loader_is_later_everywhere(name)) {
        loader_complain_later(loader, place, name);
        return;
    }
    if (slice_equal(name, SLICE("budgets")) && settings_find(settings, SLICE("limits")) != NULL)
        suggestion = SLICE("limits: [10usd/month]");
    else if (loader_may_suggest(loader))
        suggestion = loader_did_you_mean(loader, nearest_setting(settings, group, name));
    loader_complain(loader, place, suggestion, "'%.*s%s%.*s' is not known", SLICE_ARGS(group),
                    group.size > 0 ? "." : "", SLICE_ARGS(name));
}

void loader_complain_later(struct loader *loader, const struct place *place, struct slice name)
{
    loader_complain(loader, place, (struct slice){0}, "'%.*s' is not in this version",
                    SLICE_ARGS(name));
}

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

struct slice loader_path(struct loader *loader, struct slice path)
{
    if (loader->directory.size == 0 || (path.size > 0 && path.data[0] == '/'))
        return loader_keep(loader, path);
    while (slice_starts_with(path, SLICE("./")) && path.size > 2)
        path = slice_from(path, 2);
    const struct slice full =
        arena_printf(loader->arena, "%.*s%.*s", SLICE_ARGS(loader->directory), SLICE_ARGS(path));
    if (full.data != NULL)
        return full;
    loader->is_out_of_memory = true;
    return SLICE("");
}

enum status loader_read(struct loader *loader, const char *path, struct buffer *content,
                        struct reason *reason)
{
    config_read *read = loader->source->read != NULL ? loader->source->read : config_read_file;
    reason_set(reason, "%s: there is no such file", path);
    const size_t before = content->size;
    const enum status status = read(loader->source->read_context, path, content, reason);
    const struct slice got = slice_from(buffer_slice(content), before);
    if (status == STATUS_NO_MEMORY ||
        (loader->keeps_files &&
         config_memory_keep(loader->config->memory, path, status,
                            status == STATUS_OK ? got : (struct slice){0}) != STATUS_OK))
        loader->is_out_of_memory = true;
    return status;
}
