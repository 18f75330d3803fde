#include "identity/rules.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/cidr.h"

/* A list that is not there stands for "all". */
#define ALL UINT16_MAX

_Static_assert(IDENTITY_LIST_SIZE_MAX < ALL, "a size fits beside ALL");

/* The networks come first in `bytes`, then the texts of models, routes and tags. */
struct identity_rules {
    _Atomic uint32_t references;
    uint16_t models_size;
    uint16_t routes_size;
    uint16_t network_count;
    uint16_t tags_size; /* 0: none */
    struct level *level;
    void (*unref)(struct level **level);
    char bytes[];
};

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

static bool says_nothing(const struct identity_rules_spec *spec)
{
    return spec->models.data == NULL && spec->routes.data == NULL && spec->networks.data == NULL &&
           spec->tags.size == 0 && spec->level == NULL;
}

enum status identity_rules_create(const struct identity_rules_spec *spec,
                                  struct identity_rules **rules_out, struct reason *reason)
{
    enum status status = check_sizes(spec, reason);
    if (status != STATUS_OK)
        return status;
    *rules_out = NULL;
    if (says_nothing(spec))
        return STATUS_OK;
    const size_t network_count = item_count(spec->networks);
    const size_t bytes = network_count * sizeof(struct cidr) + spec->models.size +
                         spec->routes.size + spec->tags.size;
    struct identity_rules *rules = alloc_zeroed(1, sizeof(*rules) + bytes);
    if (rules == NULL) {
        reason_set(reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    status = read_networks(spec->networks, network_count, rules->bytes, reason);
    if (status != STATUS_OK) {
        alloc_free(rules);
        return status;
    }
    atomic_init(&rules->references, 1);
    rules->network_count = size_of_list(spec->networks, network_count);
    rules->models_size = size_of_list(spec->models, spec->models.size);
    rules->routes_size = size_of_list(spec->routes, spec->routes.size);
    rules->tags_size = (uint16_t)spec->tags.size;
    char *at = append(rules->bytes + network_count * sizeof(struct cidr), spec->models);
    at = append(at, spec->routes);
    (void)append(at, spec->tags);
    rules->level = spec->level;
    rules->unref = spec->unref;
    ASSERT(rules->level == NULL || rules->unref != NULL);
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
    alloc_free(last);
}

static const char *models_at(const struct identity_rules *rules)
{
    return rules->bytes + size_of_all(rules->network_count) * sizeof(struct cidr);
}

static const char *routes_at(const struct identity_rules *rules)
{
    return models_at(rules) + size_of_all(rules->models_size);
}

static const char *tags_at(const struct identity_rules *rules)
{
    return routes_at(rules) + size_of_all(rules->routes_size);
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
    if (rules == NULL || rules->models_size == ALL)
        return true;
    return any_matches(slice_of(models_at(rules), rules->models_size), model);
}

bool identity_rules_allow_route(const struct identity_rules *rules, struct slice route)
{
    if (rules == NULL || rules->routes_size == ALL)
        return true;
    return any_matches(slice_of(routes_at(rules), rules->routes_size), route);
}

bool identity_rules_allow_address(const struct identity_rules *rules, const unsigned char *address)
{
    if (!identity_rules_have_networks(rules))
        return true;
    if (address == NULL)
        return false;
    for (size_t i = 0; i < rules->network_count; i++) {
        const void *network = rules->bytes + i * sizeof(struct cidr);
        if (cidr_contains(network, address))
            return true;
    }
    return false;
}

bool identity_rules_have_networks(const struct identity_rules *rules)
{
    return rules != NULL && rules->network_count != ALL;
}

struct slice identity_rules_tags(const struct identity_rules *rules)
{
    if (rules == NULL || rules->tags_size == 0)
        return slice_of(NULL, 0);
    return slice_of(tags_at(rules), rules->tags_size);
}

struct level *identity_rules_level(const struct identity_rules *rules)
{
    return rules != NULL ? rules->level : NULL;
}

size_t identity_rules_bytes(const struct identity_rules *rules)
{
    if (rules == NULL)
        return 0;
    const char *end = tags_at(rules) + rules->tags_size;
    return sizeof(*rules) + (size_t)(end - rules->bytes);
}
