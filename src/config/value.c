#include <stdio.h>

#include "base/nearest.h"
#include "base/date.h"
#include "base/seal.h"
#include "config/loader.h"
#include "config/units.h"

#define SHOWN_BYTES_MAX 80 /* of a value that is quoted in a message */
#define PEM_BYTES_MAX   ((size_t)4 << 20)
#define CHOICES_MAX     8

bool value_has_control(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    }
    return false;
}

static bool refuse(const struct target *target, struct slice text, const char *expected)
{
    const size_t shown = text.size < SHOWN_BYTES_MAX ? text.size : SHOWN_BYTES_MAX;
    loader_complain(target->loader, target->place, (struct slice){0}, "%s: '%.*s' is %s",
                    target->setting->path, SLICE_ARGS(slice_of(text.data, shown)), expected);
    return false;
}

static void format_number(const struct setting *setting, uint64_t number,
                          char text_out[UNITS_TEXT_BYTES])
{
    switch (setting->type) {
    case SETTING_TYPE_SIZE:
        units_format_size(number, text_out);
        break;
    case SETTING_TYPE_DURATION:
    case SETTING_TYPE_PERIOD:
        units_format_duration(number, text_out);
        break;
    case SETTING_TYPE_MONEY:
        units_format_money(number, text_out);
        break;
    default:
        snprintf(text_out, UNITS_TEXT_BYTES, "%llu", (unsigned long long)number);
        break;
    }
}

static bool check_range(const struct target *target, uint64_t number, struct slice text)
{
    const struct setting *setting = target->setting;
    char low[UNITS_TEXT_BYTES], high[UNITS_TEXT_BYTES], expected[128];
    if (number >= setting->min && number <= setting->max)
        return true;
    format_number(setting, setting->min, low);
    format_number(setting, setting->max, high);
    snprintf(expected, sizeof(expected), "out of range: it may be %s to %s", low, high);
    return refuse(target, text, expected);
}

static const struct number_form {
    enum status (*parse)(struct slice text, uint64_t *number_out);
    const char *expected;
} number_forms[] = {
    [SETTING_TYPE_SIZE] = {units_parse_size, "no size; write 65536, 64KiB, 32MiB or 1GiB"},
    [SETTING_TYPE_DURATION] = {units_parse_duration, "no duration; write 250ms, 5s, 10m or 1h"},
    [SETTING_TYPE_PERIOD] = {units_parse_duration,
                             "no duration; write 36h or 90d, or \"\" for no end"},
    [SETTING_TYPE_MONEY] = {units_parse_money,
                            "no money; write 10usd or 0.40usd, to the billionth at most"},
    [SETTING_TYPE_COUNT] = {slice_to_u64, "no whole number"},
};

/* A bare number: people forget the currency, and there might be another one some day. */
static bool suggest_money(const struct target *target, struct slice text)
{
    struct loader *loader = target->loader;
    uint64_t nanousd;
    const struct slice meant = arena_printf(&loader->scratch, "%.*susd", SLICE_ARGS(text));
    if (meant.data == NULL || units_parse_money(meant, &nanousd) != STATUS_OK)
        return false;
    loader_complain(loader, target->place,
                    arena_printf(&loader->scratch, "write %.*s", SLICE_ARGS(meant)),
                    "%s: the amount has no currency", target->setting->path);
    return true;
}

static void keep_number(const struct target *target, uint64_t number)
{
    if (target->setting->type == SETTING_TYPE_COUNT)
        *(uint32_t *)target->at = (uint32_t)number;
    else if (target->setting->type == SETTING_TYPE_MONEY)
        *(int64_t *)target->at = (int64_t)number;
    else
        *(uint64_t *)target->at = number;
}

static bool apply_number(const struct target *target, struct slice text)
{
    const enum setting_type type = target->setting->type;
    uint64_t number = 0;
    const enum status status = number_forms[type].parse(text, &number);
    if (status == STATUS_TOO_LARGE)
        return check_range(target, UINT64_MAX, text);
    if (status != STATUS_OK && type == SETTING_TYPE_MONEY && suggest_money(target, text))
        return false;
    if (status != STATUS_OK)
        return refuse(target, text, number_forms[type].expected);
    if (!check_range(target, number, text))
        return false;
    keep_number(target, number);
    return true;
}

static bool apply_period(const struct target *target, struct slice text)
{
    if (text.size > 0)
        return apply_number(target, text);
    keep_number(target, 0);
    return true;
}

