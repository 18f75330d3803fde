#include "base/assert.h"
#include "base/nearest.h"
#include "config/loader.h"

#define RULES_MAX   4096
#define TARGETS_MAX 64

static const struct slice later_of_rule[] = {
    {"strategy", 8},           {"retries", 7},  {"fallbacks", 9}, {"fallbacks_context", 17},
    {"fallbacks_content", 17}, {"degraded", 8}, {"context", 7},   {"window", 6},
    {"max_output", 10}};
static const struct slice known_of_rule[] = {{"name", 4}, {"targets", 7}, {"optional", 8}};
static const struct slice known_of_target[] = {{"provider", 8}, {"model", 5}};
static const struct slice rule_example = {"- { name: fast, targets: [openai] }", 35};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A rule that is being read. */
struct draft {
    struct rule *rule;
    bool has_name, has_targets;
    bool is_optional;
    bool is_broken; /* and was complained of */
};

static bool is_one_of(struct slice word, const struct slice *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(words[i], word))
            return true;
    }
    return false;
}

static void complain_unknown(struct loader *loader, const struct yaml_node *member,
                             const struct slice *known, size_t count, const char *where)
{
    const struct place place = place_of_key(loader, member);
    if (loader_is_later_everywhere(member->key))
        loader_complain_later(loader, &place, member->key);
    else
        loader_complain(loader, &place,
                        loader_did_you_mean(loader, nearest_word(known, count, member->key)),
                        "'%.*s' is not known in a %s", SLICE_ARGS(member->key), where);
}

static struct slice nearest_provider(struct loader *loader, struct slice name)
{
    const struct config *config = loader->config;
    struct slice *names = NULL;
    if (loader_may_suggest(loader))
        names = arena_alloc(&loader->scratch, config->provider_count * sizeof(*names));
    if (names == NULL)
        return (struct slice){0};
    for (size_t i = 0; i < config->provider_count; i++)
        names[i] = config->providers[i].name;
    return nearest_word(names, config->provider_count, name);
}

static bool read_provider(struct loader *loader, const struct yaml_node *node,
                          struct rule_target *target)
{
    const struct place place = place_of_node(loader, node);
    struct slice name;
    if (!value_of_scalar(loader, node, &name))
        return false;
    const struct config_provider *provider = config_provider_find(loader->config, name);
    if (provider != NULL) {
        target->provider = (uint32_t)(provider - loader->config->providers);
        return true;
    }
    loader_complain(loader, &place, loader_did_you_mean(loader, nearest_provider(loader, name)),
                    "there is no provider '%.*s'", SLICE_ARGS(name));
    return false;
}

static bool read_model(struct loader *loader, const struct yaml_node *node,
                       struct rule_target *target)
{
    const struct place place = place_of_node(loader, node);
    struct slice name;
    if (!value_of_scalar(loader, node, &name))
        return false;
    if (name.size == 0 || name.size > RULE_NAME_BYTES_MAX) {
        loader_complain(loader, &place, SLICE("leave it out for the client's own name"),
                        "model: a name of 1 to %d bytes is wanted", RULE_NAME_BYTES_MAX);
        return false;
    }
    target->model = loader_keep(loader, name);
    return true;
}

static bool read_target_member(struct loader *loader, const struct yaml_node *member,
                               struct rule_target *target)
{
    const struct place place = place_of_key(loader, member);
    if (slice_equal(member->key, SLICE("provider")))
        return read_provider(loader, member, target);
    if (slice_equal(member->key, SLICE("model")))
        return read_model(loader, member, target);
    if (slice_equal(member->key, SLICE("weight")))
        loader_complain_later(loader, &place, member->key);
    else
        complain_unknown(loader, member, known_of_target, COUNT(known_of_target), "target");
    return false;
}

static bool read_target(struct loader *loader, const struct yaml_node *node,
                        struct rule_target *target)
{
    const struct place place = place_of_node(loader, node);
    bool is_sound = true;
    *target = (struct rule_target){0};
    if (node->kind != YAML_KIND_MAPPING)
        return read_provider(loader, node, target);
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        is_sound = read_target_member(loader, child, target) && is_sound;
    if (yaml_member(node, SLICE("provider")) != NULL)
        return is_sound;
    loader_complain(loader, &place, SLICE("{ provider: openai, model: gpt-4o-mini }"),
                    "a target needs a provider");
    return false;
}

