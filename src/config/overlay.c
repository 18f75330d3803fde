#include "config/overlay.h"

#include "config/loader.h"

#define NAME_BYTES_SHOWN 80

const struct config_entry *config_entry_find(const struct config_entries *entries,
                                             struct slice name)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (slice_equal(entries->items[i].name, name))
            return &entries->items[i];
    }
    return NULL;
}

static struct slice shown(struct slice name)
{
    return slice_of(name.data, name.size < NAME_BYTES_SHOWN ? name.size : NAME_BYTES_SHOWN);
}

void overlay_begin(struct loader *loader, const struct config_entry *entry, const char *section,
                   struct overlay_reading *reading)
{
    *reading = (struct overlay_reading){.entry = entry, .outer = loader->report};
    loader->entry_name =
        arena_printf(&loader->scratch, "%s '%.*s'", section, SLICE_ARGS(shown(entry->name)));
    if (loader->entry_name.data == NULL)
        loader->is_out_of_memory = true;
    loader->is_in_store = true;
    if (!entry->is_new) {
        config_report_init(&reading->own);
        loader->report = &reading->own;
    }
    reading->errors_before = loader->report->error_count;
}

const struct yaml_node *overlay_parse(struct loader *loader, const struct config_entry *entry)
{
    const struct place place = place_at(loader, 1, 1);
    struct yaml_node *root = NULL;
    struct yaml_error error;
    const enum status status = yaml_read(entry->text, &loader->scratch, &root, &error);
    if (status == STATUS_NO_MEMORY)
        loader->is_out_of_memory = true;
    else if (status != STATUS_OK)
        loader_complain(loader, &place, (struct slice){0}, "%s", error.reason.text);
    else if (root == NULL || root->kind != YAML_KIND_MAPPING)
        loader_complain(loader, &place, (struct slice){0}, "an object is wanted");
    if (status != STATUS_OK || root == NULL || root->kind != YAML_KIND_MAPPING)
        return NULL;
    check_repeats(loader, root);
    root->key = entry->name;
    return root;
}

/* What is said of an entry that is left out, or hardly as meant. */
static void tell(struct loader *loader, const struct overlay_reading *reading, bool is_sound)
{
    for (size_t i = 0; i < reading->own.count; i++) {
        const struct config_mistake *mistake = &reading->own.mistakes[i];
        if (!is_sound && mistake->severity != CONFIG_SEVERITY_ERROR)
            continue;
        loader_notice(loader, "%.*s of the API %s: %.*s", SLICE_ARGS(loader->entry_name),
                      is_sound ? "works hardly as meant" : "is left out",
                      SLICE_ARGS(mistake->message));
        return;
    }
}

bool overlay_end(struct loader *loader, struct overlay_reading *reading)
{
    const bool is_sound =
        loader->report->error_count == reading->errors_before && !loader->is_out_of_memory;
    loader->report = reading->outer;
    loader->is_in_store = false;
    if (reading->entry->is_new)
        return is_sound;
    tell(loader, reading, is_sound);
    config_report_fini(&reading->own);
    return is_sound;
}

bool loader_refuse_of_store(struct loader *loader, const struct place *place, const char *name,
                            const char *why)
{
    if (place->origin.kind != CONFIG_ORIGIN_STORE)
        return false;
    loader_complain(loader, place, (struct slice){0}, "%s: %s", name, why);
    return true;
}
