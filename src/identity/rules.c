#include "identity/rules.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/cidr.h"
#include "base/slab.h"

/* A list that is not there stands for "all". */
#define ALL UINT16_MAX

_Static_assert(IDENTITY_LIST_SIZE_MAX < ALL, "a size fits beside ALL");

/* The networks follow it, then the texts of models, routes and tags. */
struct lists {
    uint16_t models_size;
    uint16_t routes_size;
    uint16_t network_count;
    uint16_t tags_size; /* 0: none */
};

/* Most have nothing but a level: then there are no lists. */
struct identity_rules {
    _Atomic uint32_t references;
    bool has_lists;
    struct level *level;
    void (*unref)(struct level **level);
    struct lists lists[];
};

static const struct lists no_lists = {ALL, ALL, ALL, 0};

_Static_assert(_Alignof(struct cidr) == 1, "networks may lie anywhere");

/* Takes the part before the first comma off the rest, and the comma. */
static struct slice take_item(struct slice *rest)
{
    const size_t comma = slice_find_byte(*rest, ',');
    const struct slice item = slice_of(rest->data, comma);
    *rest = slice_from(*rest, comma < rest->size ? comma + 1 : comma);
    return item;
}

/* An empty text is no item; else each comma begins another, even at the end. */
static size_t item_count(struct slice list)
{
    size_t count = list.size > 0;
    for (size_t i = 0; i < list.size; i++)
        count += list.data[i] == ',';
    return count;
}

static enum status check_size(struct slice list, const char *name, struct reason *reason)
{
    if (list.size <= IDENTITY_LIST_SIZE_MAX)
        return STATUS_OK;
    reason_set(reason, "the %s have more than %d bytes together", name, IDENTITY_LIST_SIZE_MAX);
    return STATUS_TOO_LARGE;
}

static enum status check_sizes(const struct identity_rules_spec *spec, struct reason *reason)
{
    enum status status = check_size(spec->models, "models", reason);
    if (status == STATUS_OK)
        status = check_size(spec->routes, "routes", reason);
    if (status == STATUS_OK)
        status = check_size(spec->networks, "networks", reason);
    if (status == STATUS_OK)
        status = check_size(spec->tags, "tags", reason);
    return status;
}

static enum status read_networks(struct slice list, size_t count, char *at, struct reason *reason)
{
    for (size_t i = 0; i < count; i++) {
        struct cidr network;
        const enum status status = cidr_parse(take_item(&list), &network, reason);
        if (status != STATUS_OK)
            return status;
        memcpy(at + i * sizeof(network), &network, sizeof(network));
    }
    return STATUS_OK;
}

