#include "loading.h"

#include "base/alloc.h"
#include "config/show.h"

#define SHOWN_BYTES_MAX ((size_t)1 << 20)

static struct buffer shown_as(const struct config *config, enum config_form form)
{
    struct buffer text;
    buffer_init(&text, SHOWN_BYTES_MAX);
    assert_int_equal(config_show(config, form, &text), STATUS_OK);
    return text;
}

static bool says(const struct buffer *text, const char *said)
{
    return slice_find(buffer_slice(text), slice_from_text(said)) < text->size;
}

/* The line of the setting, with runs of spaces as one. */
static void line_is(const struct buffer *text, const char *key, const char *wanted)
{
    char line[256];
    size_t size = 0;
    struct slice rest = buffer_slice(text);
    const struct slice start = slice_from_text(key);
    while (rest.size > 0 && !(slice_starts_with(rest, start) && rest.data[start.size] == ' '))
        rest = slice_from(rest, slice_find_byte(rest, '\n') + 1);
    for (size_t i = 0; i < rest.size && rest.data[i] != '\n' && size < sizeof(line) - 1; i++) {
        if (rest.data[i] != ' ' || line[size - 1] != ' ')
            line[size++] = rest.data[i];
    }
    line[size] = '\0';
    assert_string_equal(line, wanted);
}

static void each_setting_says_where_it_comes_from(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"WEIR_TIMEOUTS_IDLE=1m"}, .source = {.workers = "3"}};
    const struct config *config = loading_sound(&loading, "timeouts:\n"
                                                          "  idle: 5s\n"
                                                          "  drain: 90s\n"
                                                          "listen: ['[::1]:80', 127.0.0.1:81]\n");
    struct buffer text = shown_as(config, CONFIG_FORM_TEXT);
    line_is(&text, "timeouts.idle", "timeouts.idle 1m environment WEIR_TIMEOUTS_IDLE");
    line_is(&text, "timeouts.drain", "timeouts.drain 90s /etc/weir/weir.yaml:3");
    line_is(&text, "timeouts.body", "timeouts.body 1m default");
    line_is(&text, "workers", "workers 3 command line --workers");
    line_is(&text, "listen", "listen [::1]:80 127.0.0.1:81 /etc/weir/weir.yaml:4");
    line_is(&text, "store", "store sqlite default");
    line_is(&text, "transport.body_bytes", "transport.body_bytes 32MiB default");
    line_is(&text, "models.*", "models.* local/(its name, or one that is listed) default");
    buffer_fini(&text);
    loading_end(&loading);
}

/* Where the value begins in the line of the setting. */
static size_t column_of(const struct buffer *text, const char *key, const char *value)
{
    const struct slice all = buffer_slice(text);
    const size_t line = slice_find(all, slice_from_text(key));
    assert_true(line < all.size);
    return slice_find(slice_from(all, line), slice_from_text(value));
}

static void columns_are_as_wide_as_the_longest_key(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "providers:\n"
                                "  a-provider-of-a-long-name: { base_url: 'http://h/v1' }\n"
                                "models:\n"
                                "  - { name: short, targets: [a-provider-of-a-long-name] }\n");
    struct buffer text = shown_as(config, CONFIG_FORM_TEXT);
    const size_t column = column_of(&text, "store ", "sqlite");
    assert_int_equal(column_of(&text, "providers.a-provider-of-a-long-name.base_url ", "http://h"),
                     column);
    assert_int_equal(
        column_of(&text, "providers.a-provider-of-a-long-name.timeouts.stream_total ", "1h"),
        column);
    assert_int_equal(column_of(&text, "models.short ", "a-provider"), column);
    buffer_fini(&text);
    loading_end(&loading);
}

static void json_says_the_same(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"WEIR_WORKERS=4", "HTTPS_PROXY=proxy:3128"}};
    const struct config *config = loading_sound(&loading, "store: sqlite\n");
    struct buffer text = shown_as(config, CONFIG_FORM_JSON);
    assert_true(says(&text, "{\"file\":\"/etc/weir/weir.yaml\",\"settings\":[{"));
    assert_true(says(&text, "{\"key\":\"workers\",\"value\":\"4\",\"from\":\"environment\","
                            "\"name\":\"WEIR_WORKERS\"}"));
    assert_true(
        says(&text, "{\"key\":\"store\",\"value\":\"sqlite\",\"from\":\"file\",\"line\":1}"));
    assert_true(says(&text, "{\"key\":\"providers.openai.proxy\",\"value\":\"http://proxy:3128\","
                            "\"from\":\"environment\",\"name\":\"HTTPS_PROXY\"}"));
    assert_true(says(&text, "\"notices\":[\"provider openai has no credential"));
    buffer_fini(&text);
    loading_end(&loading);

    struct loading none = {0};
    text = shown_as(loading_sound(&none, NULL), CONFIG_FORM_JSON);
    assert_true(says(&text, "{\"file\":null,"));
    buffer_fini(&text);
    loading_end(&none);
}