static bool apply_date(const struct target *target, struct slice text)
{
    uint64_t time_us;
    if (date_parse(text, &time_us) != STATUS_OK)
        return refuse(target, text, "no day; write 2026-01-31 or 2026-01-31T12:00:00Z");
    *(uint64_t *)target->at = time_us;
    return true;
}

static bool apply_plain_text(const struct target *target, struct slice text)
{
    char expected[64];
    const struct setting *setting = target->setting;
    if (text.size >= setting->min && text.size <= setting->max) {
        *(struct slice *)target->at = loader_keep(target->loader, text);
        return true;
    }
    snprintf(expected, sizeof(expected), "out of range: it may have %llu to %llu bytes",
             (unsigned long long)setting->min, (unsigned long long)setting->max);
    return refuse(target, text, expected);
}

static bool apply_bool(const struct target *target, struct slice text)
{
    const bool is_true = slice_equal(text, SLICE("true"));
    if (!is_true && !slice_equal(text, SLICE("false")))
        return refuse(target, text, "neither true nor false");
    *(bool *)target->at = is_true;
    return true;
}

/* Of a URL only the scheme is quoted: what follows may hold a password. */
static bool apply_choice(const struct target *target, struct slice text)
{
    const char *const *choices = target->setting->choices;
    struct slice words[CHOICES_MAX] = {{0}};
    size_t count = 0;
    for (; count < CHOICES_MAX && choices[count] != NULL; count++) {
        words[count] = slice_from_text(choices[count]);
        if (slice_equal(words[count], text)) {
            *(unsigned *)target->at = (unsigned)count;
            return true;
        }
    }
    const struct slice shown = slice_of(text.data, slice_find_byte(text, ':'));
    const struct slice nearest = nearest_word(words, count, shown);
    loader_complain(target->loader, target->place,
                    loader_did_you_mean(target->loader, nearest.size > 0 ? nearest : words[0]),
                    count == 1 ? "%s: '%.*s' is not in this version"
                               : "%s: '%.*s' is none of its values",
                    target->setting->path, SLICE_ARGS(shown));
    return false;
}

/* What the environment or the command line names counts from the working directory, as it does
 * for every program. */
static struct slice resolve_path(const struct target *target, struct slice text)
{
    const enum config_origin_kind kind = target->place->origin.kind;
    const bool is_direct = kind == CONFIG_ORIGIN_ENVIRONMENT || kind == CONFIG_ORIGIN_COMMAND_LINE;
    return is_direct ? loader_keep(target->loader, text) : loader_path(target->loader, text);
}

static bool apply_path(const struct target *target, struct slice text)
{
    if (text.size == 0)
        return refuse(target, text, "no path");
    *(struct slice *)target->at = resolve_path(target, text);
    return true;
}

/* Only whether the file is there and could be PEM: TLS itself tells the rest when it starts. */
static bool apply_pem(const struct target *target, struct slice text)
{
    struct buffer content;
    struct reason reason;
    if (text.size == 0)
        return refuse(target, text, "no path");
    const struct slice path = resolve_path(target, text);
    buffer_init(&content, PEM_BYTES_MAX);
    const enum status status = loader_read(target->loader, path.data, &content, &reason);
    const bool is_pem =
        slice_find(buffer_slice(&content), SLICE("-----BEGIN ")) < buffer_slice(&content).size;
    buffer_fini(&content);
    if (status != STATUS_OK)
        loader_complain(target->loader, target->place, (struct slice){0}, "%s: cannot read %s",
                        target->setting->path, reason.text);
    else if (!is_pem)
        loader_complain(target->loader, target->place, (struct slice){0},
                        "%s: %.*s holds nothing in PEM form", target->setting->path,
                        SLICE_ARGS(path));
    else
        *(struct slice *)target->at = path;
    return status == STATUS_OK && is_pem;
}

