#include "config/show.h"

#include <string.h>

#include "base/date.h"
#include "config/settings.h"
#include "config/units.h"
#include "json/write.h"

#define KEY_BYTES_MAX   512
#define KEY_COLUMN      36                /* or as much as the longest key needs */
#define VALUE_COLUMN    40                /* longer values push their origin to the right */
#define VALUE_BYTES_MAX ((size_t)8 << 20) /* more than any value may come to */

static void put_texts(const struct config_texts *texts, struct buffer *out)
{
    for (size_t i = 0; i < texts->count; i++)
        buffer_printf(out, "%s%.*s", i > 0 ? " " : "", SLICE_ARGS(texts->items[i]));
}

static void put_listeners(const struct config_listeners *listeners, struct buffer *out)
{
    for (size_t i = 0; i < listeners->count; i++) {
        const struct config_listener *item = &listeners->items[i];
        const bool is_v6 = item->address.ip.size == 16;
        buffer_printf(out, "%s%s%.*s%s:%u%s", i > 0 ? " " : "", is_v6 ? "[" : "",
                      SLICE_ARGS(item->address.host), is_v6 ? "]" : "", item->address.port,
                      item->certificate.size > 0 ? " (TLS)" : "");
    }
}

static void put_url(const struct config_url *url, struct buffer *out)
{
    if (url->host.size > 0)
        buffer_printf(out, "%s://%s%.*s%.*s", url->is_tls ? "https" : "http",
                      url->userinfo.size > 0 ? "***@" : "", SLICE_ARGS(url->authority),
                      SLICE_ARGS(url->path));
}

static void put_headers(const struct config_headers *headers, struct buffer *out)
{
    for (size_t i = 0; i < headers->count; i++)
        buffer_printf(out, "%s%.*s: ***", i > 0 ? ", " : "", SLICE_ARGS(headers->items[i].name));
}

static void put_limits(const struct limits *limits, struct buffer *out)
{
    char text[LIMIT_TEXT_BYTES];
    for (size_t i = 0; i < limits->count; i++) {
        const unsigned size = limit_format(&limits->items[i], text);
        buffer_printf(out, "%s%.*s", i > 0 ? ", " : "", (int)size, text);
    }
}

static void put_percents(const struct config_percents *percents, struct buffer *out)
{
    for (size_t i = 0; i < percents->count; i++)
        buffer_printf(out, "%s%u", i > 0 ? ", " : "", percents->items[i]);
}

static void put_networks(const struct config_networks *networks, struct buffer *out)
{
    char text[CIDR_TEXT_BYTES];
    for (size_t i = 0; i < networks->count; i++) {
        const unsigned size = cidr_format(&networks->items[i], text);
        buffer_printf(out, "%s%.*s", i > 0 ? ", " : "", (int)size, text);
    }
}

static void put_number(const struct setting *setting, const void *at, struct buffer *out)
{
    char text[UNITS_TEXT_BYTES];
    unsigned size = 0;
    if (setting->type == SETTING_TYPE_SIZE)
        size = units_format_size(*(const uint64_t *)at, text);
    else if (setting->type == SETTING_TYPE_MONEY)
        size = units_format_money((uint64_t)*(const int64_t *)at, text);
    else if (setting->type != SETTING_TYPE_PERIOD || *(const uint64_t *)at > 0)
        size = units_format_duration(*(const uint64_t *)at, text);
    buffer_append(out, slice_of(text, size));
}

static void put_date(uint64_t time_us, struct buffer *out)
{
    char text[CLOCK_TEXT_BYTES];
    buffer_append(out, slice_of(text, date_format(time_us, text)));
}

static void put_list(const struct setting *setting, const void *at, struct buffer *out)
{
    switch (setting->type) {
    case SETTING_TYPE_TEXTS:
    case SETTING_TYPE_HEADER_NAMES:
        put_texts(at, out);
        break;
    case SETTING_TYPE_LISTENERS:
        put_listeners(at, out);
        break;
    case SETTING_TYPE_HEADERS:
        put_headers(at, out);
        break;
    case SETTING_TYPE_LIMITS:
        put_limits(at, out);
        break;
    case SETTING_TYPE_PERCENTS:
        put_percents(at, out);
        break;
    case SETTING_TYPE_NETWORKS:
        put_networks(at, out);
        break;
    default:
        break;
    }
}

