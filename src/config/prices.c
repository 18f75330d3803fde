#include <string.h>

#include "base/assert.h"
#include "config/loader.h"

#define PRICES_MAX 4096

static const struct slice price_example = {
    "- { provider: local, model: ours, input: 0.40usd, output: 1.60usd }", 67};

/* One that is being read. */
struct draft {
    struct loader *loader;
    struct config_price *price;
    struct config_origin *origins; /* one for each of settings_of_price */
    struct place place;
};

static int64_t *amount_of(struct config_price *price, const struct setting *setting)
{
    return (int64_t *)(void *)((char *)price + setting->offset);
}

static void unset_amounts(struct config_price *price)
{
    for (size_t i = 0; i < settings_of_price.count; i++) {
        if (settings_of_price.items[i].type == SETTING_TYPE_MONEY)
            *amount_of(price, &settings_of_price.items[i]) = CONFIG_PRICE_UNSET;
    }
}

static bool has_amount(struct config_price *price)
{
    for (size_t i = 0; i < settings_of_price.count; i++) {
        const struct setting *setting = &settings_of_price.items[i];
        if (setting->type == SETTING_TYPE_MONEY && *amount_of(price, setting) != CONFIG_PRICE_UNSET)
            return true;
    }
    return false;
}

static struct place place_of(const struct draft *draft, const char *path)
{
    const struct setting *setting = settings_find(&settings_of_price, slice_from_text(path));
    ASSERT(setting != NULL);
    return place_of_origin(draft->loader, setting,
                           draft->origins[setting - settings_of_price.items]);
}

static void check_provider(const struct draft *draft)
{
    const struct slice name = draft->price->provider;
    const struct place place = place_of(draft, "provider");
    if (providers_find(draft->loader, name) == NULL)
        providers_complain_unknown(draft->loader, &place, name);
}

static void check_model(const struct draft *draft)
{
    struct rule rule;
    const struct place place = place_of(draft, "model");
    if (rule_parse_name(draft->price->model, &rule) != STATUS_OK)
        loader_complain(draft->loader, &place, (struct slice){0},
                        "model: '%.*s' is no model's name, nor one with a single '*' at its end",
                        SLICE_ARGS(draft->price->model));
}

/* A mistake in a member was complained of already; then the rest is not looked at. */
static void check_price(const struct draft *draft, const struct yaml_node *node)
{
    const bool has_provider = yaml_member(node, SLICE("provider")) != NULL;
    const bool has_model = yaml_member(node, SLICE("model")) != NULL;
    if (!has_provider || !has_model) {
        loader_complain(draft->loader, &draft->place, price_example, "a price needs a %s",
                        has_provider ? "model" : "provider");
        return;
    }
    check_provider(draft);
    check_model(draft);
    if (!has_amount(draft->price))
        loader_complain(draft->loader, &draft->place, price_example,
                        "a price needs an amount, such as input or output");
}

static bool read_price(struct loader *loader, const struct yaml_node *node,
                       struct config_price *price)
{
    const size_t errors = loader->report->error_count;
    struct draft draft = {.loader = loader, .price = price, .place = place_of_node(loader, node)};
    *price = (struct config_price){.origin = draft.place.origin};
    unset_amounts(price);
    if (node->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &draft.place, price_example, "a price is a mapping");
        return false;
    }
    draft.origins =
        arena_zeroed(&loader->scratch, settings_of_price.count * sizeof(*draft.origins));
    if (draft.origins == NULL) {
        loader->is_out_of_memory = true;
        return false;
    }
    settings_apply_mapping(loader, &settings_of_price, price, draft.origins, node);
    if (loader->report->error_count == errors)
        check_price(&draft, node);
    return loader->report->error_count == errors;
}

static bool is_same(const struct config_price *a, const struct config_price *b)
{
    return a->from_us == b->from_us && slice_equal(a->model, b->model) &&
           slice_equal(a->provider, b->provider);
}

static void check_twice(struct loader *loader, const struct config_price *prices, size_t count,
                        const struct place *place)
{
    const struct config_price *later = &prices[count];
    for (size_t i = 0; i < count; i++) {
        if (!is_same(&prices[i], later))
            continue;
        loader_complain(loader, place, SLICE("give them different days in from"),
                        "the price of %.*s/%.*s stands here twice (before in line %u)",
                        SLICE_ARGS(later->provider), SLICE_ARGS(later->model),
                        prices[i].origin.line);
        return;
    }
}

static bool check_section(struct loader *loader, const struct yaml_node *section)
{
    const struct place place = place_of_key(loader, section);
    if (section->kind != YAML_KIND_SEQUENCE)
        loader_complain(loader, &place, price_example, "prices: a list is wanted");
    else if (yaml_child_count(section) > PRICES_MAX)
        loader_complain(loader, &place, (struct slice){0}, "more than %d prices", PRICES_MAX);
    else
        return true;
    return false;
}

void prices_load(struct loader *loader, const struct yaml_node *section)
{
    if (section == NULL || yaml_is_null(section) || !check_section(loader, section))
        return;
    struct config_price *prices =
        loader_alloc(loader, (yaml_child_count(section) + 1) * sizeof(*prices));
    size_t count = 0;
    if (prices == NULL)
        return;
    for (const struct yaml_node *child = section->first; child != NULL; child = child->next) {
        const struct place place = place_of_node(loader, child);
        if (!read_price(loader, child, &prices[count]))
            continue;
        check_twice(loader, prices, count, &place);
        count++;
    }
    loader->config->prices = (struct config_prices){prices, count};
}
