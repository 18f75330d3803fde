#include "base/assert.h"
#include "base/nearest.h"
#include "config/loader.h"

#define RULES_MAX   4096
#define TARGETS_MAX 64

static const struct slice known_of_target[] = {{"provider", 8}, {"model", 5}};
static const struct slice rule_example = {"- { name: fast, targets: [openai] }", 35};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A rule that is being read. */
struct draft {
    struct config_rule *entry;
    struct rule *rule; /* of the entry */
    bool has_name, has_targets;
    bool is_optional;
    struct config_origin *origins; /* one for each of settings_of_rule */
};

static void complain_unknown(struct loader *loader, const struct yaml_node *member)
{
    const struct place place = place_of_key(loader, member);
    const struct slice nearest = nearest_word(known_of_target, COUNT(known_of_target), member->key);
    if (loader_is_later_everywhere(member->key) || slice_equal(member->key, SLICE("weight")))
        loader_complain_later(loader, &place, member->key);
    else
        loader_complain(loader, &place, loader_did_you_mean(loader, nearest),
                        "'%.*s' is not known in a target", SLICE_ARGS(member->key));
}

static bool read_provider(struct loader *loader, const struct yaml_node *node,
                          struct rule_target *target)
{
    const struct place place = place_of_node(loader, node);
    struct slice name;
    if (!value_of_scalar(loader, node, &name))
        return false;
    const struct config_provider *provider = providers_find(loader, name);
    if (provider != NULL) {
        target->provider = (uint32_t)(provider - loader->config->providers);
        return true;
    }
    providers_complain_unknown(loader, &place, name);
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
    if (slice_equal(member->key, SLICE("provider")))
        return read_provider(loader, member, target);
    if (slice_equal(member->key, SLICE("model")))
        return read_model(loader, member, target);
    complain_unknown(loader, member);
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
    if (node->kind != YAML_KIND_SEQUENCE || written == 0 || written > TARGETS_MAX) {
        loader_complain(loader, &place, SLICE("targets: [openai]"),
                        "targets: a list of 1 to %d is wanted", TARGETS_MAX);
        return;
    }
    struct rule_target *targets = loader_alloc(loader, written * sizeof(*targets));
    if (targets == NULL)
        return;
    size_t count = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        if (read_target(loader, child, &targets[count]) &&
            loader->config->providers[targets[count].provider].has_credential)
            count++;
    }
    draft->rule->targets = targets;
    draft->rule->target_count = count;
}

static void read_name(struct loader *loader, const struct yaml_node *node, struct draft *draft)
{
    const struct place place = place_of_node(loader, node);
    struct slice name;
    draft->has_name = true;
    if (!value_of_scalar(loader, node, &name))
        return;
    if (rule_parse_name(loader_keep(loader, name), draft->rule) == STATUS_OK)
        return;
    loader_complain(loader, &place, (struct slice){0},
                    "name: '%.*s' is no model's name, nor one with a single '*' at its end",
                    SLICE_ARGS(name));
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

static void read_members(struct loader *loader, const struct yaml_node *node, struct draft *draft)
{
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        if (slice_equal(child->key, SLICE("name")))
            read_name(loader, child, draft);
        else if (slice_equal(child->key, SLICE("targets")))
            read_targets(loader, child, draft);
        else if (slice_equal(child->key, SLICE("optional")))
            read_optional(loader, child, draft);
    }
    settings_preset(loader, &settings_of_rule, draft->entry);
    settings_apply_mapping(loader, &settings_of_rule, draft->entry, draft->origins, node);
}

static void complain_of(struct loader *loader, const struct draft *draft, const char *path,
                        const char *message)
{
    const struct setting *setting = settings_find(&settings_of_rule, slice_from_text(path));
    ASSERT(setting != NULL);
    const struct place place =
        place_of_origin(loader, setting, draft->origins[setting - settings_of_rule.items]);
    loader_complain(loader, &place, (struct slice){0}, "%s: %s", path, message);
}