static void put_value(const struct setting *setting, const void *base, struct buffer *out)
{
    const void *at = (const char *)base + setting->offset;
    switch (setting->type) {
    case SETTING_TYPE_SIZE:
    case SETTING_TYPE_DURATION:
    case SETTING_TYPE_PERIOD:
    case SETTING_TYPE_MONEY:
        put_number(setting, at, out);
        break;
    case SETTING_TYPE_DATE:
        put_date(*(const uint64_t *)at, out);
        break;
    case SETTING_TYPE_COUNT:
        buffer_append_u64(out, *(const uint32_t *)at);
        break;
    case SETTING_TYPE_BOOL:
        buffer_append(out, *(const bool *)at ? SLICE("true") : SLICE("false"));
        break;
    case SETTING_TYPE_CHOICE:
        buffer_append(out, slice_from_text(setting->choices[*(const unsigned *)at]));
        break;
    case SETTING_TYPE_SECRET:
    case SETTING_TYPE_KEY:
        buffer_append(out, ((const struct slice *)at)->size > 0 ? SLICE("***") : SLICE(""));
        break;
    case SETTING_TYPE_URL:
    case SETTING_TYPE_PROXY:
        put_url(at, out);
        break;
    case SETTING_TYPE_PATH:
    case SETTING_TYPE_PEM:
    case SETTING_TYPE_TEXT:
        buffer_append(out, *(const struct slice *)at);
        break;
    default:
        put_list(setting, at, out);
        break;
    }
}

struct show {
    const struct config *config;
    enum config_form form;
    int key_column;
    struct buffer *out;
    struct json_writer writer;
};

static const char *const origin_names[] = {
    [CONFIG_ORIGIN_DEFAULT] = "default",
    [CONFIG_ORIGIN_FILE] = "file",
    [CONFIG_ORIGIN_ENVIRONMENT] = "environment",
    [CONFIG_ORIGIN_COMMAND_LINE] = "command line",
    [CONFIG_ORIGIN_STORE] = "store",
};

/* The name of the variable or option, or nothing. */
static struct slice source_name(const struct setting *setting, struct config_origin origin,
                                char text_out[SETTINGS_NAME_BYTES])
{
    if (setting == NULL)
        return (struct slice){0};
    if (origin.kind == CONFIG_ORIGIN_COMMAND_LINE)
        return settings_option(setting, text_out);
    if (origin.kind != CONFIG_ORIGIN_ENVIRONMENT)
        return (struct slice){0};
    if (setting->type == SETTING_TYPE_PROXY)
        return SLICE("HTTPS_PROXY");
    if (setting->type == SETTING_TYPE_SECRET &&
        slice_equal(slice_from_text(setting->path), SLICE("api_key")))
        return SLICE("OPENAI_API_KEY");
    return settings_variable(setting, text_out);
}

/* `setting` is NULL for what has no line in the tables. */
static void show_line(struct show *show, struct slice key, struct slice value,
                      const struct setting *setting, struct config_origin origin)
{
    char text[SETTINGS_NAME_BYTES];
    const struct slice name = source_name(setting, origin, text);
    if (show->form == CONFIG_FORM_TEXT) {
        buffer_printf(show->out, "%-*.*s %-*.*s ", show->key_column, SLICE_ARGS(key), VALUE_COLUMN,
                      SLICE_ARGS(value));
        if (origin.kind == CONFIG_ORIGIN_FILE)
            buffer_printf(show->out, "%.*s:%u\n", SLICE_ARGS(show->config->file), origin.line);
        else
            buffer_printf(show->out, "%s%s%.*s\n", origin_names[origin.kind],
                          name.size > 0 ? " " : "", SLICE_ARGS(name));
        return;
    }
    json_write_object(&show->writer);
    json_write_key(&show->writer, SLICE("key"));
    json_write_string(&show->writer, key);
    json_write_key(&show->writer, SLICE("value"));
    json_write_string(&show->writer, value);
    json_write_key(&show->writer, SLICE("from"));
    json_write_string(&show->writer, slice_from_text(origin_names[origin.kind]));
    if (origin.kind == CONFIG_ORIGIN_FILE) {
        json_write_key(&show->writer, SLICE("line"));
        json_write_u64(&show->writer, origin.line);
    }
    if (name.size > 0) {
        json_write_key(&show->writer, SLICE("name"));
        json_write_string(&show->writer, name);
    }
    json_write_end(&show->writer);
}