/* Those without a credential are left out: what is left can be called. */
static void read_targets(struct loader *loader, const struct yaml_node *node, struct draft *draft)
{
    const struct place place = place_of_node(loader, node);
    const size_t written = yaml_child_count(node);
    draft->has_targets = true;
    draft->is_broken = true;
    if (node->kind != YAML_KIND_SEQUENCE || written == 0 || written > TARGETS_MAX) {
        loader_complain(loader, &place, SLICE("targets: [openai]"),
                        "targets: a list of 1 to %d is wanted", TARGETS_MAX);
        return;
    }
    struct rule_target *targets = loader_alloc(loader, written * sizeof(*targets));
    if (targets == NULL)
        return;
    bool is_sound = true;
    size_t count = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        if (!read_target(loader, child, &targets[count]))
            is_sound = false;
        else if (loader->config->providers[targets[count].provider].has_credential)
            count++;
    }
    draft->is_broken = !is_sound;
    draft->rule->targets = targets;
    draft->rule->target_count = count;
}

static void read_name(struct loader *loader, const struct yaml_node *node, struct draft *draft)
{
    const struct place place = place_of_node(loader, node);
    struct slice name;
    draft->has_name = true;
    if (!value_of_scalar(loader, node, &name)) {
        draft->is_broken = true;
        return;
    }
    if (rule_parse_name(loader_keep(loader, name), draft->rule) == STATUS_OK)
        return;
    loader_complain(loader, &place, (struct slice){0},
                    "name: '%.*s' is no model's name, nor one with a single '*' at its end",
                    SLICE_ARGS(name));
    draft->is_broken = true;
}

static void read_optional(struct loader *loader, const struct yaml_node *node, struct draft *draft)
{
    const struct place place = place_of_node(loader, node);
    struct slice text;
    if (!value_of_scalar(loader, node, &text))
        return;
    draft->is_optional = slice_equal(text, SLICE("true"));
    if (!draft->is_optional && !slice_equal(text, SLICE("false")))
        loader_complain(loader, &place, (struct slice){0},
                        "optional: '%.*s' is neither true nor false", SLICE_ARGS(text));
}

static void read_member(struct loader *loader, const struct yaml_node *member, struct draft *draft)
{
    const struct place place = place_of_key(loader, member);
    if (slice_equal(member->key, SLICE("name"))) {
        read_name(loader, member, draft);
    } else if (slice_equal(member->key, SLICE("targets"))) {
        const bool was_broken = draft->is_broken;
        read_targets(loader, member, draft);
        draft->is_broken = draft->is_broken || was_broken;
    } else if (slice_equal(member->key, SLICE("optional"))) {
        read_optional(loader, member, draft);
    } else {
        if (is_one_of(member->key, later_of_rule, COUNT(later_of_rule)))
            loader_complain_later(loader, &place, member->key);
        else
            complain_unknown(loader, member, known_of_rule, COUNT(known_of_rule), "model");
        draft->is_broken = true;
    }
}

/* Whether the rule is to be kept: one that is optional is left out without a target to call. */
static bool finish(struct loader *loader, const struct draft *draft, const struct place *place)
{
    const struct rule *rule = draft->rule;
    if (!draft->has_name || !draft->has_targets) {
        loader_complain(loader, place, rule_example, "a model needs %s",
                        draft->has_name ? "targets" : "a name");
        return false;
    }
    if (draft->is_broken)
        return false;
    if (rule->target_count > 0)
        return true;
    if (draft->is_optional)
        loader_notice(loader, "model '%.*s' is left out: no target of it has a credential",
                      SLICE_ARGS(rule->name));
    else
        loader_complain(loader, place, SLICE("give one an api_key, or say optional: true"),
                        "no target of model '%.*s' has a credential", SLICE_ARGS(rule->name));
    return false;
}

