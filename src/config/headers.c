#include "config/loader.h"

#define HEADERS_MAX 100

/* Fields that belong to one connection, or that weir writes for the body it sends itself: a second
 * one would let two readers see two different requests. */
static const struct slice own_headers[] = {
    {"connection", 10},
    {"content-encoding", 16},
    {"content-length", 14},
    {"content-type", 12},
    {"expect", 6},
    {"keep-alive", 10},
    {"proxy-connection", 16},
    {"proxy-authorization", 19},
    {"te", 2},
    {"trailer", 7},
    {"transfer-encoding", 17},
    {"upgrade", 7},
};

/* What identifies the client here says nothing to a provider, and is not its business. */
static const struct slice private_headers[] = {
    {"accept-encoding", 15}, {"api-key", 7},   {"authorization", 13},
    {"cookie", 6},           {"host", 4},      {"openai-organization", 19},
    {"openai-project", 14},  {"x-api-key", 9},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_one_of(struct slice name, const struct slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(names[i], name))
            return true;
    }
    return false;
}

/* RFC 9110 section 5.6.2. */
static bool is_token_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/* Gives the name in lower case. False: it was complained of. */
static bool read_name(const struct target *target, struct slice text, const struct place *place,
                      struct slice *name_out)
{
    bool is_token = text.size > 0;
    char *name = loader_alloc(target->loader, text.size + 1);
    if (name == NULL)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char byte = text.data[i];
        name[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
        is_token = is_token && is_token_byte(byte);
    }
    *name_out = slice_of(name, text.size);
    const bool is_own = is_one_of(*name_out, own_headers, COUNT(own_headers));
    if (!is_token || is_own)
        loader_complain(target->loader, place, (struct slice){0}, "%s: '%.*s' %s",
                        target->setting->path, SLICE_ARGS(text),
                        is_own ? "is written by weir itself" : "is no header's name");
    return is_token && !is_own;
}

/* What the API adds is kept in the clear, and shown; and a credential goes to its own host only. */
static bool is_refused_of_store(const struct target *target, const struct place *place,
                                struct slice name)
{
    static const char *const telling[] = {"auth",     "cookie", "credential", "key",
                                          "password", "secret", "token"};
    if (slice_equal(name, SLICE("host")))
        return loader_refuse_of_store(target->loader, place, "headers.host",
                                      "only the configuration file can set this");
    for (size_t i = 0; i < COUNT(telling); i++) {
        if (slice_find(name, slice_from_text(telling[i])) < name.size)
            return loader_refuse_of_store(target->loader, place, "headers",
                                          "a credential is no part of it; set it as a secret");
    }
    return false;
}

static bool read_header(const struct target *target, const struct yaml_node *member,
                        struct config_header *header)
{
    struct loader *loader = target->loader;
    const struct place place = place_of_key(loader, member);
    const struct target here = {loader, target->setting, &place, NULL};
    struct slice text;
    return read_name(target, member->key, &place, &header->name) &&
           !is_refused_of_store(target, &place, header->name) &&
           value_of_scalar(loader, member, &text) && value_secret(&here, text, &header->value);
}

/* Names that differ in case only are one name. */
static bool check_repeated_names(const struct target *target, const struct config_header *items,
                                 size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!slice_equal(items[i].name, items[j].name))
                continue;
            loader_complain(target->loader, target->place, (struct slice){0},
                            "%s: '%.*s' stands here twice", target->setting->path,
                            SLICE_ARGS(items[i].name));
            return false;
        }
    }
    return true;
}

static bool check_count(const struct target *target, size_t count)
{
    if (count <= HEADERS_MAX)
        return true;
    loader_complain(target->loader, target->place, (struct slice){0}, "%s: more than %d headers",
                    target->setting->path, HEADERS_MAX);
    return false;
}

bool headers_apply(const struct target *target, const struct raw_value *value)
{
    struct loader *loader = target->loader;
    const struct yaml_node *node = value->node;
    if (node == NULL || node->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, target->place, SLICE("headers: {x-name: value}"),
                        "%s: names and values are wanted", target->setting->path);
        return false;
    }
    const size_t count = yaml_child_count(node);
    if (!check_count(target, count))
        return false;
    struct config_header *items = loader_alloc(loader, (count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    bool is_sound = true;
    size_t at = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        is_sound = read_header(target, child, &items[at++]) && is_sound;
    is_sound = is_sound && check_repeated_names(target, items, count);
    if (is_sound)
        *(struct config_headers *)target->at = (struct config_headers){items, count};
    return is_sound;
}

bool header_names_apply(const struct target *target, const struct raw_value *value)
{
    struct loader *loader = target->loader;
    struct config_texts texts = {0};
    const struct target into = {loader, target->setting, target->place, &texts};
    if (!texts_apply(&into, value) || !check_count(target, texts.count))
        return false;
    struct slice *names = loader_alloc(loader, (texts.count + 1) * sizeof(*names));
    if (names == NULL)
        return false;
    bool is_sound = true;
    for (size_t i = 0; i < texts.count; i++) {
        const bool is_name = read_name(target, texts.items[i], target->place, &names[i]);
        const bool is_private = is_one_of(names[i], private_headers, COUNT(private_headers));
        if (is_name && is_private)
            loader_complain(loader, target->place, SLICE("headers: sets it to a value of yours"),
                            "%s: '%.*s' of a client never goes to a provider",
                            target->setting->path, SLICE_ARGS(texts.items[i]));
        is_sound = is_sound && is_name && !is_private;
    }
    if (is_sound)
        *(struct config_texts *)target->at = (struct config_texts){names, texts.count};
    return is_sound;
}