static void pass_on_failure(const struct buffer *from, struct buffer *to)
{
    if (buffer_status(from) != STATUS_OK)
        to->failed = buffer_status(from);
}

/* Ends the two buffers, too. */
static void show_row(struct show *show, struct buffer *key, struct buffer *value,
                     const struct setting *setting, struct config_origin origin)
{
    show_line(show, buffer_slice(key), buffer_slice(value), setting, origin);
    pass_on_failure(key, show->out);
    pass_on_failure(value, show->out);
    buffer_fini(key);
    buffer_fini(value);
}

static void show_settings(struct show *show, const struct settings *settings, const void *base,
                          const struct config_origin *origins, struct slice prefix)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->items[i];
        struct buffer key, value;
        if (setting->type == SETTING_TYPE_LATER)
            continue;
        buffer_init(&key, KEY_BYTES_MAX);
        buffer_init(&value, VALUE_BYTES_MAX);
        buffer_append(&key, prefix);
        buffer_append(&key, slice_from_text(setting->path));
        put_value(setting, base, &value);
        show_row(show, &key, &value, setting, origins[i]);
    }
}

static void show_rule(struct show *show, size_t index)
{
    const struct rule *rule = &show->config->rules.items[index];
    struct buffer key, value;
    buffer_init(&key, KEY_BYTES_MAX);
    buffer_init(&value, VALUE_BYTES_MAX);
    buffer_printf(&key, "models.%.*s", SLICE_ARGS(rule->name));
    for (size_t i = 0; i < rule->target_count; i++) {
        const struct rule_target *target = &rule->targets[i];
        const struct slice model =
            target->model.data != NULL
                ? target->model
                : (target->any_listed ? SLICE("(its name, or one that is listed)")
                                      : SLICE("(its name)"));
        buffer_printf(&value, "%s%.*s/%.*s", i > 0 ? ", " : "",
                      SLICE_ARGS(show->config->providers[target->provider].name),
                      SLICE_ARGS(model));
    }
    show_row(show, &key, &value, NULL, show->config->rule_origins[index]);
}

static void show_rule_setting(struct show *show, const struct config_rule *entry,
                              const struct setting *setting, struct config_origin origin)
{
    struct buffer key, value;
    buffer_init(&key, KEY_BYTES_MAX);
    buffer_init(&value, VALUE_BYTES_MAX);
    buffer_printf(&key, "models.%.*s.%s", SLICE_ARGS(entry->rule.name), setting->path);
    put_value(setting, entry, &value);
    show_row(show, &key, &value, setting, origin);
}

/* Only what the file says: the rest is the catalogue's, or the route's. */
static void show_rule_settings(struct show *show, size_t index)
{
    const struct config *config = show->config;
    const struct config_rule entry = {config->rules.items[index], config->rule_limits[index]};
    for (size_t i = 0; i < settings_of_rule.count; i++) {
        const struct config_origin origin =
            config->rule_setting_origins[index * settings_of_rule.count + i];
        if (origin.kind != CONFIG_ORIGIN_DEFAULT)
            show_rule_setting(show, &entry, &settings_of_rule.items[i], origin);
    }
}

static void show_price(struct show *show, const struct config_price *price)
{
    struct buffer key, value;
    buffer_init(&key, KEY_BYTES_MAX);
    buffer_init(&value, VALUE_BYTES_MAX);
    buffer_printf(&key, "prices.%.*s/%.*s", SLICE_ARGS(price->provider), SLICE_ARGS(price->model));
    for (size_t i = 0; i < settings_of_price.count; i++) {
        const struct setting *setting = &settings_of_price.items[i];
        const char *at = (const char *)price + setting->offset;
        const bool is_amount = setting->type == SETTING_TYPE_MONEY &&
                               *(const int64_t *)(const void *)at != CONFIG_PRICE_UNSET;
        if (!is_amount && (setting->type != SETTING_TYPE_DATE || price->from_us == 0))
            continue;
        buffer_printf(&value, "%s%s ", value.size > 0 ? ", " : "", setting->path);
        put_value(setting, price, &value);
    }
    show_row(show, &key, &value, NULL, price->origin);
}

