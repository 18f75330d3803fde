#include "loading.h"

#define PROVIDERS                                                                                  \
    "providers: {main: {base_url: http://a, api_key: x}, other: {base_url: http://b}, "            \
    "keyless: {base_url: http://c, api_key: ''}}\n"

static void names_provider(const struct config *config, const struct rule_target *target,
                           const char *name)
{
    assert_in_range(target->provider, 0, config->provider_count - 1);
    assert_text(config->providers[target->provider].name, name);
}

static void without_a_key_everything_is_answered_locally_and_that_is_said(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, NULL);
    assert_int_equal(config->rules.count, 1);
    assert_text(config->rules.items[0].name, "*");
    names_provider(config, &config->rules.items[0].targets[0], "local");
    assert_true(config->rules.items[0].targets[0].any_listed);
    assert_null(config->rules.items[0].targets[0].model.data);
    assert_int_equal(config->notices.count, 1);
    assert_true(slice_find(config->notices.items[0], SLICE("OPENAI_API_KEY")) <
                config->notices.items[0].size);
    loading_end(&loading);
}

static void with_a_key_gpt_goes_to_openai_and_nowhere_else(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"OPENAI_API_KEY=x"}};
    const struct config *config = loading_sound(&loading, NULL);
    assert_int_equal(config->rules.count, 2);
    assert_text(config->rules.items[0].name, "gpt*");
    assert_int_equal(config->rules.items[0].target_count, 1);
    names_provider(config, &config->rules.items[0].targets[0], "openai");
    assert_false(config->rules.items[0].targets[0].any_listed);
    assert_int_equal(config->notices.count, 0);
    loading_end(&loading);
}

static void rules_of_the_file_stand_in_for_the_built_in_ones(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"OPENAI_API_KEY=x"}};
    const struct config *config =
        loading_sound(&loading, PROVIDERS "models:\n"
                                          "  - name: fast\n"
                                          "    targets: [{provider: main, model: m-1}, other]\n"
                                          "  - {name: '*', targets: [local]}\n");
    const struct rule *fast = &config->rules.items[0];
    assert_int_equal(config->rules.count, 2);
    assert_int_equal(fast->target_count, 2);
    names_provider(config, &fast->targets[0], "main");
    assert_text(fast->targets[0].model, "m-1");
    names_provider(config, &fast->targets[1], "other");
    assert_null(fast->targets[1].model.data);
    assert_false(config->rules.items[1].targets[0].any_listed); /* a bare target, as written */
    loading_end(&loading);
}

static void an_empty_list_is_no_rule_and_an_empty_section_the_built_in_ones(void **state)
{
    (void)state;
    struct loading none = {0}, section = {0};
    assert_int_equal(loading_sound(&none, "models: []\n")->rules.count, 0);
    assert_int_equal(loading_sound(&section, "models:\n")->rules.count, 1);
    loading_end(&none);
    loading_end(&section);
}

static void a_target_without_a_credential_is_passed_over(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(
        &loading, PROVIDERS "models: [{name: a, targets: [keyless, main, keyless, other]}]\n");
    assert_int_equal(config->rules.items[0].target_count, 2);
    names_provider(config, &config->rules.items[0].targets[0], "main");
    names_provider(config, &config->rules.items[0].targets[1], "other");
    loading_end(&loading);
}

static void a_rule_left_without_targets_is_a_mistake_unless_it_is_optional(void **state)
{
    (void)state;
    struct loading loading = {0};
    loading_refused(PROVIDERS "models:\n  - {name: a, targets: [keyless]}\n", 3,
                    "no target of model 'a' has a credential");
    loading_refused(PROVIDERS "models:\n  - {name: a, targets: [keyless], optional: false}\n", 3,
                    "no target of model 'a' has a credential");
    const struct config *config =
        loading_sound(&loading, PROVIDERS "models: [{name: a, targets: [keyless], optional: true},"
                                          " {name: b, targets: [main], optional: true}]\n");
    assert_int_equal(config->rules.count, 1);
    assert_text(config->rules.items[0].name, "b");
    assert_int_equal(config->notices.count, 1);
    loading_end(&loading);
}

