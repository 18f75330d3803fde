#include "base/assert.h"
#include "config/loader.h"

#define RULES_MAX     4096
#define TARGETS_MAX   64
#define LATER_OF_RULE 8

static const struct slice later_of_rule[] = {
    {"strategy", 8}, {"retries", 7}, {"degraded", 8},    {"cache", 5},
    {"context", 7},  {"window", 6},  {"max_output", 10}, {"limits", 6},
};
static const struct slice known_of_rule[] = {{"name", 4}, {"targets", 7}, {"optional", 8}};
static const struct slice known_of_target[] = {{"provider", 8}, {"model", 5}};

/* --- Targets -------------------------------------------------------------------------------------------- */

struct rule_draft {
    struct rule *rule;
    struct rule_target *targets;
    bool has_name, has_targets;
    bool is_optional;
    bool is_broken; /* complained of already */
};

static bool is_one_of(struct slice word, const struct slice *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(words[i], word))
            return true;
    }
    return false;
}

static bool find_provider(struct loader *loader, struct slice name, const struct place *place,
                          uint32_t *index_out)
{
    struct slice names[64]; /* to suggest one of */
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->provider_count; i++) {
        if (slice_equal(config->providers[i].name, name)) {
            *index_out = (uint32_t)i;
            return true;
        }
    }
    size_t count = 0;
    for (; count < config->provider_count && count < 64; count++)
        names[count] = config->providers[count].name;
    loader_complain(loader, place, nearest_word(names, count, name), "there is no provider '%.*s'",
                    SLICE_ARGS(name));
    return false;
}

static bool read_text(struct loader *loader, const struct yaml_node *node, struct slice *out)
{
    const struct place place = place_of_node(loader, node);
    if (node->kind == YAML_KIND_SCALAR)
        return value_interpolate(loader, node->text, &place, out);
    loader_complain(loader, &place, (struct slice){0}, "one value is wanted");
    return false;
}

static bool read_target_mapping(struct loader *loader, const struct yaml_node *node,
                                struct rule_target *target)
{
    bool is_sound = true, has_provider = false;
    const struct place place = place_of_node(loader, node);
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        const struct place child_place = place_of_key(loader, child);
        struct slice text = {0};
        if (slice_equal(child->key, SLICE("weight"))) {
            loader_complain_later(loader, &child_place, child->key);
            is_sound = false;
        } else if (slice_equal(child->key, SLICE("provider"))) {
            has_provider = true;
            is_sound = read_text(loader, child, &text) &&
                       find_provider(loader, text, &child_place, &target->provider) && is_sound;
        } else if (slice_equal(child->key, SLICE("model"))) {
            is_sound = read_text(loader, child, &text) && is_sound;
            target->model = loader_keep(loader, text);
        } else {
            loader_complain(loader, &child_place, nearest_word(known_of_target, 2, child->key),
                            "'%.*s' is not known in a target", SLICE_ARGS(child->key));
            is_sound = false;
        }
    }
    if (!has_provider)
        loader_complain(loader, &place, (struct slice){0}, "a target needs a provider");
    return is_sound && has_provider;
}

static bool read_target(struct loader *loader, const struct yaml_node *node,
                        struct rule_target *target)
{
    struct slice name;
    const struct place place = place_of_node(loader, node);
    *target = (struct rule_target){0};
    if (node->kind == YAML_KIND_MAPPING)
        return read_target_mapping(loader, node, target);
    return read_text(loader, node, &name) && find_provider(loader, name, &place, &target->provider);
}

/* Those without a credential are left out: what is left is called. */
static void read_targets(struct loader *loader, const struct yaml_node *node,
                         struct rule_draft *draft)
{
    const struct place place = place_of_node(loader, node);
    draft->has_targets = true;
    draft->targets = loader_alloc(loader, TARGETS_MAX * sizeof(struct rule_target));
    if (draft->targets == NULL)
        return;
    if (node->kind != YAML_KIND_SEQUENCE || node->first == NULL) {
        loader_complain(loader, &place, SLICE("targets: [openai]"), "targets: a list is wanted");
        draft->is_broken = true;
        return;
    }
    size_t count = 0;
    for (const struct yaml_node *child = node->first; child != NULL && count < TARGETS_MAX;
         child = child->next) {
        if (!read_target(loader, child, &draft->targets[count]))
            draft->is_broken = true;
        else if (loader->config->providers[draft->targets[count].provider].has_credential)
            count++;
    }
    draft->rule->targets = draft->targets;
    draft->rule->target_count = count;
}