static void show_all(struct show *show)
{
    const struct config *config = show->config;
    show_settings(show, &settings_of_config, config, config->origins, (struct slice){0});
    for (size_t i = 0; i < config->provider_count; i++) {
        struct buffer prefix;
        buffer_init(&prefix, KEY_BYTES_MAX);
        buffer_printf(&prefix, "providers.%.*s.", SLICE_ARGS(config->providers[i].name));
        show_settings(show, &settings_of_provider, &config->providers[i],
                      config->providers[i].origins, buffer_slice(&prefix));
        pass_on_failure(&prefix, show->out);
        buffer_fini(&prefix);
    }
    for (size_t i = 0; i < config->rules.count; i++) {
        show_rule(show, i);
        show_rule_settings(show, i);
    }
    for (size_t i = 0; i < config->prices.count; i++)
        show_price(show, &config->prices.items[i]);
}

static size_t longest_path(const struct settings *settings)
{
    size_t longest = 0;
    for (size_t i = 0; i < settings->count; i++) {
        const size_t size = strlen(settings->items[i].path);
        if (settings->items[i].type != SETTING_TYPE_LATER && size > longest)
            longest = size;
    }
    return longest;
}

static int key_column(const struct config *config)
{
    size_t width = KEY_COLUMN;
    for (size_t i = 0; i < config->provider_count; i++) {
        const size_t size = sizeof("providers..") - 1 + config->providers[i].name.size +
                            longest_path(&settings_of_provider);
        width = size > width ? size : width;
    }
    for (size_t i = 0; i < config->rules.count; i++) {
        const size_t size = sizeof("models.") - 1 + config->rules.items[i].name.size;
        width = size > width ? size : width;
    }
    return (int)(width < KEY_BYTES_MAX ? width : KEY_BYTES_MAX);
}

static void show_json(struct show *show)
{
    const struct config *config = show->config;
    json_writer_init(&show->writer, show->out);
    json_write_object(&show->writer);
    json_write_key(&show->writer, SLICE("file"));
    if (config->file.size > 0)
        json_write_string(&show->writer, config->file);
    else
        json_write_null(&show->writer);
    json_write_key(&show->writer, SLICE("settings"));
    json_write_array(&show->writer);
    show_all(show);
    json_write_end(&show->writer);
    json_write_key(&show->writer, SLICE("notices"));
    json_write_array(&show->writer);
    for (size_t i = 0; i < config->notices.count; i++)
        json_write_string(&show->writer, config->notices.items[i]);
    json_write_end(&show->writer);
    json_write_end(&show->writer);
    buffer_append_byte(show->out, '\n');
}

enum status config_show(const struct config *config, enum config_form form, struct buffer *text)
{
    struct show show = {.config = config, .form = form, .out = text};
    if (form == CONFIG_FORM_JSON) {
        show_json(&show);
        return buffer_status(text);
    }
    show.key_column = key_column(config);
    show_all(&show);
    for (size_t i = 0; i < config->notices.count; i++)
        buffer_printf(text, "note: %.*s\n", SLICE_ARGS(config->notices.items[i]));
    return buffer_status(text);
}

static void compare(const char *path, const struct config *old, const struct config *new,
                    struct buffer *names)
{
    const struct setting *setting = settings_find(&settings_of_config, slice_from_text(path));
    struct buffer before, after;
    buffer_init(&before, VALUE_BYTES_MAX);
    buffer_init(&after, VALUE_BYTES_MAX);
    put_value(setting, old, &before);
    put_value(setting, new, &after);
    if (!slice_equal(buffer_slice(&before), buffer_slice(&after)))
        buffer_printf(names, "%s%s", names->size > 0 ? ", " : "", path);
    pass_on_failure(&before, names);
    pass_on_failure(&after, names);
    buffer_fini(&before);
    buffer_fini(&after);
}

enum status config_diff_restart(const struct config *old, const struct config *new,
                                struct buffer *names)
{
    compare("data_dir", old, new, names);
    compare("workers", old, new, names);
    compare("admin.listen", old, new, names);
    compare("metrics.listen", old, new, names);
    compare("ledger.journal_bytes", old, new, names);
    compare("ledger.orphans", old, new, names);
    compare("ledger.sync", old, new, names);
    compare("ledger.retention", old, new, names);
    return buffer_status(names);
}