/* Of what the rule does not say, the catalogue may say something: that is no matter here. */
static void check_window(struct loader *loader, const struct draft *draft)
{
    const struct rule *rule = draft->rule;
    if (rule->window_tokens == 0)
        return;
    if (rule->max_output_tokens > rule->window_tokens)
        complain_of(loader, draft, "max_output", "it is more than the window");
    if (rule->reserve_output_tokens >= rule->window_tokens)
        complain_of(loader, draft, "context.reserve_output",
                    "it leaves nothing of the window for the messages");
}

static void complain_incomplete(struct loader *loader, const struct draft *draft,
                                const struct place *place)
{
    if (!draft->has_name || !draft->has_targets)
        loader_complain(loader, place, rule_example, "a model needs %s",
                        draft->has_name ? "targets" : "a name");
}

/* Whether the rule is to be kept: one that is optional is left out without a target to call. */
static bool finish(struct loader *loader, const struct draft *draft, const struct place *place)
{
    const struct rule *rule = draft->rule;
    if (rule->target_count > 0)
        return true;
    if (draft->is_optional)
        loader_notice(loader, "model '%.*s' is left out: no target of it has a credential",
                      SLICE_ARGS(rule->name));
    else
        loader_complain(loader, place,
                        SLICE("give one an api_key, leave api_key out where `weir secrets set` "
                              "gives it, or say optional: true"),
                        "no target of model '%.*s' has a credential", SLICE_ARGS(rule->name));
    return false;
}

/* `origins` has one for each of settings_of_rule. */
static bool read_rule(struct loader *loader, const struct yaml_node *node,
                      struct config_rule *entry, struct config_origin *origins)
{
    struct draft draft = {.entry = entry, .rule = &entry->rule, .origins = origins};
    const struct place place = place_of_node(loader, node);
    const size_t errors = loader->report->error_count;
    *entry = (struct config_rule){0};
    memset(origins, 0, settings_of_rule.count * sizeof(*origins));
    if (node->kind != YAML_KIND_MAPPING) {
        loader_complain(loader, &place, rule_example, "a model is a name with its targets");
        return false;
    }
    read_members(loader, node, &draft);
    complain_incomplete(loader, &draft, &place);
    check_window(loader, &draft);
    return loader->report->error_count == errors && finish(loader, &draft, &place);
}

/* The rules in their order, in arrays with room for all that may come. */
struct lists {
    struct rule *rules;
    struct limits *limits; /* of each */
    struct config_origin *origins;
    struct config_origin *of_settings; /* as many as settings_of_rule has for each */
    size_t count;
};

static void make_lists(struct loader *loader, size_t room, struct lists *lists)
{
    lists->rules = loader_alloc(loader, room * sizeof(*lists->rules));
    lists->limits = loader_alloc(loader, room * sizeof(*lists->limits));
    lists->origins = loader_alloc(loader, room * sizeof(*lists->origins));
    lists->of_settings =
        loader_alloc(loader, room * settings_of_rule.count * sizeof(*lists->of_settings));
}

