/* What the parts of loading share. Internal to config/. */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "config/load.h"
#include "config/settings.h"
#include "config/yaml.h"

/* Something to be said once at start; kept in a list until the snapshot's array is made. */
struct notice {
    struct slice text;
    struct notice *next;
};

struct loader {
    const struct config_source *source;
    struct config_report *report;
    struct config *config;
    struct arena *arena;    /* the snapshot's */
    struct arena scratch;   /* for what ends with the loading */
    struct slice file;      /* its path; empty: none */
    struct slice directory; /* of the file, with its final slash, or empty */
    struct notice *notices;
    struct notice **notices_end;
    bool is_out_of_memory;
    bool keeps_files;        /* in the snapshot's memory */
    bool is_in_store;        /* what is being read is an entry of the store */
    struct slice entry_name; /* "provider 'main'": that entry */
};

/* Where a value comes from: for messages, and for config_show(). */
struct place {
    struct config_origin origin;
    struct slice name; /* the file, the variable, the option or the entry of the store */
};

/* Memory running out anywhere below is noted in `is_out_of_memory`, and loading then comes to
 * STATUS_NO_MEMORY, whatever else was found. */
void loader_init(struct loader *loader, const struct config_source *source,
                 struct config_report *report, struct config *config);
void loader_fini(struct loader *loader);

struct place place_at(const struct loader *loader, uint32_t line, uint32_t column);
struct place place_of_node(const struct loader *loader, const struct yaml_node *node);
struct place place_of_key(const struct loader *loader, const struct yaml_node *node);
/* Where the value in force of a setting stands. */
struct place place_of_origin(struct loader *loader, const struct setting *setting,
                             struct config_origin origin);

__attribute__((format(printf, 4, 5))) void loader_complain(struct loader *loader,
                                                           const struct place *place,
                                                           struct slice suggestion,
                                                           const char *format, ...);
__attribute__((format(printf, 3, 4))) void loader_warn(struct loader *loader,
                                                       const struct place *place,
                                                       const char *format, ...);
__attribute__((format(printf, 2, 3))) void loader_notice(struct loader *loader, const char *format,
                                                         ...);
/* Moves the notices into the snapshot. */
void loader_keep_notices(struct loader *loader);

/* "did you mean 'X'?", or nothing for an empty word. */
struct slice loader_did_you_mean(struct loader *loader, struct slice nearest);
/* Whether the report still takes mistakes; if not, finding a suggestion is time lost. */
bool loader_may_suggest(const struct loader *loader);
/* Complains that nothing is called so, and names what is nearest. */
void loader_complain_unknown(struct loader *loader, const struct place *place,
                             const struct settings *settings, struct slice group,
                             struct slice name);
void loader_complain_later(struct loader *loader, const struct place *place, struct slice name);
/* Whether the name belongs to a later version wherever it stands. */
bool loader_is_later_everywhere(struct slice name);

/* Copies into the snapshot; without memory gives "". */
struct slice loader_keep(struct loader *loader, struct slice text);
/* Zeroed memory of the snapshot, or NULL. */
void *loader_alloc(struct loader *loader, size_t size);
/* The variable's value, or data NULL. */
struct slice loader_variable(const struct loader *loader, struct slice name);
/* The path, which counts from the configuration file if it is relative; in the snapshot. */
struct slice loader_path(struct loader *loader, struct slice path);
/* Reads a file as config_read does, with a reason whatever the failure. */
enum status loader_read(struct loader *loader, const char *path, struct buffer *content,
                        struct reason *reason);

/* A value as it was written: a text, or a node that may be a list or a mapping. */
struct raw_value {
    const struct yaml_node *node; /* NULL: `text` */
    struct slice text;
    struct place place;
};

/* Where a value goes. */
struct target {
    struct loader *loader;
    const struct setting *setting;
    const struct place *place;
    void *at;
};

/* Reads the value into the setting's place in *base, which a bad one leaves as it was.
 * False: it was complained of. */
bool value_apply(struct loader *loader, const struct setting *setting, void *base,
                 const struct raw_value *value);
/* The secret itself, where the text is file:PATH. False: it was complained of. */
bool value_secret(const struct target *target, struct slice text, struct slice *secret_out);
bool value_has_control(struct slice text);

/* ${VAR} and ${VAR:-default} put in; control characters are refused. False: it was complained of,
 * by the `name` of the value (empty: of an item in a list). */
bool value_interpolate(struct loader *loader, struct slice name, struct slice text,
                       const struct place *place, struct slice *out);
/* The same of a node that must be a scalar, by the name of its key. */
bool value_of_scalar(struct loader *loader, const struct yaml_node *node, struct slice *out);

/* Whether the value is of the store; then it is complained that `name` is not for it, and why. */
bool loader_refuse_of_store(struct loader *loader, const struct place *place, const char *name,
                            const char *why);

/* An entry of the store under way: overlay_begin(), overlay_parse(), reading, overlay_end(). */
struct overlay_reading {
    const struct config_entry *entry;
    struct config_report *outer, own; /* `own` takes what is said of one that is not new */
    size_t errors_before;
};

/* `section` is "provider" or "model". */
void overlay_begin(struct loader *loader, const struct config_entry *entry, const char *section,
                   struct overlay_reading *reading);
/* The object, whose key is the entry's name. NULL: it was complained of. */
const struct yaml_node *overlay_parse(struct loader *loader, const struct config_entry *entry);
/* False: there were mistakes, so that it is left out. */
bool overlay_end(struct loader *loader, struct overlay_reading *reading);

/* Readers of single types, called by value_apply(). */
bool listeners_apply(const struct target *target, const struct raw_value *value);
bool headers_apply(const struct target *target, const struct raw_value *value);
bool header_names_apply(const struct target *target, const struct raw_value *value);
bool texts_apply(const struct target *target, const struct raw_value *value);
bool limits_apply(const struct target *target, const struct raw_value *value);
bool percents_apply(const struct target *target, const struct raw_value *value);
bool networks_apply(const struct target *target, const struct raw_value *value);

/* Applies the presets, where there are any. */
void settings_preset(struct loader *loader, const struct settings *settings, void *base);
/* Applies the members of a mapping, recursing into groups; `origins` has one for each setting.
 * The table's sections are left to the caller. */
void settings_apply_mapping(struct loader *loader, const struct settings *settings, void *base,
                            struct config_origin *origins, const struct yaml_node *mapping);

/* Complains of every name that stands twice in one mapping, in the whole tree. */
void check_repeats(struct loader *loader, const struct yaml_node *root);
/* What must hold between settings. */
void check_settings(struct loader *loader);

/* The providers: those of the file (NULL: no such section), then the store's and the built-in ones
 * that have not been named before. */
void providers_load(struct loader *loader, const struct yaml_node *section);
/* The provider of that name, or NULL. The file sees none of the store's, which it could not rely on. */
const struct config_provider *providers_find(const struct loader *loader, struct slice name);
/* Complains that there is no provider of that name, and names what is nearest. */
void providers_complain_unknown(struct loader *loader, const struct place *place,
                                struct slice name);
/* The rules of the file, then the store's, and after them the built-in ones if the file has none. */
void rules_load(struct loader *loader, const struct yaml_node *section);
/* The prices of the file, after the providers. */
void prices_load(struct loader *loader, const struct yaml_node *section);

#endif
