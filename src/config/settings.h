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
    SETTING_TYPE_PERIOD,   /* uint64_t, ms; 0, written as "": without end, whatever the range */
    SETTING_TYPE_MONEY,    /* int64_t, nano-dollars */
    SETTING_TYPE_DATE,     /* uint64_t, us since 1970 */
    SETTING_TYPE_TEXT,     /* struct slice; the range is of its bytes */
    SETTING_TYPE_COUNT,    /* uint32_t */
    SETTING_TYPE_BOOL,
    SETTING_TYPE_PATH,         /* struct slice; a relative one counts from the file */
    SETTING_TYPE_PEM,          /* struct slice: the path of a PEM file that can be read */
    SETTING_TYPE_SECRET,       /* struct slice; may be file:PATH */
    SETTING_TYPE_KEY,          /* struct slice of SEAL_KEY_SIZE bytes; may be file:PATH */
    SETTING_TYPE_TEXTS,        /* struct config_texts */
    SETTING_TYPE_LISTENERS,    /* struct config_listeners */
    SETTING_TYPE_CHOICE,       /* an enum, by the words of `choices` */
    SETTING_TYPE_URL,          /* struct config_url */
    SETTING_TYPE_PROXY,        /* struct config_url */
    SETTING_TYPE_HEADERS,      /* struct config_headers */
    SETTING_TYPE_HEADER_NAMES, /* struct config_texts */
    SETTING_TYPE_LIMITS,       /* struct limits */
    SETTING_TYPE_PERCENTS,     /* struct config_percents, rising; the range is of each */
    SETTING_TYPE_NETWORKS,     /* struct config_networks */
    SETTING_TYPE_LATER,        /* of a later version: refused */
};

struct setting {
    const char *path; /* "transport.header_bytes" */
    enum setting_type type;
    size_t offset;      /* in the structure that the table is about */
    uint64_t min, max;  /* of numbers */
    const char *preset; /* the default, as one would write it; NULL: none */
    const char *const *choices;
};

struct settings {
    const struct setting *items;
    size_t count;
    const struct slice *sections; /* names beside them that are read in their own way */
    size_t section_count;
};

extern const struct settings settings_of_config;   /* offsets in struct config */
extern const struct settings settings_of_provider; /* offsets in struct config_provider */
extern const struct settings settings_of_rule;     /* offsets in struct config_rule */
extern const struct settings settings_of_price;    /* offsets in struct config_price */

/* Bytes of a name below, with its final zero. */
#define SETTINGS_NAME_BYTES 64

/* "admin.listen" is WEIR_ADMIN_LISTEN in the environment. */
struct slice settings_variable(const struct setting *setting, char text_out[SETTINGS_NAME_BYTES]);
/* "data_dir" is --data-dir on the command line. */
struct slice settings_option(const struct setting *setting, char text_out[SETTINGS_NAME_BYTES]);

/* The setting of that path, or NULL. */
const struct setting *settings_find(const struct settings *settings, struct slice path);
bool settings_is_section(const struct settings *settings, struct slice name);
/* Whether settings stand below that path, such as "transport". */
bool settings_is_group(const struct settings *settings, struct slice path);
/* The name of a setting, group or section below `group` ("" for the top) that is nearest to `name`,
 * if it is near enough to be meant; else empty. */
struct slice settings_nearest(const struct settings *settings, struct slice group,
                              struct slice name);
/* The whole path of a setting whose last name is `name`; else empty. */
struct slice settings_elsewhere(const struct settings *settings, struct slice name);

#endif