static void check_reach(struct loader *loader, const struct lists *lists, const struct place *place)
{
    const struct rule *rules = lists->rules;
    const struct rule *later = &rules[lists->count];
    const struct rule *covering = NULL;
    for (size_t i = 0; i < lists->count; i++) {
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

/* Adds the rule if it is to be kept. */
static void add_rule(struct loader *loader, const struct yaml_node *node, struct lists *lists)
{
    const struct place place = place_of_node(loader, node);
    struct config_origin *of_settings = &lists->of_settings[lists->count * settings_of_rule.count];
    struct config_rule entry;
    if (!read_rule(loader, node, &entry, of_settings))
        return;
    lists->rules[lists->count] = entry.rule;
    lists->limits[lists->count] = entry.limits;
    check_reach(loader, lists, &place);
    lists->origins[lists->count++] = place.origin;
}

static void add_section(struct loader *loader, const struct yaml_node *section, struct lists *lists)
{
    for (const struct yaml_node *child = section->first; child != NULL; child = child->next)
        add_rule(loader, child, lists);
}

static bool is_named(const struct lists *lists, struct slice name)
{
    for (size_t i = 0; i < lists->count; i++) {
        if (slice_equal(lists->rules[i].name, name))
            return true;
    }
    return false;
}

static void add_entry(struct loader *loader, const struct config_entry *entry, struct lists *lists)
{
    const size_t count = lists->count;
    struct overlay_reading reading;
    overlay_begin(loader, entry, "model", &reading);
    const struct yaml_node *node = overlay_parse(loader, entry);
    if (node != NULL)
        add_rule(loader, node, lists);
    if (!overlay_end(loader, &reading))
        lists->count = count;
}

static void add_entries(struct loader *loader, const struct config_entries *entries,
                        struct lists *lists)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct config_entry *entry = &entries->items[i];
        if (!entry->is_new && is_named(lists, entry->name))
            loader_notice(loader, "model '%.*s' of the API is not used: the file has one, too",
                          SLICE_ARGS(entry->name));
        else if (lists->count < RULES_MAX)
            add_entry(loader, entry, lists);
        else
            loader_notice(loader, "model '%.*s' of the API is left out: there are %d before it",
                          SLICE_ARGS(entry->name), RULES_MAX);
    }
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

static void add_built_in(struct loader *loader, const struct built_in *built_in,
                         struct lists *lists)
{
    const struct config *config = loader->config;
    const struct config_provider *provider =
        config_provider_find(config, slice_from_text(built_in->provider));
    struct rule_target *target = loader_alloc(loader, sizeof(*target));
    struct rule *rule = &lists->rules[lists->count];
    if (target == NULL || is_named(lists, slice_from_text(built_in->name)))
        return;
    if (provider == NULL || !provider->has_credential) {
        note_left_out(loader, built_in);
        return;
    }
    *target = (struct rule_target){.provider = (uint32_t)(provider - config->providers),
                                   .any_listed = built_in->any_listed};
    /* An entry of the store that was left out may have been read into the place. */
    *rule = (struct rule){0};
    lists->limits[lists->count] = (struct limits){.count = 0};
    memset(&lists->of_settings[lists->count * settings_of_rule.count], 0,
           settings_of_rule.count * sizeof(*lists->of_settings));
    lists->origins[lists->count] = (struct config_origin){CONFIG_ORIGIN_DEFAULT, 0, 0};
    const enum status status = rule_parse_name(slice_from_text(built_in->name), rule);
    ASSERT(status == STATUS_OK);
    rule->targets = target;
    rule->target_count = 1;
    lists->count++;
}

void rules_load(struct loader *loader, const struct yaml_node *section)
{
    static const struct config_entries none;
    const struct config_overlay *overlay = loader->source->overlay;
    const struct config_entries *entries = overlay != NULL ? &overlay->models : &none;
    const bool is_in_file = section != NULL && !yaml_is_null(section);
    const bool is_sound = !is_in_file || check_section(loader, section);
    const size_t written = is_in_file && is_sound ? yaml_child_count(section) : 0;
    struct lists lists = {.count = 0};
    make_lists(loader, written + entries->count + COUNT(built_ins), &lists);
    if (loader->is_out_of_memory || !is_sound)
        return;
    if (is_in_file)
        add_section(loader, section, &lists);
    add_entries(loader, entries, &lists);
    for (size_t i = 0; !is_in_file && i < COUNT(built_ins); i++)
        add_built_in(loader, &built_ins[i], &lists);
    loader->config->rules = (struct rules){lists.rules, lists.count};
    loader->config->rule_limits = lists.limits;
    loader->config->rule_origins = lists.origins;
    loader->config->rule_setting_origins = lists.of_settings;
}
