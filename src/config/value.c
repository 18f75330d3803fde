#include <stdio.h>

#include "base/assert.h"
#include "config/loader.h"
#include "config/units.h"

/* --- ${VAR} -------------------------------------------------------------------------------------------- */

static bool is_variable_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        const bool is_letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        if (!is_letter && byte != '_' && (i == 0 || byte < '0' || byte > '9'))
            return false;
    }
    return name.size > 0;
}

/* `inside` is what stands between the braces. */
static bool put_variable(struct loader *loader, struct slice inside, const struct place *place,
                         struct buffer *out)
{
    const size_t colon = slice_find(inside, SLICE(":-"));
    const struct slice name = slice_of(inside.data, colon);
    if (!is_variable_name(name)) {
        loader_complain(loader, place, SLICE("write ${NAME} or ${NAME:-default}"),
                        "'${%.*s}' names no variable", SLICE_ARGS(inside));
        return false;
    }
    const struct slice value = loader_variable(loader, name);
    if (value.size > 0) {
        buffer_append(out, value);
    } else if (colon < inside.size) {
        buffer_append(out, slice_from(inside, colon + 2));
    } else if (value.data == NULL) {
        loader_complain(loader, place, SLICE("set it, or write ${NAME:-default}"),
                        "the environment variable %.*s is not set", SLICE_ARGS(name));
        return false;
    }
    return true;
}

bool value_interpolate(struct loader *loader, struct slice text, const struct place *place,
                       struct slice *out)
{
    struct buffer result;
    bool is_sound = true;
    *out = text;
    if (slice_find(text, SLICE("${")) == text.size)
        return true;
    buffer_init(&result, CONFIG_SECRET_BYTES_MAX);
    while (text.size > 0 && is_sound) {
        const size_t start = slice_find(text, SLICE("${"));
        buffer_append(&result, slice_of(text.data, start));
        if (start == text.size)
            break;
        text = slice_from(text, start + 2);
        const size_t end = slice_find_byte(text, '}');
        if (end == text.size) {
            loader_complain(loader, place, SLICE("close it with '}'"), "'${' without '}'");
            is_sound = false;
            break;
        }
        is_sound = put_variable(loader, slice_of(text.data, end), place, &result);
        text = slice_from(text, end + 1);
    }
    *out = loader_keep(loader, buffer_slice(&result));
    buffer_fini(&result);
    return is_sound;
}

/* --- Scalars ------------------------------------------------------------------------------------------- */

struct target {
    struct loader *loader;
    const struct setting *setting;
    const struct place *place;
    void *at;
};

static bool refuse(const struct target *target, struct slice text, const char *expected)
{
    loader_complain(target->loader, target->place, (struct slice){0}, "%s: '%.*s' is %s",
                    target->setting->path, (int)(text.size < 80 ? text.size : 80), text.data,
                    expected);
    return false;
}

static bool check_range(const struct target *target, uint64_t number, struct slice text)
{
    const struct setting *setting = target->setting;
    char low[UNITS_TEXT_BYTES], high[UNITS_TEXT_BYTES], expected[128];
    if (number >= setting->min && number <= setting->max)
        return true;
    if (setting->type == SETTING_TYPE_SIZE) {
        units_format_size(setting->min, low);
        units_format_size(setting->max, high);
    } else if (setting->type == SETTING_TYPE_DURATION) {
        units_format_duration(setting->min, low);
        units_format_duration(setting->max, high);
    } else {
        snprintf(low, sizeof(low), "%llu", (unsigned long long)setting->min);
        snprintf(high, sizeof(high), "%llu", (unsigned long long)setting->max);
    }
    snprintf(expected, sizeof(expected), "out of range: it may be %s to %s", low, high);
    return refuse(target, text, expected);
}

static bool apply_number(const struct target *target, struct slice text)
{
    uint64_t number;
    switch (target->setting->type) {
    case SETTING_TYPE_SIZE:
        if (units_parse_size(text, &number) != STATUS_OK)
            return refuse(target, text, "no size; write 65536, 64KiB, 32MiB or 1GiB");
        break;
    case SETTING_TYPE_DURATION:
        if (units_parse_duration(text, &number) != STATUS_OK)
            return refuse(target, text, "no duration; write 250ms, 5s, 10m or 1h");
        break;
    default:
        if (slice_to_u64(text, &number) != STATUS_OK)
            return refuse(target, text, "no whole number");
        break;
    }
    if (!check_range(target, number, text))
        return false;
    if (target->setting->type == SETTING_TYPE_COUNT)
        *(uint32_t *)target->at = (uint32_t)number;
    else
        *(uint64_t *)target->at = number;
    return true;
}

