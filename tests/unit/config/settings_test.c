#include "config/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/units.h"

static const struct settings *const tables[] = {&settings_of_config, &settings_of_provider,
                                                &settings_of_rule, &settings_of_price};
static const char *const headings[] = {"\n## Settings\n", "\n## Providers\n", "\n## Models\n",
                                       "\n## Prices\n"};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct setting *find(const char *path)
{
    const struct setting *setting = settings_find(&settings_of_config, slice_from_text(path));
    assert_non_null(setting);
    return setting;
}

static void each_path_stands_once_and_is_no_group_of_others(void **state)
{
    (void)state;
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct setting *setting = &tables[t]->items[i];
            const struct slice path = slice_from_text(setting->path);
            assert_ptr_equal(settings_find(tables[t], path), setting);
            assert_false(settings_is_group(tables[t], path));
        }
    }
    assert_null(settings_find(&settings_of_config, SLICE("transport")));
    assert_true(settings_is_group(&settings_of_config, SLICE("transport")));
    assert_false(settings_is_group(&settings_of_config, SLICE("transpor")));
}

static void names_in_the_environment_and_on_the_command_line_follow_from_the_path(void **state)
{
    (void)state;
    char text[SETTINGS_NAME_BYTES];
    assert_true(slice_equal(settings_variable(find("listen"), text), SLICE("WEIR_LISTEN")));
    assert_true(slice_equal(settings_variable(find("transport.connections_per_address"), text),
                            SLICE("WEIR_TRANSPORT_CONNECTIONS_PER_ADDRESS")));
    assert_true(slice_equal(settings_option(find("data_dir"), text), SLICE("--data-dir")));
    for (size_t i = 0; i < settings_of_config.count; i++) {
        char other[SETTINGS_NAME_BYTES];
        const struct slice name = settings_variable(&settings_of_config.items[i], text);
        for (size_t j = 0; j < i; j++)
            assert_false(slice_equal(settings_variable(&settings_of_config.items[j], other), name));
    }
}

static struct slice nearest(const char *group, const char *name)
{
    return settings_nearest(&settings_of_config, slice_from_text(group), slice_from_text(name));
}

static void the_nearest_name_is_one_that_may_be_meant(void **state)
{
    (void)state;
    assert_true(slice_equal(nearest("", "lisen"), SLICE("listen")));
    assert_true(slice_equal(nearest("", "timeout"), SLICE("timeouts")));
    assert_true(slice_equal(nearest("", "wrokers"), SLICE("workers")));
    assert_true(slice_equal(nearest("transport", "header_byte"), SLICE("header_bytes")));
    assert_int_equal(nearest("", "completely_different").size, 0);
    assert_int_equal(nearest("", "").size, 0);
    assert_int_equal(nearest("transport", "listen").size, 0);
    assert_int_equal(
        nearest("", "a_name_that_is_longer_than_any_name_that_there_is_in_the_tables").size, 0);
}

static void a_right_name_at_the_wrong_level_is_found(void **state)
{
    (void)state;
    assert_true(slice_equal(settings_elsewhere(&settings_of_config, SLICE("body_bytes")),
                            SLICE("transport.body_bytes")));
    assert_true(
        slice_equal(settings_elsewhere(&settings_of_provider, SLICE("ca")), SLICE("tls.ca")));
    assert_int_equal(settings_elsewhere(&settings_of_config, SLICE("bytes")).size, 0);
    assert_int_equal(settings_elsewhere(&settings_of_config, SLICE("workers")).size, 0);
    assert_int_equal(settings_elsewhere(&settings_of_config, SLICE("")).size, 0);
}

static void read_page(char *page, size_t size)
{
    FILE *file = fopen("docs/configuration.md", "r");
    assert_non_null(file);
    const size_t got = fread(page, 1, size - 1, file);
    assert_in_range(got, 1, size - 2);
    page[got] = '\0';
    fclose(file);
}

/* The line of the page's table that is about the setting, from the place where its table begins. */
static struct slice row_of(const char *from, const char *path)
{
    char start[SETTINGS_NAME_BYTES + 8];
    snprintf(start, sizeof(start), "\n| `%s` |", path);
    const char *row = strstr(from, start);
    if (row == NULL)
        fail_msg("%s has no line in docs/configuration.md", path);
    row++;
    return slice_of(row, strcspn(row, "\n"));
}

static void row_says(struct slice row, const char *text)
{
    char quoted[96];
    snprintf(quoted, sizeof(quoted), "`%s`", text);
    if (slice_find(row, slice_from_text(quoted)) == row.size)
        fail_msg("%s is not in: %.*s", quoted, SLICE_ARGS(row));
}

static void row_says_range(struct slice row, const struct setting *setting)
{
    char low[UNITS_TEXT_BYTES], high[UNITS_TEXT_BYTES], range[96];
    switch (setting->type) {
    case SETTING_TYPE_SIZE:
        units_format_size(setting->min, low);
        units_format_size(setting->max, high);
        break;
    case SETTING_TYPE_MONEY:
        units_format_money(setting->min, low);
        units_format_money(setting->max, high);
        break;
    case SETTING_TYPE_DURATION:
    case SETTING_TYPE_PERIOD:
        units_format_duration(setting->min, low);
        units_format_duration(setting->max, high);
        break;
    case SETTING_TYPE_COUNT:
        snprintf(low, sizeof(low), "%llu", (unsigned long long)setting->min);
        snprintf(high, sizeof(high), "%llu", (unsigned long long)setting->max);
        break;
    default:
        return;
    }
    snprintf(range, sizeof(range), "%s to %s", low, high);
    if (slice_find(row, slice_from_text(range)) == row.size)
        fail_msg("the range %s is not in: %.*s", range, SLICE_ARGS(row));
}

static void the_page_says_default_range_and_choices_of_each_setting(void **state)
{
    (void)state;
    static char page[65536];
    read_page(page, sizeof(page));
    for (size_t t = 0; t < TABLES; t++) {
        const char *from = strstr(page, headings[t]);
        assert_non_null(from);
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct setting *setting = &tables[t]->items[i];
            if (setting->type == SETTING_TYPE_LATER)
                continue;
            const struct slice row = row_of(from, setting->path);
            if (setting->preset != NULL && setting->preset[0] != '\0')
                row_says(row, setting->preset);
            row_says_range(row, setting);
            for (size_t c = 0; setting->choices != NULL && setting->choices[c] != NULL; c++)
                row_says(row, setting->choices[c]);
        }
    }
}

static void the_page_lists_what_is_of_later_versions(void **state)
{
    (void)state;
    static char page[65536];
    read_page(page, sizeof(page));
    const char *from = strstr(page, "\n## Of later versions\n");
    assert_non_null(from);
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            if (tables[t]->items[i].type == SETTING_TYPE_LATER)
                row_says(slice_from_text(from), tables[t]->items[i].path);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_stands_once_and_is_no_group_of_others),
        cmocka_unit_test(names_in_the_environment_and_on_the_command_line_follow_from_the_path),
        cmocka_unit_test(the_nearest_name_is_one_that_may_be_meant),
        cmocka_unit_test(a_right_name_at_the_wrong_level_is_found),
        cmocka_unit_test(the_page_says_default_range_and_choices_of_each_setting),
        cmocka_unit_test(the_page_lists_what_is_of_later_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
