#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "config/settings.h"
#include "config/show.h"

static const char *file_text;

/* Serves file_text as test.yaml, and a secret. */
static enum status give(void *context, const char *path, struct buffer *content,
                        struct reason *reason)
{
    (void)context;
    (void)reason;
    if (strcmp(path, "test.yaml") == 0 && file_text != NULL)
        return buffer_append(content, slice_from_text(file_text));
    if (strcmp(path, "secret") == 0)
        return buffer_append(content, SLICE("s3cret\n"));
    return STATUS_NOT_FOUND;
}

struct loaded {
    enum status status;
    const struct config *config;
    struct config_report report;
};

static struct loaded load_with(const char *text, char *const *environment)
{
    struct loaded loaded = {.config = NULL};
    file_text = text;
    const struct config_source source = {
        .path = text != NULL ? "test.yaml" : NULL, .environment = environment, .read = give};
    config_report_init(&loaded.report);
    loaded.status = config_load(&source, &loaded.report, &loaded.config);
    return loaded;
}

static struct loaded load(const char *text)
{
    return load_with(text, NULL);
}

static void unload(struct loaded *loaded)
{
    config_unref(&loaded->config);
    config_report_fini(&loaded->report);
}

/* The text is refused with one mistake, in this line, whose message holds the words. */
static void expect_mistake(const char *text, uint32_t line, const char *words)
{
    struct loaded loaded = load(text);
    assert_int_equal(loaded.status, STATUS_INVALID);
    assert_int_equal(loaded.report.error_count, 1);
    assert_int_equal(loaded.report.mistakes[0].line, line);
    if (strstr(loaded.report.mistakes[0].message.data, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, loaded.report.mistakes[0].message.data);
    unload(&loaded);
}

/* --- Defaults ------------------------------------------------------------------------------------ */

static void nothing_configured_answers_locally_and_says_so(void **state)
{
    (void)state;
    struct loaded loaded = load(NULL);
    assert_int_equal(loaded.status, STATUS_OK);
    assert_int_equal(loaded.config->rules.count, 1);
    assert_string_equal(loaded.config->rules.items[0].name.data, "*");
    assert_true(loaded.config->rules.items[0].targets[0].any_listed);
    assert_int_equal(loaded.config->notices.count, 1);
    assert_int_equal(loaded.config->listen.items[0].address.port, 8000);
    assert_int_equal(loaded.config->transport.body_bytes, 32u << 20);
    unload(&loaded);
}

static void a_key_in_the_environment_sends_gpt_models_to_openai(void **state)
{
    (void)state;
    char *const environment[] = {(char[]){"OPENAI_API_KEY=k"}, NULL};
    struct loaded loaded = load_with(NULL, environment);
    assert_int_equal(loaded.config->rules.count, 2);
    assert_string_equal(loaded.config->rules.items[0].name.data, "gpt*");
    assert_int_equal(loaded.config->notices.count, 0);
    unload(&loaded);
}

/* --- Where values come from ------------------------------------------------------------------------ */

static void the_environment_wins_over_the_file(void **state)
{
    (void)state;
    char *const environment[] = {(char[]){"WEIR_TIMEOUTS_DRAIN=7s"},
                                 (char[]){"WEIR_PORT=tcp://10.0.0.1"}, NULL};
    struct loaded loaded = load_with("timeouts: { drain: 9s, idle: 3s }\n", environment);
    assert_int_equal(loaded.status, STATUS_OK);
    assert_int_equal(loaded.config->timeouts.drain_ms, 7000);
    assert_int_equal(loaded.config->timeouts.idle_ms, 3000);
    unload(&loaded);
}

static void variables_are_put_in_after_parsing(void **state)
{
    (void)state;
    char *const environment[] = {(char[]){"DRAIN=9"}, (char[]){"EMPTY="}, NULL};
    struct loaded loaded = load_with("timeouts: { drain: \"${DRAIN}s\", idle: \"${EMPTY:-4s}\" }\n"
                                     "cors: { origins: \"${DRAIN:-*}://x\" }\n",
                                     environment);
    assert_int_equal(loaded.status, STATUS_OK);
    assert_int_equal(loaded.config->timeouts.drain_ms, 9000);
    assert_int_equal(loaded.config->timeouts.idle_ms, 4000);
    unload(&loaded);
}

static void a_secret_may_stand_in_a_file_and_is_never_shown(void **state)
{
    (void)state;
    struct buffer shown;
    struct loaded loaded = load("providers: { a: { base_url: http://h/v1, api_key: 'file:secret',"
                                " headers: { X-A: s3cret } } }\n");
    assert_int_equal(loaded.status, STATUS_OK);
    assert_string_equal(loaded.config->providers[0].api_key.data, "s3cret");
    buffer_init(&shown, 1 << 20);
    assert_int_equal(config_show(loaded.config, CONFIG_FORM_TEXT, &shown), STATUS_OK);
    assert_int_equal(config_show(loaded.config, CONFIG_FORM_JSON, &shown), STATUS_OK);
    assert_int_equal(slice_find(buffer_slice(&shown), SLICE("s3cret")), shown.size);
    buffer_fini(&shown);
    unload(&loaded);
}

/* --- Mistakes -------------------------------------------------------------------------------------- */

static void each_mistake_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        const char *words;
    } cases[] = {
        {"\nlisen: x\n", 2, "'lisen' is not known"},
        {"transport:\n  header_byts: 3\n", 2, "'transport.header_byts' is not known"},
        {"transport: { body_bytes: 12XB }\n", 1, "is no size"},
        {"transport: { answer_bytes: 1KiB }\n", 1, "out of range"},
        {"timeouts: { drain: 5 }\n", 1, "is no duration"},
        {"workers: -1\n", 1, "no whole number"},
        {"workers: 1\nworkers: 2\n", 2, "stands here twice"},
        {"cache: { memory: 1GiB }\n", 1, "'cache' is not in this version"},
        {"admin: { token: x }\n", 1, "16 to 256"},
        {"store: postgres://x\n", 1, "not in this version"},
        {"listen: here:80\n", 1, "no numeric address"},
        {"admin: { listen: 0.0.0.0:1 }\n", 1, "without TLS"},
        {"listen: 127.0.0.1:8001\n", 1, "listen and admin.listen have the same address"},
        {"timeouts: { drain: \"${NOPE}\" }\n", 1, "NOPE is not set"},
        {"timeouts: { drain: \"${NOPE\" }\n", 1, "without '}'"},
        {"providers: { a: { } }\n", 1, "has no base_url"},
        {"providers: { a: { base_url: ftp://x } }\n", 1, "neither https:// nor http://"},
        {"providers: { a: { base_url: http://u:p@x } }\n", 1, "has no place here"},
        {"providers: { a: { base_url: http://x, tls: { verify: false } } }\n", 1,
         "always verified"},
        {"providers: { a: { base_url: http://x, tls: { ca: nope } } }\n", 1, "cannot read nope"},
        {"providers: { a: { base_url: http://x, breaker: 1 } }\n", 1, "'breaker' is not in this"},
        {"models: [{ name: a, targets: [opnai] }]\n", 1, "there is no provider 'opnai'"},
        {"models: [{ name: a, targets: [openai] }]\n", 1, "has a credential"},
        {"models: [{ name: a*b, targets: [local] }]\n", 1, "is no model's name"},
        {"models: [{ name: a, targets: [local], retries: 2 }]\n", 1, "'retries' is not in this"},
        {"models: [{ name: a, targets: [{ provider: local, weight: 2 }] }]\n", 1,
         "'weight' is not"},
        {"models: [{ targets: [local] }]\n", 1, "needs a name"},
        {"a: &x 1\n", 1, "anchors, aliases and tags"},
        {"[1, 2]\n", 1, "settings with their names"},
        {"a: [\n", 2, "expected"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_mistake(cases[i].text, cases[i].line, cases[i].words);
}

static void all_mistakes_are_told_and_the_nearest_name_with_them(void **state)
{
    (void)state;
    struct loaded loaded = load("lisen: x\ntimeots: { idle: 3 }\n");
    assert_int_equal(loaded.report.error_count, 2);
    assert_string_equal(loaded.report.mistakes[0].suggestion.data, "did you mean 'listen'?");
    assert_string_equal(loaded.report.mistakes[1].suggestion.data, "did you mean 'timeouts'?");
    unload(&loaded);
}

static void a_file_that_was_named_must_be_there(void **state)
{
    (void)state;
    const struct config_source source = {.path = "nowhere.yaml", .read = give};
    struct config_report report;
    const struct config *config;
    config_report_init(&report);
    assert_int_equal(config_load(&source, &report, &config), STATUS_INVALID);
    assert_string_equal(report.mistakes[0].file.data, "nowhere.yaml");
    config_report_fini(&report);
}

static void a_model_behind_one_that_covers_it_is_warned_of(void **state)
{
    (void)state;
    struct loaded loaded =
        load("models: [{ name: 'a*', targets: [local] }, { name: ab, targets: [local] }]\n");
    assert_int_equal(loaded.status, STATUS_OK);
    assert_int_equal(loaded.report.count, 1);
    assert_int_equal(loaded.report.mistakes[0].severity, CONFIG_SEVERITY_WARNING);
    unload(&loaded);
}

/* --- The rest ---------------------------------------------------------------------------------------- */

static void what_takes_a_restart_is_named(void **state)
{
    (void)state;
    struct buffer names;
    struct loaded old = load("workers: 2\ntimeouts: { idle: 3s }\n");
    struct loaded new = load("workers: 3\ntimeouts: { idle: 4s }\n");
    buffer_init(&names, 1024);
    assert_int_equal(config_diff_restart(old.config, new.config, &names), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&names), SLICE("workers")));
    buffer_fini(&names);
    unload(&old);
    unload(&new);
}