static struct slice without_line_ends(struct slice text)
{
    while (text.size > 0 && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r'))
        text.size--;
    return text;
}

static bool read_secret(const struct target *target, struct slice path, struct slice *secret_out)
{
    struct loader *loader = target->loader;
    struct reason reason;
    struct buffer content;
    const struct slice full = loader_path(loader, path);
    buffer_init(&content, CONFIG_SECRET_BYTES_MAX);
    const enum status status = loader_read(loader, full.data, &content, &reason);
    const struct slice secret = without_line_ends(buffer_slice(&content));
    if (status != STATUS_OK)
        loader_complain(loader, target->place, (struct slice){0}, "%s: cannot read the secret: %s",
                        target->setting->path, reason.text);
    else if (secret.size == 0)
        loader_complain(loader, target->place, (struct slice){0}, "%s: the file %.*s is empty",
                        target->setting->path, SLICE_ARGS(full));
    else
        *secret_out = loader_keep(loader, secret);
    buffer_fini(&content);
    return status == STATUS_OK && secret.size > 0;
}

bool value_secret(const struct target *target, struct slice text, struct slice *secret_out)
{
    struct slice secret = {0};
    if (slice_starts_with(text, SLICE("file:"))) {
        if (loader_refuse_of_store(target->loader, target->place, target->setting->path,
                                   "what the API adds reads no files") ||
            !read_secret(target, slice_from(text, 5), &secret))
            return false;
    } else {
        secret = loader_keep(target->loader, text);
    }
    if (value_has_control(secret)) {
        loader_complain(target->loader, target->place, (struct slice){0},
                        "%s: the secret holds a control character", target->setting->path);
        return false;
    }
    *secret_out = secret;
    return true;
}

static bool keep_key(const struct target *target, struct slice content, const char *where)
{
    unsigned char key[SEAL_KEY_SIZE];
    const bool is_key = seal_key_read(content, key) == STATUS_OK;
    if (is_key)
        *(struct slice *)target->at = loader_keep(target->loader, slice_of(key, sizeof(key)));
    else
        loader_complain(target->loader, target->place, SLICE("openssl rand -hex 32 makes one"),
                        "%s: %s no key of 32 bytes, in hexadecimal or base64",
                        target->setting->path, where);
    explicit_bzero(key, sizeof(key));
    return is_key;
}

/* In a file the bytes may stand as they are; a text of 32 characters is a password, not a key. */
static bool apply_key(const struct target *target, struct slice text)
{
    struct loader *loader = target->loader;
    struct reason reason;
    struct buffer content;
    if (!slice_starts_with(text, SLICE("file:")))
        return keep_key(target, text.size != SEAL_KEY_SIZE ? text : (struct slice){0}, "it is");
    buffer_init(&content, CONFIG_SECRET_BYTES_MAX);
    const struct slice path = loader_path(loader, slice_from(text, 5));
    const enum status status = loader_read(loader, path.data, &content, &reason);
    bool is_sound = false;
    if (status == STATUS_OK)
        is_sound = keep_key(target, buffer_slice(&content), "the file holds");
    else
        loader_complain(loader, target->place, (struct slice){0}, "%s: cannot read the key: %s",
                        target->setting->path, reason.text);
    seal_wipe(&content);
    return is_sound;
}

static void keep_url(struct loader *loader, struct config_url *url)
{
    struct slice *const parts[] = {&url->host, &url->authority, &url->path, &url->userinfo};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        *parts[i] = loader_keep(loader, *parts[i]);
}

static bool apply_url(const struct target *target, struct slice text)
{
    struct reason reason;
    struct config_url url = {0};
    const bool is_proxy = target->setting->type == SETTING_TYPE_PROXY;
    enum status status = STATUS_OK;
    if (!is_proxy)
        status = config_url_parse(text, &url, &reason);
    else if (text.size > 0) /* an empty one turns a proxy of the environment off */
        status = config_proxy_parse(text, &url, &reason);
    if (status != STATUS_OK) {
        loader_complain(target->loader, target->place, (struct slice){0}, "%s: %s",
                        target->setting->path, reason.text);
        return false;
    }
    keep_url(target->loader, &url);
    *(struct config_url *)target->at = url;
    return true;
}

/* A single text stands for a list of one, an empty one for an empty list. */
bool texts_apply(const struct target *target, const struct raw_value *value)
{
    struct loader *loader = target->loader;
    const struct yaml_node *node = value->node;
    if (node == NULL || node->kind == YAML_KIND_SCALAR) {
        struct slice *item = loader_alloc(loader, sizeof(*item));
        if (item == NULL)
            return false;
        *item = loader_keep(loader, value->text);
        *(struct config_texts *)target->at = (struct config_texts){item, item->size > 0 ? 1 : 0};
        return true;
    }
    if (node->kind == YAML_KIND_MAPPING) {
        loader_complain(loader, target->place, (struct slice){0}, "%s: a list is wanted",
                        target->setting->path);
        return false;
    }
    const size_t count = yaml_child_count(node);
    struct slice *items = loader_alloc(loader, (count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    bool is_sound = true;
    size_t at = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next, at++) {
        struct slice text;
        if (value_of_scalar(loader, child, &text))
            items[at] = loader_keep(loader, text);
        else
            is_sound = false;
    }
    if (is_sound)
        *(struct config_texts *)target->at = (struct config_texts){items, count};
    return is_sound;
}

static bool apply_text(const struct target *target, struct slice text)
{
    switch (target->setting->type) {
    case SETTING_TYPE_BOOL:
        return apply_bool(target, text);
    case SETTING_TYPE_CHOICE:
        return apply_choice(target, text);
    case SETTING_TYPE_PATH:
        return apply_path(target, text);
    case SETTING_TYPE_PEM:
        return apply_pem(target, text);
    case SETTING_TYPE_SECRET:
        return value_secret(target, text, target->at);
    case SETTING_TYPE_KEY:
        return apply_key(target, text);
    case SETTING_TYPE_URL:
    case SETTING_TYPE_PROXY:
        return apply_url(target, text);
    case SETTING_TYPE_PERIOD:
        return apply_period(target, text);
    case SETTING_TYPE_DATE:
        return apply_date(target, text);
    case SETTING_TYPE_TEXT:
        return apply_plain_text(target, text);
    default:
        return apply_number(target, text);
    }
}

static struct slice instead_of_nothing(const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_TYPE_SIZE:
    case SETTING_TYPE_DURATION:
    case SETTING_TYPE_MONEY:
    case SETTING_TYPE_DATE:
    case SETTING_TYPE_COUNT:
    case SETTING_TYPE_BOOL:
    case SETTING_TYPE_CHOICE:
        return SLICE("leave it out for the default");
    default:
        return SLICE("write \"\" for an empty one");
    }
}

typedef bool apply_list(const struct target *target, const struct raw_value *value);

static apply_list *const lists[] = {
    [SETTING_TYPE_TEXTS] = texts_apply,       [SETTING_TYPE_LISTENERS] = listeners_apply,
    [SETTING_TYPE_HEADERS] = headers_apply,   [SETTING_TYPE_HEADER_NAMES] = header_names_apply,
    [SETTING_TYPE_LIMITS] = limits_apply,     [SETTING_TYPE_PERCENTS] = percents_apply,
    [SETTING_TYPE_NETWORKS] = networks_apply, [SETTING_TYPE_LATER] = NULL,
};

/* What the API adds has its credential in the store, sealed, and no way to this machine's files. */
static bool is_for_file_only(struct loader *loader, const struct setting *setting,
                             const struct place *place)
{
    if (setting->type == SETTING_TYPE_SECRET)
        return loader_refuse_of_store(loader, place, setting->path,
                                      "a credential is no part of it; set it as a secret");
    return (setting->type == SETTING_TYPE_PROXY || setting->type == SETTING_TYPE_PEM) &&
           loader_refuse_of_store(loader, place, setting->path,
                                  "only the configuration file can set this");
}

bool value_apply(struct loader *loader, const struct setting *setting, void *base,
                 const struct raw_value *raw)
{
    struct raw_value value = *raw;
    const struct target target = {loader, setting, &raw->place, (char *)base + setting->offset};
    const bool is_scalar = value.node == NULL || value.node->kind == YAML_KIND_SCALAR;
    if (is_for_file_only(loader, setting, &value.place))
        return false;
    if (value.node != NULL && yaml_is_null(value.node)) {
        loader_complain(loader, &value.place, instead_of_nothing(setting),
                        "%s: the value is missing", setting->path);
        return false;
    }
    if (value.node != NULL && is_scalar)
        value.text = value.node->text;
    if (is_scalar && !value_interpolate(loader, slice_from_text(setting->path), value.text,
                                        &value.place, &value.text))
        return false;
    if (lists[setting->type] != NULL)
        return lists[setting->type](&target, &value);
    if (is_scalar)
        return apply_text(&target, value.text);
    loader_complain(loader, &value.place, (struct slice){0}, "%s: one value is wanted, not %s",
                    setting->path, value.node->kind == YAML_KIND_SEQUENCE ? "a list" : "a mapping");
    return false;
}