static bool apply_bool(const struct target *target, struct slice text)
{
    const bool is_true = slice_equal(text, SLICE("true"));
    if (!is_true && !slice_equal(text, SLICE("false")))
        return refuse(target, text, "neither true nor false");
    *(bool *)target->at = is_true;
    return true;
}

static bool apply_choice(const struct target *target, struct slice text)
{
    const char *const *choices = target->setting->choices;
    struct slice words[8] = {0};
    size_t count = 0;
    for (; choices[count] != NULL; count++) {
        words[count] = slice_from_text(choices[count]);
        if (slice_equal(words[count], text)) {
            *(unsigned *)target->at = (unsigned)count;
            return true;
        }
    }
    const struct slice nearest = nearest_word(words, count, text);
    loader_complain(target->loader, target->place, nearest.size > 0 ? nearest : words[0],
                    count == 1 ? "%s: '%.*s' is not in this version"
                               : "%s: '%.*s' is none of its values",
                    target->setting->path, SLICE_ARGS(text));
    return false;
}

/* Certificates, keys and authorities have to be there when the configuration is read. */
static bool is_readable(const struct target *target)
{
    struct loader *loader = target->loader;
    const char *path = ((const struct slice *)target->at)->data;
    struct reason reason = {"it is not there"};
    struct buffer content;
    buffer_init(&content, CONFIG_FILE_BYTES_MAX);
    config_read *read = loader->source->read != NULL ? loader->source->read : config_read_file;
    const enum status status = read(loader->source->read_context, path, &content, &reason);
    buffer_fini(&content);
    if (status != STATUS_OK)
        loader_complain(loader, target->place, (struct slice){0}, "%s: cannot read %s: %s",
                        target->setting->path, path, reason.text);
    return status == STATUS_OK;
}

/* A relative path that stands in the file counts from the file. */
static bool apply_path(const struct target *target, struct slice text)
{
    struct loader *loader = target->loader;
    const bool is_relative = text.size > 0 && text.data[0] != '/';
    if (text.size == 0)
        return refuse(target, text, "no path");
    if (is_relative && target->place->origin.kind == CONFIG_ORIGIN_FILE)
        text = arena_printf(loader->arena, "%.*s%.*s", SLICE_ARGS(loader->directory),
                            SLICE_ARGS(text));
    *(struct slice *)target->at = loader_keep(loader, text);
    return target->setting == settings_find(&settings_of_config, SLICE("data_dir")) ||
           is_readable(target);
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    }
    return false;
}