static void no_form_shows_a_secret(void **state)
{
    (void)state;
    struct loading loading = {.files = {{"/etc/weir/key", "canary"}}};
    const struct config *config =
        loading_sound(&loading, "providers:\n"
                                "  p: {base_url: 'http://h/v1', api_key: 'file:key',"
                                " proxy: 'http://u:canary@proxy:1',"
                                " headers: {x-key: canary, x-other: 'file:key'}}\n");
    const enum config_form forms[] = {CONFIG_FORM_TEXT, CONFIG_FORM_JSON};
    for (size_t i = 0; i < 2; i++) {
        struct buffer text = shown_as(config, forms[i]);
        assert_false(says(&text, "canary"));
        assert_true(says(&text, "http://***@proxy:1"));
        assert_true(says(&text, "x-key: ***, x-other: ***"));
        buffer_fini(&text);
    }
    loading_end(&loading);
}

static void targets_are_shown_with_the_name_they_are_called_by(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(
        &loading, "providers: {p: {base_url: http://a}}\n"
                  "models: [{name: fast, targets: [{provider: p, model: m}, local]}]\n");
    struct buffer text = shown_as(config, CONFIG_FORM_TEXT);
    line_is(&text, "models.fast", "models.fast p/m, local/(its name) /etc/weir/weir.yaml:2");
    buffer_fini(&text);
    loading_end(&loading);
}

static void limits_and_networks_are_shown_as_they_are_written(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config =
        loading_sound(&loading, "limits: [6000req/min, 1000usd/month]\n"
                                "trusted_proxies: [10.0.0.0/8, '2001:db8::/32']\n"
                                "models:\n"
                                "  - name: fast\n"
                                "    targets: [local]\n"
                                "    limits: [20parallel]\n");
    struct buffer text = shown_as(config, CONFIG_FORM_TEXT);
    line_is(&text, "limits", "limits 6000req/min, 1000usd/month /etc/weir/weir.yaml:1");
    line_is(&text, "trusted_proxies",
            "trusted_proxies 10.0.0.0/8, 2001:db8::/32 /etc/weir/weir.yaml:2");
    line_is(&text, "models.fast.limits", "models.fast.limits 20parallel /etc/weir/weir.yaml:6");
    line_is(&text, "providers.local.limits", "providers.local.limits default");
    line_is(&text, "budgets.alerts", "budgets.alerts 50, 80, 100 default");
    line_is(&text, "budgets.when_short", "budgets.when_short shrink default");
    buffer_fini(&text);
    text = shown_as(config, CONFIG_FORM_JSON);
    assert_true(says(&text, "{\"key\":\"models.fast.limits\",\"value\":\"20parallel\","
                            "\"from\":\"file\",\"line\":6}"));
    buffer_fini(&text);
    loading_end(&loading);
}

static void what_a_rule_says_of_its_model_has_lines_of_its_own(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, "models:\n"
                                                          "  - name: fast\n"
                                                          "    targets: [local]\n"
                                                          "    window: 128000\n"
                                                          "    context:\n"
                                                          "      strategy: drop_oldest\n"
                                                          "  - { name: '*', targets: [local] }\n");
    struct buffer text = shown_as(config, CONFIG_FORM_TEXT);
    line_is(&text, "models.fast.window", "models.fast.window 128000 /etc/weir/weir.yaml:4");
    line_is(&text, "models.fast.context.strategy",
            "models.fast.context.strategy drop_oldest /etc/weir/weir.yaml:6");
    assert_false(says(&text, "models.fast.max_output"));
    assert_false(says(&text, "models.*.window"));
    buffer_fini(&text);
    text = shown_as(config, CONFIG_FORM_JSON);
    assert_true(says(&text, "{\"key\":\"models.fast.window\",\"value\":\"128000\","
                            "\"from\":\"file\",\"line\":4}"));
    buffer_fini(&text);
    loading_end(&loading);
}

