/* Lists whose items are not kept as texts: limits, percents and networks.
 *
 * A single text stands for a list, too, with commas between its items: so the environment can set
 * one. An empty text is an empty list. */
#include "config/config.h"
#include "config/loader.h"

#define NETWORKS_MAX 256

/* Reads an item into the list at `target->at`. False: it was complained of, at `target->place`. */
typedef bool take_item(const struct target *target, struct slice text);

static bool take_items_of_text(const struct target *target, struct slice text, take_item *take)
{
    bool is_sound = true;
    while (text.size > 0) {
        const size_t end = slice_find_byte(text, ',');
        is_sound = take(target, slice_trim(slice_of(text.data, end))) && is_sound;
        if (end + 1 == text.size) /* a comma at the end promises an item */
            return take(target, (struct slice){0}) && is_sound;
        text = slice_from(text, end < text.size ? end + 1 : end);
    }
    return is_sound;
}

static bool take_items_of_list(const struct target *target, const struct yaml_node *list,
                               take_item *take)
{
    bool is_sound = true;
    for (const struct yaml_node *child = list->first; child != NULL; child = child->next) {
        const struct place place = place_of_node(target->loader, child);
        const struct target item = {target->loader, target->setting, &place, target->at};
        struct slice text;
        is_sound = value_of_scalar(target->loader, child, &text) && take(&item, text) && is_sound;
    }
    return is_sound;
}

/* Reads all items, at a list of the caller's instead of the setting's place. */
static bool take_items(const struct target *target, const struct raw_value *value, take_item *take,
                       void *list)
{
    const struct target inner = {target->loader, target->setting, target->place, list};
    const struct yaml_node *node = value->node;
    if (node == NULL || node->kind == YAML_KIND_SCALAR)
        return take_items_of_text(&inner, value->text, take);
    if (node->kind == YAML_KIND_SEQUENCE)
        return take_items_of_list(&inner, node, take);
    loader_complain(target->loader, target->place, (struct slice){0}, "%s: a list is wanted",
                    target->setting->path);
    return false;
}

static bool complain(const struct target *target, const char *message)
{
    loader_complain(target->loader, target->place, (struct slice){0}, "%s: %s",
                    target->setting->path, message);
    return false;
}

static bool take_limit(const struct target *target, struct slice text)
{
    struct limit limit;
    struct reason reason = {0};
    if (limit_parse(text, &limit, &reason) == STATUS_OK &&
        limits_add(target->at, &limit, &reason) == STATUS_OK)
        return true;
    return complain(target, reason.text);
}

bool limits_apply(const struct target *target, const struct raw_value *value)
{
    struct limits limits = {0};
    if (!take_items(target, value, take_limit, &limits))
        return false;
    *(struct limits *)target->at = limits;
    return true;
}

static bool take_percent(const struct target *target, struct slice text)
{
    struct config_percents *percents = target->at;
    const struct setting *setting = target->setting;
    uint64_t percent;
    if (slice_to_u64(text, &percent) != STATUS_OK || percent < setting->min ||
        percent > setting->max) {
        loader_complain(target->loader, target->place, (struct slice){0},
                        "%s: '%.*s' is no whole number from %u to %u", setting->path,
                        SLICE_ARGS(text), (unsigned)setting->min, (unsigned)setting->max);
        return false;
    }
    if (percents->count == CONFIG_ALERTS_MAX)
        return complain(target, "more than 8 of them");
    if (percents->count > 0 && percents->items[percents->count - 1] >= percent)
        return complain(target, "each must be more than the one before it");
    percents->items[percents->count++] = (uint8_t)percent;
    return true;
}

bool percents_apply(const struct target *target, const struct raw_value *value)
{
    struct config_percents percents = {0};
    if (!take_items(target, value, take_percent, &percents))
        return false;
    *(struct config_percents *)target->at = percents;
    return true;
}

/* Networks are collected here: how many there are is known only at the end. */
struct networks {
    struct cidr items[NETWORKS_MAX];
    size_t count;
};

static bool take_network(const struct target *target, struct slice text)
{
    struct networks *networks = target->at;
    struct reason reason = {0};
    if (networks->count == NETWORKS_MAX)
        return complain(target, "more than 256 of them");
    if (cidr_parse(text, &networks->items[networks->count], &reason) != STATUS_OK)
        return complain(target, reason.text);
    networks->count++;
    return true;
}

bool networks_apply(const struct target *target, const struct raw_value *value)
{
    struct loader *loader = target->loader;
    struct networks *networks = arena_zeroed(&loader->scratch, sizeof(*networks));
    if (networks == NULL) {
        loader->is_out_of_memory = true;
        return false;
    }
    if (!take_items(target, value, take_network, networks))
        return false;
    struct cidr *items = loader_alloc(loader, (networks->count + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    if (networks->count > 0)
        memcpy(items, networks->items, networks->count * sizeof(*items));
    *(struct config_networks *)target->at = (struct config_networks){items, networks->count};
    return true;
}