static char *append(char *at, struct slice text)
{
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

static uint16_t size_of_list(struct slice list, size_t size)
{
    return list.data == NULL ? ALL : (uint16_t)size;
}

static size_t size_of_all(uint16_t size)
{
    return size == ALL ? 0 : size;
}

static bool has_lists(const struct identity_rules_spec *spec)
{
    return spec->models.data != NULL || spec->routes.data != NULL || spec->networks.data != NULL ||
           spec->tags.size > 0;
}

static size_t lists_bytes(const struct identity_rules_spec *spec, size_t network_count)
{
    return sizeof(struct lists) + network_count * sizeof(struct cidr) + spec->models.size +
           spec->routes.size + spec->tags.size;
}

/* Statuses of cidr_parse(). */
static enum status fill_lists(const struct identity_rules_spec *spec, size_t network_count,
                              struct lists *lists, struct reason *reason)
{
    char *at = (char *)(lists + 1);
    const enum status status = read_networks(spec->networks, network_count, at, reason);
    if (status != STATUS_OK)
        return status;
    lists->network_count = size_of_list(spec->networks, network_count);
    lists->models_size = size_of_list(spec->models, spec->models.size);
    lists->routes_size = size_of_list(spec->routes, spec->routes.size);
    lists->tags_size = (uint16_t)spec->tags.size;
    at = append(at + network_count * sizeof(struct cidr), spec->models);
    at = append(at, spec->routes);
    (void)append(at, spec->tags);
    return STATUS_OK;
}

/* Rules without lists, of which there may be very many, lie in the slab. `bytes` is the size of the lists. */
static struct identity_rules *make_room(size_t bytes)
{
    if (bytes > 0)
        return alloc_zeroed(1, sizeof(struct identity_rules) + bytes);
    return slab_take(sizeof(struct identity_rules));
}

static void give_room(struct identity_rules *rules, size_t bytes)
{
    if (bytes > 0)
        alloc_free(rules);
    else
        slab_give(rules, sizeof(*rules));
}

enum status identity_rules_create(const struct identity_rules_spec *spec,
                                  struct identity_rules **rules_out, struct reason *reason)
{
    *rules_out = NULL;
    enum status status = check_sizes(spec, reason);
    if (status != STATUS_OK || (!has_lists(spec) && spec->level == NULL))
        return status;
    ASSERT(spec->level == NULL || spec->unref != NULL);
    const size_t network_count = item_count(spec->networks);
    const size_t bytes = has_lists(spec) ? lists_bytes(spec, network_count) : 0;
    struct identity_rules *rules = make_room(bytes);
    if (rules == NULL) {
        reason_set(reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    atomic_init(&rules->references, 1);
    rules->has_lists = bytes > 0;
    if (rules->has_lists)
        status = fill_lists(spec, network_count, rules->lists, reason);
    if (status != STATUS_OK) {
        give_room(rules, bytes);
        return status;
    }
    rules->level = spec->level;
    rules->unref = spec->unref;
    *rules_out = rules;
    return STATUS_OK;
}

struct identity_rules *identity_rules_ref(struct identity_rules *rules)
{
    if (rules != NULL)
        atomic_fetch_add_explicit(&rules->references, 1, memory_order_relaxed);
    return rules;
}

void identity_rules_unref(struct identity_rules **rules)
{
    struct identity_rules *last = *rules;
    *rules = NULL;
    if (last == NULL || atomic_fetch_sub_explicit(&last->references, 1, memory_order_acq_rel) != 1)
        return;
    if (last->level != NULL)
        last->unref(&last->level);
    give_room(last, identity_rules_bytes(last) - sizeof(*last));
}

static const struct lists *lists_of(const struct identity_rules *rules)
{
    return rules != NULL && rules->has_lists ? rules->lists : &no_lists;
}

static const char *networks_at(const struct lists *lists)
{
    return (const char *)(lists + 1);
}

static const char *models_at(const struct lists *lists)
{
    return networks_at(lists) + size_of_all(lists->network_count) * sizeof(struct cidr);
}

static const char *routes_at(const struct lists *lists)
{
    return models_at(lists) + size_of_all(lists->models_size);
}

static const char *tags_at(const struct lists *lists)
{
    return routes_at(lists) + size_of_all(lists->routes_size);
}

static bool pattern_matches(struct slice pattern, struct slice name)
{
    if (!slice_ends_with(pattern, SLICE("*")))
        return slice_equal(pattern, name);
    return slice_starts_with(name, slice_of(pattern.data, pattern.size - 1));
}

static bool any_matches(struct slice patterns, struct slice name)
{
    while (patterns.size > 0)
        if (pattern_matches(take_item(&patterns), name))
            return true;
    return false;
}

bool identity_rules_allow_model(const struct identity_rules *rules, struct slice model)
{
    const struct lists *lists = lists_of(rules);
    return lists->models_size == ALL ||
           any_matches(slice_of(models_at(lists), lists->models_size), model);
}

bool identity_rules_allow_route(const struct identity_rules *rules, struct slice route)
{
    const struct lists *lists = lists_of(rules);
    return lists->routes_size == ALL ||
           any_matches(slice_of(routes_at(lists), lists->routes_size), route);
}

bool identity_rules_allow_address(const struct identity_rules *rules, const unsigned char *address)
{
    const struct lists *lists = lists_of(rules);
    if (lists->network_count == ALL)
        return true;
    if (address == NULL)
        return false;
    for (size_t i = 0; i < lists->network_count; i++) {
        const void *network = networks_at(lists) + i * sizeof(struct cidr);
        if (cidr_contains(network, address))
            return true;
    }
    return false;
}

bool identity_rules_have_networks(const struct identity_rules *rules)
{
    return lists_of(rules)->network_count != ALL;
}

struct slice identity_rules_tags(const struct identity_rules *rules)
{
    const struct lists *lists = lists_of(rules);
    if (lists->tags_size == 0)
        return slice_of(NULL, 0);
    return slice_of(tags_at(lists), lists->tags_size);
}

struct level *identity_rules_level(const struct identity_rules *rules)
{
    return rules != NULL ? rules->level : NULL;
}

size_t identity_rules_bytes(const struct identity_rules *rules)
{
    if (rules == NULL)
        return 0;
    const struct lists *lists = lists_of(rules);
    const size_t texts =
        size_of_all(lists->models_size) + size_of_all(lists->routes_size) + lists->tags_size;
    const size_t networks = size_of_all(lists->network_count) * sizeof(struct cidr);
    return sizeof(*rules) + (rules->has_lists ? sizeof(*lists) + networks + texts : 0);
}