/* --- Rules ----------------------------------------------------------------------------------------------- */

static void read_name(struct loader *loader, const struct yaml_node *node, struct rule_draft *draft)
{
    struct slice name;
    const struct place place = place_of_node(loader, node);
    draft->has_name = true;
    if (!read_text(loader, node, &name)) {
        draft->is_broken = true;
        return;
    }
    if (rule_parse_name(loader_keep(loader, name), draft->rule) != STATUS_OK) {
        loader_complain(loader, &place, (struct slice){0},
                        "name: '%.*s' is no model's name, nor one with a single '*' at its end",
                        SLICE_ARGS(name));
        draft->is_broken = true;
    }
}

static void read_optional(struct loader *loader, const struct yaml_node *node,
                          struct rule_draft *draft)
{
    struct slice text;
    const struct place place = place_of_node(loader, node);
    if (!read_text(loader, node, &text))
        return;
    draft->is_optional = slice_equal(text, SLICE("true"));
    if (!draft->is_optional && !slice_equal(text, SLICE("false")))
        loader_complain(loader, &place, (struct slice){0},
                        "optional: '%.*s' is neither true nor false", SLICE_ARGS(text));
}

static void read_member(struct loader *loader, const struct yaml_node *child,
                        struct rule_draft *draft)
{
    const struct place place = place_of_key(loader, child);
    if (slice_equal(child->key, SLICE("name"))) {
        read_name(loader, child, draft);
    } else if (slice_equal(child->key, SLICE("targets"))) {
        read_targets(loader, child, draft);
    } else if (slice_equal(child->key, SLICE("optional"))) {
        read_optional(loader, child, draft);
    } else if (is_one_of(child->key, later_of_rule, LATER_OF_RULE) ||
               slice_starts_with(child->key, SLICE("fallbacks"))) {
        loader_complain_later(loader, &place, child->key);
        draft->is_broken = true;
    } else {
        loader_complain(loader, &place, nearest_word(known_of_rule, 3, child->key),
                        "'%.*s' is not known in a model", SLICE_ARGS(child->key));
        draft->is_broken = true;
    }
}

/* Complains of members that stand twice. */
static void check_repeats(struct loader *loader, const struct yaml_node *mapping)
{
    for (const struct yaml_node *child = mapping->first; child != NULL; child = child->next) {
        for (const struct yaml_node *other = mapping->first; other != child; other = other->next) {
            const struct place place = place_of_key(loader, child);
            if (slice_equal(other->key, child->key))
                loader_complain(loader, &place, (struct slice){0},
                                "'%.*s' stands here twice (first in line %u)",
                                SLICE_ARGS(child->key), other->key_line);
        }
    }
}

/* Whether the rule is to be kept. */
static bool read_rule(struct loader *loader, const struct yaml_node *node, struct rule *rule)
{
    struct rule_draft draft = {.rule = rule};
    const struct place place = place_of_node(loader, node);
    *rule = (struct rule){0};
    if (node->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &place, SLICE("- { name: fast, targets: [openai] }"),
                        "a model is a name with its targets");
        return false;
    }
    check_repeats(loader, node);
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        read_member(loader, child, &draft);
    if (!draft.has_name || !draft.has_targets)
        loader_complain(loader, &place, (struct slice){0}, "a model needs %s",
                        draft.has_name ? "targets" : "a name");
    if (draft.is_broken || !draft.has_name || !draft.has_targets)
        return false;
    if (rule->target_count == 0 && !draft.is_optional)
        loader_complain(loader, &place, SLICE("give one an api_key, or say optional: true"),
                        "no target of model '%.*s' has a credential", SLICE_ARGS(rule->name));
    return rule->target_count > 0;
}

