#include "loading.h"

#include "base/alloc.h"

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\n"

static void the_first_file_that_is_there_is_taken(void **state)
{
    (void)state;
    struct loading loading = {.files = {{"/etc/weir/weir.yaml", "workers: 1"},
                                        {"./weir.yaml", "workers: 2"},
                                        {"/env.yaml", "workers: 3"},
                                        {"/option.yaml", "workers: 4"}},
                              .environment = {"WEIR_CONFIG=/env.yaml"},
                              .source = {.path = "/option.yaml"}};
    const struct {
        const char *path;
        uint32_t workers;
    } steps[] = {
        {"/option.yaml", 4}, {"/env.yaml", 3}, {"./weir.yaml", 2}, {"/etc/weir/weir.yaml", 1}};
    for (size_t i = 0; i < 4; i++) {
        const struct config *config = loading_sound(&loading, NULL);
        assert_text(config->file, steps[i].path);
        assert_int_equal(config->workers, steps[i].workers);
        loading_end(&loading);
        if (i == 0)
            loading.source.path = NULL;
        else if (i == 1)
            loading.environment[0] = NULL;
        else
            loading.files[1].path = "/elsewhere";
    }
    loading.files[0].path = "/elsewhere";
    assert_int_equal(loading_sound(&loading, NULL)->file.size, 0);
    loading_end(&loading);
}

static void a_file_that_was_named_must_be_there(void **state)
{
    (void)state;
    struct loading option = {.files = {{"./weir.yaml", ""}}, .source = {.path = "/no.yaml"}};
    struct loading variable = {.files = {{"./weir.yaml", ""}},
                               .environment = {"WEIR_CONFIG=/no.yaml"}};
    struct loading empty = {.files = {{"./weir.yaml", ""}}, .environment = {"WEIR_CONFIG="}};
    struct loading *const both[] = {&option, &variable};
    for (size_t i = 0; i < 2; i++) {
        loading_text(both[i], NULL);
        assert_int_equal(both[i]->status, STATUS_INVALID);
        assert_text(both[i]->report.mistakes[0].file, "/no.yaml");
        assert_true(loading_mistake_says(&both[i]->report.mistakes[0], "there is no such file"));
        loading_end(both[i]);
    }
    loading_sound(&empty, NULL);
    loading_end(&empty);
}

static void a_usual_file_that_cannot_be_read_is_not_passed_over(void **state)
{
    (void)state;
    struct loading loading = {.files = {{"./weir.yaml", NULL}}};
    loading_text(&loading, "workers: 1\n");
    assert_int_equal(loading.status, STATUS_INVALID);
    assert_text(loading.report.mistakes[0].file, "./weir.yaml");
    assert_true(loading_mistake_says(&loading.report.mistakes[0], "Permission denied"));
    loading_end(&loading);
}

static void command_line_environment_file_and_default_win_in_this_order(void **state)
{
    (void)state;
    struct loading loading = {.files = {{"./weir.yaml", "workers: 2\nlisten: 127.0.0.1:2\n"}},
                              .environment = {"WEIR_WORKERS=3", "WEIR_LISTEN=127.0.0.1:3"},
                              .source = {.workers = "4", .listen = "127.0.0.1:4"}};
    for (uint32_t wanted = 4; wanted >= 2; wanted--) {
        const struct config *config = loading_sound(&loading, NULL);
        assert_int_equal(config->workers, wanted);
        assert_int_equal(config->listen.items[0].address.port, wanted);
        loading_end(&loading);
        loading.source.workers = loading.source.listen = NULL;
        if (wanted == 3)
            loading.environment[0] = NULL;
    }
    loading.files[0].content = "";
    assert_int_equal(loading_sound(&loading, NULL)->workers, 0);
    loading_end(&loading);
}

static void an_empty_variable_counts_as_not_set_and_others_are_ignored(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"WEIR_WORKERS_X=9",
                                              "WEIR_WORKERS=", "WEIR_PORT=tcp://10.0.0.1:80",
                                              "WEIR_SERVICE_HOST=10.0.0.1", "WEIR_TRANSPORT=x",
                                              "weir_workers=9", "WEIR_CORS_ORIGINS=http://a"}};
    const struct config *config = loading_sound(&loading, "workers: 2\n");
    assert_int_equal(config->workers, 2);
    assert_text(config->cors.origins.items[0], "http://a");
    loading_end(&loading);
}

