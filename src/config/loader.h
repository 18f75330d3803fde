/* What the parts of loading share. Internal to config/. */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "config/load.h"
#include "config/settings.h"
#include "config/yaml.h"

struct loader {
    const struct config_source *source;
    struct config_report *report;
    struct config *config;
    struct arena *arena;    /* the snapshot's */
    struct arena scratch;   /* for what ends with the loading */
    struct slice file;      /* its path; empty: none */
    struct slice directory; /* of the file, with its final slash, or empty */
    bool is_out_of_memory;
};

/* Where a value comes from: for messages, and for config_show(). */
struct place {
    struct config_origin origin;
    struct slice name; /* the file, the variable or the option */
};

struct place place_of_node(const struct loader *loader, const struct yaml_node *node);
struct place place_of_key(const struct loader *loader, const struct yaml_node *node);

__attribute__((format(printf, 4, 5))) void loader_complain(struct loader *loader,
                                                           const struct place *place,
                                                           struct slice suggestion,
                                                           const char *format, ...);
__attribute__((format(printf, 3, 4))) void loader_warn(struct loader *loader,
                                                       const struct place *place,
                                                       const char *format, ...);
/* Complains that nothing is called so, and names what is nearest. */
void loader_complain_unknown(struct loader *loader, const struct place *place,
                             const struct settings *settings, struct slice group,
                             struct slice name);
void loader_complain_later(struct loader *loader, const struct place *place, struct slice name);

/* Copies into the snapshot; on a full arena notes that and gives "". */
struct slice loader_keep(struct loader *loader, struct slice text);
void *loader_alloc(struct loader *loader, size_t size);
/* The variable's value, or data NULL. */
struct slice loader_variable(const struct loader *loader, struct slice name);

/* A value as it was written: a text, or a node that may be a list or a mapping. */
struct raw_value {
    const struct yaml_node *node; /* NULL: `text` */
    struct slice text;
    struct place place;
};

/* Reads the value into the setting's place in *base. False: it was complained of. */
bool value_apply(struct loader *loader, const struct setting *setting, void *base,
                 const struct raw_value *value);
/* ${VAR} and ${VAR:-default} put in. False: it was complained of. */
bool value_interpolate(struct loader *loader, struct slice text, const struct place *place,
                       struct slice *out);

/* Applies the presets, where there are any. */
void settings_preset(struct loader *loader, const struct settings *settings, void *base);
/* Applies the members of a mapping, recursing into groups; `origins` has one for each setting.
 * Members that `is_special` takes are left to the caller. */
void settings_apply_mapping(struct loader *loader, const struct settings *settings, void *base,
                            struct config_origin *origins, const struct yaml_node *mapping,
                            bool (*is_special)(struct slice path));

/* The providers: the built-in ones, over them those of the file (NULL: no such section). */
void providers_load(struct loader *loader, const struct yaml_node *section);
/* The rules of the file, or the built-in ones. */
void rules_load(struct loader *loader, const struct yaml_node *section);

#endif