static bool read_secret(const struct target *target, struct slice path, struct slice *out)
{
    struct loader *loader = target->loader;
    struct reason reason = {"it is not there"};
    struct buffer content;
    const bool is_relative = path.size > 0 && path.data[0] != '/';
    const struct slice directory = is_relative ? loader->directory : (struct slice){0};
    const struct slice full =
        arena_printf(&loader->scratch, "%.*s%.*s", SLICE_ARGS(directory), SLICE_ARGS(path));
    buffer_init(&content, CONFIG_SECRET_BYTES_MAX);
    config_read *read = loader->source->read != NULL ? loader->source->read : config_read_file;
    const enum status status =
        full.data == NULL ? STATUS_NO_MEMORY
                          : read(loader->source->read_context, full.data, &content, &reason);
    if (status == STATUS_OK) {
        struct slice text = buffer_slice(&content);
        while (text.size > 0 &&
               (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r'))
            text.size--;
        *out = loader_keep(loader, text);
    } else {
        loader_complain(loader, target->place, (struct slice){0},
                        "%s: cannot read the secret in %.*s: %s", target->setting->path,
                        SLICE_ARGS(full), reason.text);
    }
    buffer_fini(&content);
    return status == STATUS_OK;
}

static bool resolve_secret(const struct target *target, struct slice text, struct slice *out)
{
    if (slice_starts_with(text, SLICE("file:")))
        return read_secret(target, slice_from(text, 5), out);
    *out = loader_keep(target->loader, text);
    return true;
}

static bool apply_secret(const struct target *target, struct slice text)
{
    struct slice secret = {0};
    if (!resolve_secret(target, text, &secret))
        return false;
    if (has_control(secret)) {
        loader_complain(target->loader, target->place, (struct slice){0},
                        "%s: the secret holds a control character", target->setting->path);
        return false;
    }
    *(struct slice *)target->at = secret;
    return true;
}

static bool apply_url(const struct target *target, struct slice text)
{
    struct reason reason;
    struct config_url *url = target->at;
    text = loader_keep(target->loader, text);
    const enum status status = target->setting->type == SETTING_TYPE_PROXY
                                   ? config_proxy_parse(text, url, &reason)
                                   : config_url_parse(text, url, &reason);
    if (status != STATUS_OK) {
        loader_complain(target->loader, target->place, (struct slice){0}, "%s: %s",
                        target->setting->path, reason.text);
        return false;
    }
    url->host = loader_keep(target->loader, url->host);
    url->path = loader_keep(target->loader, url->path);
    url->authority = loader_keep(target->loader, url->authority);
    if (url->userinfo.size > 0)
        url->userinfo = loader_keep(target->loader, url->userinfo);
    return true;
}

/* --- Lists --------------------------------------------------------------------------------------------- */

static size_t child_count(const struct yaml_node *node)
{
    size_t count = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        count++;
    return count;
}

static bool apply_texts(const struct target *target, const struct raw_value *value)
{
    struct loader *loader = target->loader;
    struct config_texts *texts = target->at;
    const bool is_list = value->node != NULL && value->node->kind == YAML_KIND_SEQUENCE;
    const size_t count = is_list ? child_count(value->node) : 1;
    struct slice *items = loader_alloc(loader, (count + 1) * sizeof(struct slice));
    if (items == NULL)
        return false;
    *texts = (struct config_texts){items, is_list || value->text.size > 0 ? count : 0};
    if (!is_list) {
        items[0] = loader_keep(loader, value->text);
        return true;
    }
    size_t at = 0;
    for (const struct yaml_node *child = value->node->first; child != NULL; child = child->next) {
        const struct place place = place_of_node(loader, child);
        struct slice text;
        if (child->kind != YAML_KIND_SCALAR) {
            loader_complain(loader, &place, (struct slice){0}, "%s: a list of texts is wanted",
                            target->setting->path);
            return false;
        }
        if (!value_interpolate(loader, child->text, &place, &text))
            return false;
        items[at++] = loader_keep(loader, text);
    }
    return true;
}

static bool parse_listener(const struct target *target, struct slice text,
                           const struct place *place, struct config_listener *listener)
{
    struct loader *loader = target->loader;
    const enum status status = config_address_parse(text, &listener->address);
    if (status != STATUS_OK) {
        loader_complain(
            loader, place, SLICE("write ADDRESS:PORT, such as 127.0.0.1:8000 or [::1]:8000"),
            "%s: '%.*s' %s", target->setting->path, SLICE_ARGS(text),
            status == STATUS_NOT_FOUND ? "has no numeric address; use 0.0.0.0 for all of them"
                                       : "is no address with a port");
        return false;
    }
    listener->address.host = loader_keep(loader, listener->address.host);
    return true;
}

static bool parse_listener_tls(const struct target *target, const struct yaml_node *node,
                               struct config_listener *listener)
{
    static const struct setting paths[] = {
        {"certificate", SETTING_TYPE_PATH, offsetof(struct config_listener, certificate), 0, 0,
         NULL, NULL},
        {"key", SETTING_TYPE_PATH, offsetof(struct config_listener, key), 0, 0, NULL, NULL},
    };
    static const struct settings settings = {paths, 2};
    struct config_origin origins[2];
    const struct place place = place_of_node(target->loader, node);
    settings_apply_mapping(target->loader, &settings, listener, origins, node, NULL);
    if ((listener->certificate.size > 0) == (listener->key.size > 0) && listener->key.size > 0)
        return true;
    loader_complain(target->loader, &place, (struct slice){0},
                    "%s: tls takes both certificate and key", target->setting->path);
    return false;
}

static bool parse_listener_mapping(const struct target *target, const struct yaml_node *node,
                                   struct config_listener *listener)
{
    struct loader *loader = target->loader;
    const struct place place = place_of_node(loader, node);
    bool is_sound = true, has_address = false;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        const struct place child_place = place_of_key(loader, child);
        struct slice text;
        if (slice_equal(child->key, SLICE("address")) && child->kind == YAML_KIND_SCALAR) {
            has_address = true;
            is_sound = value_interpolate(loader, child->text, &child_place, &text) &&
                       parse_listener(target, text, &child_place, listener) && is_sound;
        } else if (slice_equal(child->key, SLICE("tls")) && child->kind == YAML_KIND_MAPPING) {
            is_sound = parse_listener_tls(target, child, listener) && is_sound;
        } else {
            loader_complain(loader, &child_place, SLICE("address and tls are known"),
                            "%s: '%.*s' is not known here", target->setting->path,
                            SLICE_ARGS(child->key));
            is_sound = false;
        }
    }
    if (!has_address)
        loader_complain(loader, &place, (struct slice){0}, "%s: a listener needs an address",
                        target->setting->path);
    return is_sound && has_address;
}

static bool apply_listeners(const struct target *target, const struct raw_value *value)
{
    struct loader *loader = target->loader;
    struct config_listeners *listeners = target->at;
    const struct yaml_node *node = value->node;
    const bool is_list = node != NULL && node->kind == YAML_KIND_SEQUENCE;
    const size_t count = is_list ? child_count(node) : 1;
    struct config_listener *items = loader_alloc(loader, (count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    *listeners = (struct config_listeners){items, count};
    if (node == NULL || node->kind == YAML_KIND_SCALAR) {
        listeners->count = value->text.size > 0 ? 1 : 0;
        return listeners->count == 0 || parse_listener(target, value->text, &value->place, items);
    }
    if (!is_list)
        return parse_listener_mapping(target, node, items);
    bool is_sound = true;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next, items++) {
        const struct place place = place_of_node(loader, child);
        struct slice text;
        if (child->kind == YAML_KIND_MAPPING)
            is_sound = parse_listener_mapping(target, child, items) && is_sound;
        else
            is_sound = value_interpolate(loader, child->text, &place, &text) &&
                       parse_listener(target, text, &place, items) && is_sound;
    }
    return is_sound;
}

static bool parse_header(const struct target *target, const struct yaml_node *child,
                         struct config_header *header)
{
    struct loader *loader = target->loader;
    const struct place place = place_of_key(loader, child);
    struct slice value = {0};
    char *name = loader_alloc(loader, child->key.size + 1);
    if (name == NULL || child->kind != YAML_KIND_SCALAR ||
        !value_interpolate(loader, child->text, &place, &value) ||
        !resolve_secret(target, value, &header->value))
        return false;
    bool is_sound = child->key.size > 0 && !has_control(header->value);
    for (size_t i = 0; i < child->key.size; i++) {
        const char byte = child->key.data[i];
        name[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
        is_sound = is_sound && byte > ' ' && byte < 0x7f && byte != ':';
    }
    header->name = slice_of(name, child->key.size);
    const bool is_framing = slice_equal(header->name, SLICE("content-length")) ||
                            slice_equal(header->name, SLICE("transfer-encoding")) ||
                            slice_equal(header->name, SLICE("connection"));
    if (!is_sound || is_framing)
        loader_complain(
            loader, &place, (struct slice){0}, "headers: '%.*s' %s", SLICE_ARGS(child->key),
            is_framing ? "is weir's own" : "has a name or value that no header may have");
    return is_sound && !is_framing;
}

static bool apply_headers(const struct target *target, const struct raw_value *value)
{
    struct config_headers *headers = target->at;
    if (value->node == NULL || value->node->kind != YAML_KIND_MAPPING) {
        loader_complain(target->loader, &value->place, (struct slice){0},
                        "headers: names and values are wanted");
        return false;
    }
    const size_t count = child_count(value->node);
    struct config_header *items = loader_alloc(target->loader, (count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    *headers = (struct config_headers){items, count};
    bool is_sound = true;
    for (const struct yaml_node *child = value->node->first; child != NULL; child = child->next)
        is_sound = parse_header(target, child, items++) && is_sound;
    return is_sound;
}

/* ------------------------------------------------------------------------------------------------------- */

static bool apply_text(const struct target *target, struct slice text)
{
    switch (target->setting->type) {
    case SETTING_TYPE_SIZE:
    case SETTING_TYPE_DURATION:
    case SETTING_TYPE_COUNT:
        return apply_number(target, text);
    case SETTING_TYPE_BOOL:
        return apply_bool(target, text);
    case SETTING_TYPE_CHOICE:
        return apply_choice(target, text);
    case SETTING_TYPE_PATH:
        return apply_path(target, text);
    case SETTING_TYPE_SECRET:
        return apply_secret(target, text);
    case SETTING_TYPE_URL:
    case SETTING_TYPE_PROXY:
        return apply_url(target, text);
    default:
        *(struct slice *)target->at = loader_keep(target->loader, text);
        return true;
    }
}

bool value_apply(struct loader *loader, const struct setting *setting, void *base,
                 const struct raw_value *raw)
{
    struct raw_value value = *raw;
    const struct target target = {loader, setting, &value.place, (char *)base + setting->offset};
    const bool is_scalar = value.node == NULL || value.node->kind == YAML_KIND_SCALAR;
    if (value.node != NULL && is_scalar)
        value.text = value.node->text;
    if (is_scalar && !value_interpolate(loader, value.text, &value.place, &value.text))
        return false;
    if (setting->type == SETTING_TYPE_LISTENERS)
        return apply_listeners(&target, &value);
    if (setting->type == SETTING_TYPE_TEXTS)
        return apply_texts(&target, &value);
    if (setting->type == SETTING_TYPE_HEADERS)
        return apply_headers(&target, &value);
    if (is_scalar)
        return apply_text(&target, value.text);
    loader_complain(loader, &value.place, (struct slice){0}, "%s: one value is wanted, not %s",
                    setting->path, value.node->kind == YAML_KIND_SEQUENCE ? "a list" : "a mapping");
    return false;
}