static void mistakes_outside_the_file_name_the_variable_or_option(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"WEIR_TIMEOUTS_IDLE=x"},
                              .source = {.data_dir = "", .workers = "x", .listen = "x"}};
    static const char *const names[] = {"WEIR_TIMEOUTS_IDLE", "--listen", "--workers",
                                        "--data-dir"};
    loading_text(&loading, "");
    assert_int_equal(loading.report.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_text(loading.report.mistakes[i].file, names[i]);
        assert_int_equal(loading.report.mistakes[i].line, 0);
    }
    loading_end(&loading);
}

static void unknown_names_are_refused_with_the_one_that_is_meant(void **state)
{
    (void)state;
    loading_refused("workers: 1\nlisen: x\n", 2, "did you mean 'listen'?");
    loading_refused("workers: 1\nmodel: []\n", 2, "did you mean 'models'?");
    loading_refused("workers: 1\nprovider: {}\n", 2, "did you mean 'providers'?");
    loading_refused("workers: 1\nbody_bytes: 1MiB\n", 2, "did you mean 'transport.body_bytes'?");
    loading_refused("transport:\n  header_byte: 1KiB\n", 2, "did you mean 'header_bytes'?");
    loading_refused("transport:\n  idle: 1s\n", 2, "did you mean 'timeouts.idle'?");
    loading_refused("workers: 1\ntimeouts: 5s\n", 2, "settings with their names are wanted");
    loading_refused("workers: 1\nzzzzzzzz: {a: {b: c}}\n", 2, "'zzzzzzzz' is not known");
}

static void names_of_later_versions_are_refused_at_every_level(void **state)
{
    (void)state;
    static const char *const names[] = {"cache", "idempotency"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char yaml[64];
        snprintf(yaml, sizeof(yaml), "workers: 1\n%s: [x]\n", names[i]);
        loading_refused(yaml, 2, "is not in this version");
    }
    loading_refused("transport:\n  cache: x\n", 2, "is not in this version");
}

static void a_section_that_is_commented_out_is_none(void **state)
{
    (void)state;
    struct loading loading = {0};
    loading_sound(&loading, "admin:\n#  listen: x\ntimeouts:\ntransport: ~\nproviders:\nmodels:\n");
    loading_end(&loading);
}

static void all_mistakes_are_found_up_to_a_hundred(void **state)
{
    (void)state;
    struct loading loading = {0};
    struct buffer yaml;
    buffer_init(&yaml, 1 << 16);
    for (unsigned i = 0; i < 150; i++)
        buffer_printf(&yaml, "k%u: x\n", i);
    buffer_append_byte(&yaml, '\0');
    loading_text(&loading, yaml.data);
    assert_int_equal(loading.report.count, CONFIG_MISTAKES_MAX);
    assert_int_equal(loading.report.left_out, 50);
    for (unsigned i = 0; i < CONFIG_MISTAKES_MAX; i++)
        assert_int_equal(loading.report.mistakes[i].line, i + 1);
    loading_end(&loading);
    buffer_fini(&yaml);
}

static void mistakes_are_reported_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"WEIR_WORKERS=x"}};
    loading_text(&loading, "lisen: x\ncors: {origins: x}\nstore: sqlite\nstore: sqlite\n");
    assert_int_equal(loading.report.count, 4);
    assert_int_equal(loading.report.mistakes[0].line, 1);
    assert_int_equal(loading.report.mistakes[1].line, 2);
    assert_int_equal(loading.report.mistakes[2].line, 4);
    assert_text(loading.report.mistakes[3].file, "WEIR_WORKERS");
    loading_end(&loading);
}

