#include <stddef.h>

#include "base/nearest.h"
#include "config/loader.h"

#define LISTENERS_MAX 64

static bool read_address(const struct target *target, struct slice text, const struct place *place,
                         struct config_listener *listener)
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

static bool read_tls(const struct target *target, const struct yaml_node *node,
                     struct config_listener *listener)
{
    static const struct setting items[] = {
        {"certificate", SETTING_TYPE_PEM, offsetof(struct config_listener, certificate), 0, 0, NULL,
         NULL},
        {"key", SETTING_TYPE_PEM, offsetof(struct config_listener, key), 0, 0, NULL, NULL},
    };
    static const struct settings settings = {items, 2, NULL, 0};
    struct config_origin origins[2];
    struct loader *loader = target->loader;
    const struct place place = place_of_node(loader, node);
    const size_t errors_before = loader->report->error_count;
    if (node->kind == YAML_KIND_MAPPING)
        settings_apply_mapping(loader, &settings, listener, origins, node);
    if (loader->report->error_count > errors_before)
        return false;
    if (listener->certificate.size > 0 && listener->key.size > 0)
        return true;
    loader_complain(loader, &place, SLICE("tls: {certificate: cert.pem, key: key.pem}"),
                    "%s: tls takes both certificate and key", target->setting->path);
    return false;
}

static bool read_member(const struct target *target, const struct yaml_node *member,
                        struct config_listener *listener)
{
    static const struct slice known[] = {{"address", 7}, {"tls", 3}};
    struct loader *loader = target->loader;
    const struct place place = place_of_key(loader, member);
    struct slice text;
    if (slice_equal(member->key, SLICE("address")))
        return value_of_scalar(loader, member, &text) &&
               read_address(target, text, &place, listener);
    if (slice_equal(member->key, SLICE("tls")))
        return read_tls(target, member, listener);
    loader_complain(loader, &place,
                    loader_did_you_mean(loader, nearest_word(known, 2, member->key)),
                    "%s: '%.*s' is not known here, only address and tls are", target->setting->path,
                    SLICE_ARGS(member->key));
    return false;
}

static bool read_mapping(const struct target *target, const struct yaml_node *node,
                         struct config_listener *listener)
{
    const struct place place = place_of_node(target->loader, node);
    bool is_sound = true;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        is_sound = read_member(target, child, listener) && is_sound;
    if (is_sound && listener->address.ip.size == 0) {
        loader_complain(target->loader, &place, SLICE("address: 127.0.0.1:8000"),
                        "%s: a listener needs an address", target->setting->path);
        return false;
    }
    return is_sound;
}

static bool read_listener(const struct target *target, const struct yaml_node *node,
                          struct config_listener *listener)
{
    const struct place place = place_of_node(target->loader, node);
    struct slice text;
    if (node->kind == YAML_KIND_MAPPING)
        return read_mapping(target, node, listener);
    return value_of_scalar(target->loader, node, &text) &&
           read_address(target, text, &place, listener);
}

static bool read_list(const struct target *target, const struct yaml_node *node,
                      struct config_listener *items)
{
    bool is_sound = true;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        is_sound = read_listener(target, child, items++) && is_sound;
    return is_sound;
}

/* One address as text, one listener as a mapping, or a list of either; "" is none. */
bool listeners_apply(const struct target *target, const struct raw_value *value)
{
    struct loader *loader = target->loader;
    const struct yaml_node *node = value->node;
    const bool is_text = node == NULL || node->kind == YAML_KIND_SCALAR;
    const bool is_list = !is_text && node->kind == YAML_KIND_SEQUENCE;
    const size_t count = is_list ? yaml_child_count(node) : !is_text || value->text.size > 0;
    if (count > LISTENERS_MAX) {
        loader_complain(loader, target->place, (struct slice){0}, "%s: more than %d listeners",
                        target->setting->path, LISTENERS_MAX);
        return false;
    }
    struct config_listener *items = loader_alloc(loader, (count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    bool is_sound = true;
    if (is_list)
        is_sound = read_list(target, node, items);
    else if (!is_text)
        is_sound = read_mapping(target, node, items);
    else if (count > 0)
        is_sound = read_address(target, value->text, target->place, items);
    if (is_sound)
        *(struct config_listeners *)target->at = (struct config_listeners){items, count};
    return is_sound;
}
