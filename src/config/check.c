#include <stdlib.h>

#include "config/loader.h"

/* As of the keys that applications bring along. */
#define TOKEN_BYTES_MIN 16
#define TOKEN_BYTES_MAX 256

struct named_listeners {
    const struct setting *setting;
    const struct config_listeners *listeners;
    struct config_origin origin;
};

static struct named_listeners listeners_of(const struct loader *loader, const char *path)
{
    const struct setting *setting = settings_find(&settings_of_config, slice_from_text(path));
    const void *at = (const char *)loader->config + setting->offset;
    return (struct named_listeners){setting, at,
                                    loader->config->origins[setting - settings_of_config.items]};
}

static void complain_of(struct loader *loader, const char *path, struct slice suggestion,
                        const char *message)
{
    const struct setting *setting = settings_find(&settings_of_config, slice_from_text(path));
    const struct place place = place_of_origin(
        loader, setting, loader->config->origins[setting - settings_of_config.items]);
    loader_complain(loader, &place, suggestion, "%s: %s", path, message);
}

static void check_listen(struct loader *loader)
{
    if (loader->config->listen.count == 0)
        complain_of(loader, "listen", SLICE("127.0.0.1:8000"), "an address is wanted");
}

/* A token that goes over the wire in the clear is anybody's. */
static void check_admin_listeners(struct loader *loader)
{
    const struct config_admin *admin = &loader->config->admin;
    for (size_t i = 0; i < admin->listen.count && !admin->insecure; i++) {
        const struct config_listener *listener = &admin->listen.items[i];
        if (listener->certificate.size > 0 || config_ip_is_loopback(&listener->address.ip))
            continue;
        complain_of(loader, "admin.listen",
                    SLICE("give it tls, use 127.0.0.1, or say admin.insecure: true"),
                    "an address that others can reach, without TLS");
        return;
    }
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return text.size >= TOKEN_BYTES_MIN && text.size <= TOKEN_BYTES_MAX;
}

static void check_admin_token(struct loader *loader)
{
    const struct slice token = loader->config->admin.token;
    if (token.size > 0 && !is_token(token))
        complain_of(loader, "admin.token", SLICE("`openssl rand -hex 32` makes one"),
                    "a token is 16 to 256 printable ASCII characters without spaces");
}

static bool have_same_address(const struct config_listeners *a, const struct config_listeners *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = a == b ? i + 1 : 0; j < b->count; j++) {
            if (a->items[i].address.port != 0 && /* 0 is a different one each time */
                config_address_equal(&a->items[i].address, &b->items[j].address))
                return true;
        }
    }
    return false;
}

/* The complaint stands where the one of the two stands that somebody wrote. */
static void check_pair(struct loader *loader, const struct named_listeners *a,
                       const struct named_listeners *b)
{
    if (!have_same_address(a->listeners, b->listeners))
        return;
    const struct named_listeners *written = b->origin.kind != CONFIG_ORIGIN_DEFAULT ? b : a;
    const struct place place = place_of_origin(loader, written->setting, written->origin);
    if (a == b)
        loader_complain(loader, &place, (struct slice){0},
                        "%s: two listeners have the same address", a->setting->path);
    else
        loader_complain(loader, &place, (struct slice){0}, "%s and %s have the same address",
                        a->setting->path, b->setting->path);
}

static void check_overlap(struct loader *loader)
{
    const struct named_listeners all[] = {listeners_of(loader, "listen"),
                                          listeners_of(loader, "admin.listen"),
                                          listeners_of(loader, "metrics.listen")};
    for (size_t a = 0; a < 3; a++) {
        for (size_t b = a; b < 3; b++)
            check_pair(loader, &all[a], &all[b]);
    }
}

/* RFC 6454 section 6.2: a scheme, a host and perhaps a port, and no path: with one, nothing that a
 * browser sends would ever be equal to it. */
static bool is_origin(struct slice text)
{
    const size_t scheme = slice_find(text, SLICE("://"));
    if (slice_equal(text, SLICE("*")))
        return true;
    if (scheme == 0 || scheme == text.size)
        return false;
    const struct slice rest = slice_from(text, scheme + 3);
    for (size_t i = 0; i < text.size; i++) {
        const char byte = text.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '*' || (byte >= 'A' && byte <= 'Z'))
            return false;
    }
    return rest.size > 0 && slice_find_byte(rest, '/') == rest.size;
}