static const char everything[] =
    "listen: [127.0.0.1:1, {address: '[::1]:2', tls: {certificate: c.pem, key: c.pem}}]\n"
    "cors: {origins: [http://a, http://b]}\n"
    "data_dir: x${SET}\n"
    "providers:\n"
    "  p: {base_url: 'https://h/v1', api_key: 'file:c.pem2', headers: {X-a: b},\n"
    "      forward_headers: [x-b], proxy: 'http://u:p@proxy:1', tls: {ca: c.pem}}\n"
    "  q: {base_url: 'https://h/v1', api_key: ''}\n"
    "models:\n"
    "  - {name: a, targets: [{provider: p, model: m}, q]}\n"
    "  - {name: b, targets: [q], optional: true}\n"
    "  - {name: 'a*', targets: [local]}\n";

static void loading_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct loading loading = {
            .files = {{"/etc/weir/c.pem", CERTIFICATE}, {"/etc/weir/c.pem2", "k"}},
            .environment = {"SET=y", "HTTPS_PROXY=proxy:2", "WEIR_WORKERS=2"}};
        alloc_fail_nth(nth);
        loading_text(&loading, everything);
        alloc_fail_nth(-1);
        const enum status status = loading.status;
        loading_end(&loading);
        if (status == STATUS_OK) {
            assert_in_range(nth, 10, 10000);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

/* Whatever is cut off, there is a snapshot or a mistake, and nothing leaks. */
static void a_file_may_end_at_each_byte(void **state)
{
    (void)state;
    char text[sizeof(everything)];
    for (size_t size = 0; size < sizeof(everything); size++) {
        struct loading loading = {
            .files = {{"/etc/weir/c.pem", CERTIFICATE}, {"/etc/weir/c.pem2", "k"}},
            .environment = {"SET=y"}};
        memcpy(text, everything, size);
        text[size] = '\0';
        loading_text(&loading, text);
        assert_true((loading.status == STATUS_OK) == (loading.config != NULL));
        assert_true((loading.status == STATUS_INVALID) == (loading.report.error_count > 0));
        loading_end(&loading);
    }
}

/* Each example of docs/configuration.md, as it stands there. */
static void the_examples_of_the_page_are_sound(void **state)
{
    (void)state;
    static char page[65536];
    size_t examples = 0;
    FILE *file = fopen("docs/configuration.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
    fclose(file);
    for (char *at = strstr(page, "```yaml\n"); at != NULL; at = strstr(at, "```yaml\n")) {
        struct loading loading = {.files = {{"/run/secrets/openai", "k\n"},
                                            {"/run/secrets/azure", "k\n"},
                                            {"/etc/weir/chain.pem", CERTIFICATE},
                                            {"/etc/weir/key.pem", CERTIFICATE},
                                            {"/etc/weir/internal-ca.pem", CERTIFICATE}},
                                  .environment = {"OPENAI_API_KEY=k"}};
        char *const yaml = at + strlen("```yaml\n");
        char *const end = strstr(yaml, "```");
        assert_non_null(end);
        *end = '\0';
        loading_sound(&loading, yaml);
        assert_int_equal(loading.report.count, 0);
        loading_end(&loading);
        at = end + 3;
        examples++;
    }
    assert_in_range(examples, 3, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_file_that_is_there_is_taken),
        cmocka_unit_test(a_file_that_was_named_must_be_there),
        cmocka_unit_test(a_usual_file_that_cannot_be_read_is_not_passed_over),
        cmocka_unit_test(command_line_environment_file_and_default_win_in_this_order),
        cmocka_unit_test(an_empty_variable_counts_as_not_set_and_others_are_ignored),
        cmocka_unit_test(mistakes_outside_the_file_name_the_variable_or_option),
        cmocka_unit_test(unknown_names_are_refused_with_the_one_that_is_meant),
        cmocka_unit_test(names_of_later_versions_are_refused_at_every_level),
        cmocka_unit_test(a_section_that_is_commented_out_is_none),
        cmocka_unit_test(all_mistakes_are_found_up_to_a_hundred),
        cmocka_unit_test(mistakes_are_reported_in_the_order_of_the_file),
        cmocka_unit_test(loading_survives_the_failure_of_each_allocation),
        cmocka_unit_test(a_file_may_end_at_each_byte),
        cmocka_unit_test(the_examples_of_the_page_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
