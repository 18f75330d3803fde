/* The settings of the configuration as tables: name, type, place, range and default of each.
 *
 * Reading, the names in the environment, `weir config show` and suggestions all go by them. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum setting_type {
    SETTING_TYPE_SIZE,     /* uint64_t, bytes */
    SETTING_TYPE_DURATION, /* uint64_t, ms */
    SETTING_TYPE_COUNT,    /* uint32_t */
    SETTING_TYPE_BOOL,
    SETTING_TYPE_PATH,         /* struct slice; a relative one counts from the file */
    SETTING_TYPE_PEM,          /* struct slice: the path of a PEM file that can be read */
    SETTING_TYPE_SECRET,       /* struct slice; may be file:PATH */
    SETTING_TYPE_TEXTS,        /* struct config_texts */
    SETTING_TYPE_LISTENERS,    /* struct config_listeners */
    SETTING_TYPE_CHOICE,       /* an enum, by the words of `choices` */
    SETTING_TYPE_URL,          /* struct config_url */
    SETTING_TYPE_PROXY,        /* struct config_url */
    SETTING_TYPE_HEADERS,      /* struct config_headers */
    SETTING_TYPE_HEADER_NAMES, /* struct config_texts */
    SETTING_TYPE_LATER,        /* of a later version: refused */
};

struct setting {
    const char *path; /* "transport.header_bytes" */
    enum setting_type type;
    size_t offset;      /* in struct config or struct config_provider */
    uint64_t min, max;  /* of numbers */
    const char *preset; /* the default, as one would write it; NULL: none */
    const char *const *choices;
};

struct settings {
    const struct setting *items;
    size_t count;
};

extern const struct settings settings_of_config;   /* offsets in struct config */
extern const struct settings settings_of_provider; /* offsets in struct config_provider */

/* Bytes of a name below, with its final zero. */
#define SETTINGS_NAME_BYTES 64

/* "admin.listen" is WEIR_ADMIN_LISTEN in the environment. */
struct slice settings_variable(const struct setting *setting, char text_out[SETTINGS_NAME_BYTES]);
/* "data_dir" is --data-dir on the command line. */
struct slice settings_option(const struct setting *setting, char text_out[SETTINGS_NAME_BYTES]);

/* The setting of that path, or NULL. */
const struct setting *settings_find(const struct settings *settings, struct slice path);
/* Whether settings stand below that path, such as "transport". */
bool settings_is_group(const struct settings *settings, struct slice path);
/* The name of a setting or group below `group` ("" for the top) that is nearest to `name`, if it
 * is near enough to be meant; else empty. */
struct slice settings_nearest(const struct settings *settings, struct slice group,
                              struct slice name);
/* The whole path of a setting whose last name is `name`; else empty. */
struct slice settings_elsewhere(const struct settings *settings, struct slice name);

#endif