static void check_cors(struct loader *loader)
{
    const struct config_texts *origins = &loader->config->cors.origins;
    const struct setting *setting = settings_find(&settings_of_config, SLICE("cors.origins"));
    const struct place place = place_of_origin(
        loader, setting, loader->config->origins[setting - settings_of_config.items]);
    for (size_t i = 0; i < origins->count; i++) {
        if (!is_origin(origins->items[i]))
            loader_complain(loader, &place, SLICE("write https://app.example, in lower case"),
                            "cors.origins: '%.*s' is no origin", SLICE_ARGS(origins->items[i]));
    }
}

static void check_memory(struct loader *loader)
{
    const struct config_transport *transport = &loader->config->transport;
    if (transport->body_memory_bytes < transport->body_bytes)
        complain_of(loader, "transport.body_memory", (struct slice){0},
                    "it is less than transport.body_bytes, so the largest body would never fit");
    if (transport->body_memory_bytes < transport->answer_bytes)
        complain_of(
            loader, "transport.body_memory", (struct slice){0},
            "it is less than transport.answer_bytes, so the largest answer would never fit");
}

/* Sound where nobody but a proxy reaches weir, and wide open where somebody does. */
static void check_trust(struct loader *loader)
{
    const struct config_networks *networks = &loader->config->trusted_proxies;
    const struct setting *setting = settings_find(&settings_of_config, SLICE("trusted_proxies"));
    const struct place place = place_of_origin(
        loader, setting, loader->config->origins[setting - settings_of_config.items]);
    for (size_t i = 0; i < networks->count; i++) {
        char text[CIDR_TEXT_BYTES];
        const unsigned size = cidr_format(&networks->items[i], text);
        if (slice_ends_with(slice_of(text, size), SLICE("/0")))
            loader_warn(loader, &place,
                        "trusted_proxies: with %.*s, who calls says what it likes of its address",
                        (int)size, text);
    }
}

void check_settings(struct loader *loader)
{
    check_listen(loader);
    check_admin_listeners(loader);
    check_admin_token(loader);
    check_overlap(loader);
    check_cors(loader);
    check_memory(loader);
    check_trust(loader);
}

/* By name, and by place where the names are the same. */
static int compare_members(const void *left, const void *right)
{
    const struct yaml_node *a = *(const struct yaml_node *const *)left;
    const struct yaml_node *b = *(const struct yaml_node *const *)right;
    const size_t size = a->key.size < b->key.size ? a->key.size : b->key.size;
    const int order = size > 0 ? memcmp(a->key.data, b->key.data, size) : 0;
    if (order != 0)
        return order;
    if (a->key.size != b->key.size)
        return a->key.size < b->key.size ? -1 : 1;
    if (a->key_line != b->key_line)
        return a->key_line < b->key_line ? -1 : 1;
    return (a->key_column > b->key_column) - (a->key_column < b->key_column);
}

static void check_mapping(struct loader *loader, const struct yaml_node *mapping)
{
    const size_t count = yaml_child_count(mapping);
    const struct yaml_node **members =
        arena_alloc(&loader->scratch, (count + 1) * sizeof(*members));
    if (members == NULL) {
        loader->is_out_of_memory = true;
        return;
    }
    size_t at = 0;
    for (const struct yaml_node *child = mapping->first; child != NULL; child = child->next)
        members[at++] = child;
    qsort(members, count, sizeof(*members), compare_members);
    for (size_t i = 1; i < count; i++) {
        const struct place place = place_of_key(loader, members[i]);
        if (slice_equal(members[i - 1]->key, members[i]->key))
            loader_complain(loader, &place, (struct slice){0},
                            "'%.*s' stands here twice (before in line %u)",
                            SLICE_ARGS(members[i]->key), members[i - 1]->key_line);
    }
}

/* As deep as the tree, which yaml_read() bounds. */
void check_repeats(struct loader *loader, const struct yaml_node *root)
{
    if (root->kind == YAML_KIND_MAPPING)
        check_mapping(loader, root);
    for (const struct yaml_node *child = root->first; child != NULL; child = child->next)
        check_repeats(loader, child);
}