static void a_rule_needs_a_name_and_targets(void **state)
{
    (void)state;
    loading_refused("workers: 1\nmodels: {a: b}\n", 2, "a list is wanted");
    loading_refused("models:\n  - fast\n", 2, "a model is a name with its targets");
    loading_refused("models:\n  - {targets: [local]}\n", 2, "needs a name");
    loading_refused("models:\n  - {name: a}\n", 2, "needs targets");
    loading_refused("models:\n  - {}\n", 2, "needs a name");
    loading_refused("models:\n  - name: a*b\n    targets: [local]\n", 2, "is no model's name");
    loading_refused("models:\n  - name: ''\n    targets: [local]\n", 2, "is no model's name");
    loading_refused("models:\n  - name: [a]\n    targets: [local]\n", 2, "one value is wanted");
    loading_refused("models:\n  - name: a\n    targets: local\n", 3, "a list of 1 to 64");
    loading_refused("models:\n  - name: a\n    targets: []\n", 3, "a list of 1 to 64");
    loading_refused("models:\n  - name: a\n    targets:\n", 3, "a list of 1 to 64");
    loading_refused("models:\n  - name: a\n    targets: [local]\n    optional: 1\n", 4,
                    "neither true nor false");
    loading_refused("models:\n  - name: a\n    target: [local]\n    targets: [local]\n", 3,
                    "did you mean 'targets'?");
}

static void a_broken_rule_is_complained_of_once(void **state)
{
    (void)state;
    loading_refused(PROVIDERS "models:\n  - name: a*b\n    targets: [keyless]\n", 3,
                    "is no model's name");
    loading_refused(PROVIDERS "models:\n  - {name: a, retries: 2, targets: [keyless]}\n", 3,
                    "'retries' is not in this version");
}

static void a_target_names_a_provider_that_there_is(void **state)
{
    (void)state;
    loading_refused("models:\n  - name: a\n    targets: [lcoal]\n", 3, "did you mean 'local'?");
    loading_refused("models:\n  - name: a\n    targets: [xxxxxxxxxx]\n", 3,
                    "no provider 'xxxxxxxxxx'");
    loading_refused("models:\n  - name: a\n    targets:\n      - {model: m}\n", 4,
                    "a target needs a provider");
    loading_refused("models:\n  - name: a\n    targets:\n      - {provider: [x]}\n", 4,
                    "one value is wanted");
    loading_refused("models:\n  - name: a\n    targets:\n      - {provider: local, model: ''}\n", 4,
                    "a name of 1 to 256 bytes");
    loading_refused("models:\n  - name: a\n    targets:\n      - {provider: local, modle: m}\n", 4,
                    "did you mean 'model'?");
    loading_refused("models:\n  - name: a\n    targets: [[local]]\n", 3, "one value is wanted");
}

static void a_rule_may_say_what_fits_its_model(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "models:\n"
                                "  - {name: a, targets: [local], window: 128000, max_output: 4096,"
                                " context: {strategy: drop_oldest, reserve_output: 1024}}\n"
                                "  - {name: b, targets: [local], context: {strategy: middle_out}}\n"
                                "  - {name: c, targets: [local], context: {strategy: pass}}\n"
                                "  - {name: d, targets: [local], context: }\n");
    const struct rule *rules = config->rules.items;
    assert_int_equal(rules[0].window_tokens, 128000);
    assert_int_equal(rules[0].max_output_tokens, 4096);
    assert_int_equal(rules[0].reserve_output_tokens, 1024);
    assert_int_equal(rules[0].context, RULE_CONTEXT_DROP_OLDEST);
    assert_int_equal(rules[1].context, RULE_CONTEXT_MIDDLE_OUT);
    assert_int_equal(rules[1].window_tokens, 0);
    assert_int_equal(rules[2].context, RULE_CONTEXT_PASS);
    assert_int_equal(rules[3].context, RULE_CONTEXT_DEFAULT);
    assert_int_equal(rules[3].max_output_tokens, 0);
    assert_int_equal(rules[3].reserve_output_tokens, 0);
    loading_end(&loading);
}

static void what_is_said_of_one_rule_does_not_stay_for_the_next(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(
        &loading, PROVIDERS "models:\n"
                            "  - {name: a, targets: [keyless], optional: true, window: 5}\n"
                            "  - {name: b, targets: [main]}\n");
    assert_int_equal(config->rules.count, 1);
    assert_int_equal(config->rules.items[0].window_tokens, 0);
    assert_int_equal(config->rule_setting_origins[0].kind, CONFIG_ORIGIN_DEFAULT);
    loading_end(&loading);
}

static void refused_of_rule(const char *line, const char *said)
{
    char yaml[256];
    snprintf(yaml, sizeof(yaml), "models:\n  - name: a\n    targets: [local]\n    %s\n", line);
    loading_refused(yaml, 4, said);
}