static void prices_and_the_ledger_are_shown(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(
        &loading, "ledger: {retention: 90d, when_full: unrecorded}\n"
                  "prices:\n"
                  "  - {provider: local, model: ours, output: 1.60usd, input: 0.40usd,"
                  " from: 2026-01-01}\n"
                  "  - {provider: openai, model: 'gpt*', per_request: 0usd}\n");
    struct buffer text = shown_as(config, CONFIG_FORM_TEXT);
    line_is(&text, "ledger.journal_bytes", "ledger.journal_bytes 4GiB default");
    line_is(&text, "ledger.retention", "ledger.retention 90d /etc/weir/weir.yaml:1");
    line_is(&text, "ledger.when_full", "ledger.when_full unrecorded /etc/weir/weir.yaml:1");
    line_is(&text, "providers.local.free", "providers.local.free true default");
    line_is(&text, "prices.local/ours",
            "prices.local/ours input 0.4usd, output 1.6usd, from 2026-01-01 /etc/weir/weir.yaml:3");
    line_is(&text, "prices.openai/gpt*",
            "prices.openai/gpt* per_request 0usd /etc/weir/weir.yaml:4");
    buffer_fini(&text);
    loading_end(&loading);
}

static void what_does_not_fit_is_no_success(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, NULL);
    const enum config_form forms[] = {CONFIG_FORM_TEXT, CONFIG_FORM_JSON};
    for (size_t form = 0; form < 2; form++) {
        struct buffer text;
        buffer_init(&text, 1000);
        assert_int_equal(config_show(config, forms[form], &text), STATUS_TOO_LARGE);
        buffer_fini(&text);
        struct buffer whole = shown_as(config, forms[form]);
        for (int nth = 0;; nth++) {
            buffer_init(&text, SHOWN_BYTES_MAX);
            alloc_fail_nth(nth);
            const enum status status = config_show(config, forms[form], &text);
            alloc_fail_nth(-1);
            const bool is_whole = slice_equal(buffer_slice(&text), buffer_slice(&whole));
            buffer_fini(&text);
            assert_true(status == STATUS_OK ? is_whole : status == STATUS_NO_MEMORY);
            if (status == STATUS_OK)
                break;
        }
        buffer_fini(&whole);
    }
    loading_end(&loading);
}

static void changes_are(const char *from, const char *to, const char *wanted)
{
    struct loading before = {0}, after = {0};
    struct buffer names;
    buffer_init(&names, 1024);
    const struct config *old = loading_sound(&before, from);
    const struct config *new = loading_sound(&after, to);
    assert_int_equal(config_diff_restart(old, new, &names), STATUS_OK);
    buffer_append_byte(&names, '\0');
    assert_string_equal(names.data, wanted);
    buffer_fini(&names);
    loading_end(&before);
    loading_end(&after);
}

static void what_takes_a_restart_is_named(void **state)
{
    (void)state;
    changes_are("workers: 2\n", "workers: 2\n", "");
    changes_are("timeouts: {idle: 1s}\n", "timeouts: {idle: 2s}\nmodels: []\n", "");
    changes_are("workers: 2\n", "workers: 3\ndata_dir: /other\n", "data_dir, workers");
    changes_are("admin: {listen: 127.0.0.1:1}\n",
                "admin: {listen: 127.0.0.1:2}\nmetrics: {listen: 127.0.0.1:3}\n",
                "admin.listen, metrics.listen");
    changes_are("ledger: {when_full: refuse}\n", "ledger: {when_full: unrecorded}\n", "");
    changes_are("ledger: {sync: 1s}\n",
                "ledger: {journal_bytes: 1GiB, orphans: nothing, retention: 90d}\n",
                "ledger.journal_bytes, ledger.orphans, ledger.sync, ledger.retention");
    changes_are("prices: []\n", "prices: [{provider: local, model: m, input: 1usd}]\n", "");
}

static void a_comparison_without_memory_is_no_success(void **state)
{
    (void)state;
    struct loading before = {0}, after = {0};
    const struct config *old = loading_sound(&before, "workers: 2\n");
    const struct config *new = loading_sound(&after, "workers: 3\n");
    for (int nth = 0;; nth++) {
        struct buffer names;
        buffer_init(&names, 1024);
        alloc_fail_nth(nth);
        const enum status status = config_diff_restart(old, new, &names);
        alloc_fail_nth(-1);
        buffer_fini(&names);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
    loading_end(&before);
    loading_end(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_setting_says_where_it_comes_from),
        cmocka_unit_test(columns_are_as_wide_as_the_longest_key),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(no_form_shows_a_secret),
        cmocka_unit_test(targets_are_shown_with_the_name_they_are_called_by),
        cmocka_unit_test(limits_and_networks_are_shown_as_they_are_written),
        cmocka_unit_test(what_a_rule_says_of_its_model_has_lines_of_its_own),
        cmocka_unit_test(prices_and_the_ledger_are_shown),
        cmocka_unit_test(what_does_not_fit_is_no_success),
        cmocka_unit_test(what_takes_a_restart_is_named),
        cmocka_unit_test(a_comparison_without_memory_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