static bool read_rule(struct loader *loader, const struct yaml_node *node, struct rule *rule)
{
    struct draft draft = {.rule = rule};
    const struct place place = place_of_node(loader, node);
    *rule = (struct rule){0};
    if (node->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &place, rule_example, "a model is a name with its targets");
        return false;
    }
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        read_member(loader, child, &draft);
    return finish(loader, &draft, &place);
}

static void check_reach(struct loader *loader, const struct rule *rules, size_t count,
                        const struct place *place)
{
    const struct rule *later = &rules[count];
    const struct rule *covering = NULL;
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(rules[i].name, later->name)) {
            loader_complain(loader, place, (struct slice){0}, "model '%.*s' stands here twice",
                            SLICE_ARGS(later->name));
            return;
        }
        if (covering == NULL && rule_covers(&rules[i], later))
            covering = &rules[i];
    }
    if (covering != NULL)
        loader_warn(loader, place, "model '%.*s' is never reached: '%.*s' before it matches first",
                    SLICE_ARGS(later->name), SLICE_ARGS(covering->name));
}

static bool check_section(struct loader *loader, const struct yaml_node *section)
{
    const struct place place = place_of_key(loader, section);
    if (section->kind != YAML_KIND_SEQUENCE) {
        loader_complain(loader, &place, rule_example, "models: a list is wanted");
        return false;
    }
    if (yaml_child_count(section) > RULES_MAX) {
        loader_complain(loader, &place, (struct slice){0}, "more than %d models", RULES_MAX);
        return false;
    }
    return true;
}

static void read_rules(struct loader *loader, const struct yaml_node *section)
{
    struct config *config = loader->config;
    if (!check_section(loader, section))
        return;
    const size_t written = yaml_child_count(section);
    struct rule *rules = loader_alloc(loader, (written + 1) * sizeof(*rules));
    struct config_origin *origins = loader_alloc(loader, (written + 1) * sizeof(*origins));
    size_t count = 0;
    if (rules == NULL || origins == NULL)
        return;
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

static const struct built_in {
    const char *name, *provider;
    bool any_listed;
} built_ins[] = {{"gpt*", "openai", false}, {"*", "local", true}};

static void note_left_out(struct loader *loader, const struct built_in *built_in)
{
    const bool is_openai = slice_equal(slice_from_text(built_in->provider), SLICE("openai"));
    loader_notice(loader,
                  "provider %s has no credential%s: models named %s are answered by the next rule "
                  "that matches",
                  built_in->provider, is_openai ? " (set OPENAI_API_KEY)" : "", built_in->name);
}

static void add_built_ins(struct loader *loader)
{
    struct config *config = loader->config;
    struct rule *rules = loader_alloc(loader, COUNT(built_ins) * sizeof(*rules));
    struct rule_target *targets = loader_alloc(loader, COUNT(built_ins) * sizeof(*targets));
    struct config_origin *origins = loader_alloc(loader, COUNT(built_ins) * sizeof(*origins));
    size_t count = 0;
    if (rules == NULL || targets == NULL || origins == NULL)
        return;
    for (size_t i = 0; i < COUNT(built_ins); i++) {
        const struct config_provider *provider =
            config_provider_find(config, slice_from_text(built_ins[i].provider));
        if (provider == NULL || !provider->has_credential) {
            note_left_out(loader, &built_ins[i]);
            continue;
        }
        targets[count] = (struct rule_target){.provider = (uint32_t)(provider - config->providers),
                                              .any_listed = built_ins[i].any_listed};
        const enum status status =
            rule_parse_name(slice_from_text(built_ins[i].name), &rules[count]);
        ASSERT(status == STATUS_OK);
        rules[count].targets = &targets[count];
        rules[count++].target_count = 1;
    }
    config->rules = (struct rules){rules, count};
    config->rule_origins = origins;
}

void rules_load(struct loader *loader, const struct yaml_node *section)
{
    if (section != NULL && !yaml_is_null(section))
        read_rules(loader, section);
    else
        add_built_ins(loader);
}