static void a_window_that_cannot_be_is_refused(void **state)
{
    (void)state;
    refused_of_rule("window: 0", "1 to 100000000");
    refused_of_rule("window: 100000001", "1 to 100000000");
    refused_of_rule("window: 128k", "no whole number");
    refused_of_rule("windw: 5", "did you mean 'window'?");
    refused_of_rule("max_output: -1", "no whole number");
    refused_of_rule("context: drop_oldest", "settings with their names are wanted");
    refused_of_rule("context: {strategy: drop_odlest}", "did you mean 'drop_oldest'?");
    refused_of_rule("context: {reserve: 5, strategy: pass}", "'context.reserve' is not known");
    refused_of_rule("context: {max_output: 5}", "'context.max_output' is not known");
    refused_of_rule("reserve_output: 5", "did you mean 'context.reserve_output'?");
    loading_refused("models:\n  - name: a\n    targets: [local]\n    window: 100\n"
                    "    max_output: 101\n",
                    5, "more than the window");
    loading_refused("models:\n  - name: a\n    targets: [local]\n    window: 100\n"
                    "    context: {reserve_output: 100}\n",
                    5, "leaves nothing of the window");
}

static void keys_of_later_versions_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "strategy",          "retries",  "fallbacks", "fallbacks_context",
        "fallbacks_content", "degraded", "cache"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char yaml[128];
        snprintf(yaml, sizeof(yaml), "models:\n  - name: a\n    targets: [local]\n    %s: x\n",
                 names[i]);
        loading_refused(yaml, 4, "is not in this version");
    }
    loading_refused("models:\n  - name: a\n    targets:\n      - {provider: local, weight: 3}\n", 4,
                    "'weight' is not in this version");
}

static void a_name_that_stands_twice_is_a_mistake(void **state)
{
    (void)state;
    loading_refused("models:\n"
                    "  - {name: 'a*', targets: [local]}\n"
                    "  - {name: b, targets: [local]}\n"
                    "  - {name: b, targets: [local]}\n",
                    4, "model 'b' stands here twice");
}

static void a_rule_behind_one_that_covers_it_is_warned_of(void **state)
{
    (void)state;
    struct loading loading = {0};
    loading_sound(&loading, "models:\n"
                            "  - {name: 'a*', targets: [local]}\n"
                            "  - {name: ab, targets: [local]}\n"
                            "  - {name: '*', targets: [local]}\n"
                            "  - {name: ac, targets: [local]}\n");
    assert_int_equal(loading.report.count, 2);
    assert_int_equal(loading.report.error_count, 0);
    assert_int_equal(loading.report.mistakes[0].severity, CONFIG_SEVERITY_WARNING);
    assert_int_equal(loading.report.mistakes[0].line, 3);
    assert_true(loading_mistake_says(&loading.report.mistakes[0], "'a*' before it matches first"));
    assert_int_equal(loading.report.mistakes[1].line, 5);
    assert_true(loading_mistake_says(&loading.report.mistakes[1], "'a*' before it matches first"));
    loading_end(&loading);
}

static void rules_and_targets_are_bounded(void **state)
{
    (void)state;
    struct buffer yaml;
    buffer_init(&yaml, 1 << 20);
    buffer_append(&yaml, SLICE("workers: 1\nmodels:\n"));
    for (unsigned i = 0; i < 4097; i++)
        buffer_printf(&yaml, "  - {name: m%u, targets: [local]}\n", i);
    buffer_append_byte(&yaml, '\0');
    loading_refused(yaml.data, 2, "more than 4096 models");
    buffer_clear(&yaml);
    buffer_append(&yaml, SLICE("models:\n  - name: a\n    targets: [local"));
    for (unsigned i = 0; i < 64; i++)
        buffer_append(&yaml, SLICE(", local"));
    buffer_append(&yaml, SLICE("]\n\0"));
    loading_refused(yaml.data, 3, "a list of 1 to 64");
    buffer_fini(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_key_everything_is_answered_locally_and_that_is_said),
        cmocka_unit_test(with_a_key_gpt_goes_to_openai_and_nowhere_else),
        cmocka_unit_test(rules_of_the_file_stand_in_for_the_built_in_ones),
        cmocka_unit_test(an_empty_list_is_no_rule_and_an_empty_section_the_built_in_ones),
        cmocka_unit_test(a_target_without_a_credential_is_passed_over),
        cmocka_unit_test(a_rule_left_without_targets_is_a_mistake_unless_it_is_optional),
        cmocka_unit_test(a_rule_needs_a_name_and_targets),
        cmocka_unit_test(a_broken_rule_is_complained_of_once),
        cmocka_unit_test(a_target_names_a_provider_that_there_is),
        cmocka_unit_test(a_rule_may_say_what_fits_its_model),
        cmocka_unit_test(what_is_said_of_one_rule_does_not_stay_for_the_next),
        cmocka_unit_test(a_window_that_cannot_be_is_refused),
        cmocka_unit_test(keys_of_later_versions_are_refused),
        cmocka_unit_test(a_name_that_stands_twice_is_a_mistake),
        cmocka_unit_test(a_rule_behind_one_that_covers_it_is_warned_of),
        cmocka_unit_test(rules_and_targets_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