static void check_reach(struct loader *loader, const struct rule *rules, size_t count,
                        const struct place *place)
{
    const struct rule *later = &rules[count];
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(rules[i].name, later->name)) {
            loader_complain(loader, place, (struct slice){0}, "model '%.*s' stands here twice",
                            SLICE_ARGS(later->name));
            return;
        }
        if (rule_covers(&rules[i], later)) {
            loader_warn(loader, place,
                        "model '%.*s' is never reached: '%.*s' before it matches first",
                        SLICE_ARGS(later->name), SLICE_ARGS(rules[i].name));
            return;
        }
    }
}

static void read_rules(struct loader *loader, const struct yaml_node *section)
{
    struct config *config = loader->config;
    const struct place section_place = place_of_key(loader, section);
    size_t count = 0;
    if (section->kind != YAML_KIND_SEQUENCE) {
        loader_complain(loader, &section_place, SLICE("- { name: fast, targets: [openai] }"),
                        "models: a list is wanted");
        return;
    }
    for (const struct yaml_node *child = section->first; child != NULL; child = child->next)
        count++;
    if (count > RULES_MAX) {
        loader_complain(loader, &section_place, (struct slice){0}, "more than %d models",
                        RULES_MAX);
        return;
    }
    struct rule *rules = loader_alloc(loader, (count + 1) * sizeof(struct rule));
    struct config_origin *origins = loader_alloc(loader, (count + 1) * sizeof(*origins));
    if (rules == NULL || origins == NULL)
        return;
    count = 0;
    for (const struct yaml_node *child = section->first; child != NULL; child = child->next) {
        const struct place place = place_of_node(loader, child);
        if (!read_rule(loader, child, &rules[count]))
            continue;
        check_reach(loader, rules, count, &place);
        origins[count++] = place.origin;
    }
    config->rules = (struct rules){rules, count};
    config->rule_origins = origins;
}

/* --- The built-in rules ------------------------------------------------------------------------------------ */

static const struct built_in_rule {
    const char *name, *provider;
    bool any_listed;
} built_in_rules[] = {{"gpt*", "openai", false}, {"*", "local", true}};

#define BUILT_IN_COUNT (sizeof(built_in_rules) / sizeof(built_in_rules[0]))

static void add_notice(struct loader *loader, const struct built_in_rule *rule)
{
    struct config *config = loader->config;
    struct slice *items = (struct slice *)(uintptr_t)config->notices.items;
    if (items == NULL)
        items = loader_alloc(loader, BUILT_IN_COUNT * sizeof(struct slice));
    if (items == NULL)
        return;
    items[config->notices.count] = arena_printf(
        loader->arena,
        "provider %s has no credential: models named %s are answered by the next "
        "rule that matches%s",
        rule->provider, rule->name,
        slice_equal(slice_from_text(rule->provider), SLICE("openai")) ? " (set OPENAI_API_KEY)"
                                                                      : "");
    config->notices = (struct config_texts){items, config->notices.count + 1};
}

static void add_built_in_rules(struct loader *loader)
{
    struct config *config = loader->config;
    struct rule *rules = loader_alloc(loader, BUILT_IN_COUNT * sizeof(struct rule));
    struct rule_target *targets = loader_alloc(loader, BUILT_IN_COUNT * sizeof(struct rule_target));
    size_t count = 0;
    if (rules == NULL || targets == NULL)
        return;
    for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
        const struct config_provider *provider =
            config_provider_find(config, slice_from_text(built_in_rules[i].provider));
        ASSERT(provider != NULL);
        if (!provider->has_credential) {
            add_notice(loader, &built_in_rules[i]);
            continue;
        }
        targets[count] = (struct rule_target){.provider = (uint32_t)(provider - config->providers),
                                              .any_listed = built_in_rules[i].any_listed};
        const enum status status =
            rule_parse_name(slice_from_text(built_in_rules[i].name), &rules[count]);
        ASSERT(status == STATUS_OK);
        rules[count].targets = &targets[count];
        rules[count++].target_count = 1;
    }
    config->rules = (struct rules){rules, count};
    config->rule_origins = loader_alloc(loader, BUILT_IN_COUNT * sizeof(struct config_origin));
}

void rules_load(struct loader *loader, const struct yaml_node *section)
{
    if (section != NULL)
        read_rules(loader, section);
    else
        add_built_in_rules(loader);
}