static void each_setting_stands_on_the_page(void **state)
{
    (void)state;
    static char page[65536];
    FILE *file = fopen("docs/configuration.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
    fclose(file);
    const struct settings *tables[] = {&settings_of_config, &settings_of_provider,
                                       &settings_of_rule, &settings_of_price};
    for (size_t t = 0; t < 4; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            char quoted[80];
            snprintf(quoted, sizeof(quoted), "`%s`", tables[t]->items[i].path);
            if (strstr(page, quoted) == NULL)
                fail_msg("%s is not in docs/configuration.md", quoted);
        }
    }
}

static void loading_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        alloc_fail_nth(nth);
        struct loaded loaded = load("providers: { a: { base_url: http://h/v1 } }\n"
                                    "models: [{ name: x, targets: [a] }]\n");
        alloc_fail_nth(-1);
        const enum status status = loaded.status;
        unload(&loaded);
        if (status == STATUS_OK)
            break;
        assert_true(nth < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_configured_answers_locally_and_says_so),
        cmocka_unit_test(a_key_in_the_environment_sends_gpt_models_to_openai),
        cmocka_unit_test(the_environment_wins_over_the_file),
        cmocka_unit_test(variables_are_put_in_after_parsing),
        cmocka_unit_test(a_secret_may_stand_in_a_file_and_is_never_shown),
        cmocka_unit_test(each_mistake_is_named_with_its_line),
        cmocka_unit_test(all_mistakes_are_told_and_the_nearest_name_with_them),
        cmocka_unit_test(a_file_that_was_named_must_be_there),
        cmocka_unit_test(a_model_behind_one_that_covers_it_is_warned_of),
        cmocka_unit_test(what_takes_a_restart_is_named),
        cmocka_unit_test(each_setting_stands_on_the_page),
        cmocka_unit_test(loading_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
