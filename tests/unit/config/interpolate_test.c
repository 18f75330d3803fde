#include "loading.h"

static void check_data_dir(const char *written, const char *wanted)
{
    char yaml[256];
    struct loading loading = {.environment = {"SET=value", "EMPTY=", "_a1=x", "NEST=${SET}"}};
    snprintf(yaml, sizeof(yaml), "data_dir: \"%s\"\n", written);
    assert_text(loading_sound(&loading, yaml)->data_dir, wanted);
    loading_end(&loading);
}

static void variables_are_put_in_wherever_they_stand(void **state)
{
    (void)state;
    check_data_dir("/${SET}", "/value");
    check_data_dir("/${SET}/${_a1}${SET}.d", "/value/xvalue.d");
    check_data_dir("/$SET/$$/$", "/$SET/$$/$");
    check_data_dir("/a}b{c", "/a}b{c");
}

static void a_default_stands_in_for_what_is_not_set_or_empty(void **state)
{
    (void)state;
    check_data_dir("/${SET:-other}", "/value");
    check_data_dir("/${UNSET:-other}", "/other");
    check_data_dir("/${EMPTY:-other}", "/other");
    check_data_dir("/x${UNSET:-}", "/x");
    check_data_dir("/x${EMPTY}", "/x");
    check_data_dir("/${UNSET:-a:-b}", "/a:-b");
}

static void what_was_put_in_is_not_read_again(void **state)
{
    (void)state;
    check_data_dir("/${NEST}", "/${SET}");
}

static void a_variable_that_is_not_set_is_a_mistake(void **state)
{
    (void)state;
    loading_refused("workers: 1\ndata_dir: /${UNSET}\n", 2, "variable UNSET is not set");
    loading_refused("workers: 1\ndata_dir: /${UNSET:other}\n", 2, "names no variable");
    loading_refused("workers: 1\ndata_dir: /${}\n", 2, "names no variable");
    loading_refused("workers: 1\ndata_dir: /${1A}\n", 2, "names no variable");
    loading_refused("workers: 1\ndata_dir: /${A B}\n", 2, "names no variable");
    loading_refused("workers: 1\ndata_dir: /${UNSET\n", 2, "close it");
    loading_refused("workers: 1\ndata_dir: /${A:-${B}}\ncors: {origins: ['${']}\n", 3, "close it");
}

static void control_characters_are_refused_in_every_value(void **state)
{
    (void)state;
    loading_refused("data_dir: \"/a\\nb\"\n", 1, "control character");
    loading_refused("data_dir: \"/a\\0b\"\n", 1, "control character");
    loading_refused("cors:\n  origins:\n    - \"http://a\\tb\"\n", 3, "control character");
    struct loading loading = {.environment = {"X=a\x1b[31m"}};
    loading_text(&loading, "data_dir: ${X}\n");
    assert_int_equal(loading.status, STATUS_INVALID);
    loading_end(&loading);
}

static void unquoted_braces_in_a_flow_mapping_get_a_hint(void **state)
{
    (void)state;
    loading_refused("providers:\n  a: { base_url: http://a, api_key: ${KEY} }\n", 2,
                    "put ${...} between quotes");
}

static void a_value_has_a_longest_length(void **state)
{
    (void)state;
    static char variable[CONFIG_SECRET_BYTES_MAX + 8];
    memset(variable, 'a', sizeof(variable) - 1);
    memcpy(variable, "X=/", 3);
    struct loading sound = {.environment = {variable}};
    struct loading refused = {.environment = {variable}};
    loading_text(&refused, "data_dir: ${X}\n");
    assert_int_equal(refused.status, STATUS_INVALID);
    assert_true(loading_mistake_says(&refused.report.mistakes[0], "longer than"));
    variable[CONFIG_SECRET_BYTES_MAX + 2] = '\0';
    assert_int_equal(loading_sound(&sound, "data_dir: ${X}\n")->data_dir.size,
                     CONFIG_SECRET_BYTES_MAX);
    loading_end(&refused);
    loading_end(&sound);
}

static void environment_and_command_line_are_taken_as_they_are(void **state)
{
    (void)state;
    struct loading loading = {.environment = {"SET=value", "WEIR_DATA_DIR=/${SET}"}};
    assert_text(loading_sound(&loading, "workers: 2\n")->data_dir, "/${SET}");
    loading_end(&loading);
    struct loading option = {.source = {.data_dir = "/${SET}"}};
    assert_text(loading_sound(&option, "workers: 2\n")->data_dir, "/${SET}");
    loading_end(&option);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_put_in_wherever_they_stand),
        cmocka_unit_test(a_default_stands_in_for_what_is_not_set_or_empty),
        cmocka_unit_test(what_was_put_in_is_not_read_again),
        cmocka_unit_test(a_variable_that_is_not_set_is_a_mistake),
        cmocka_unit_test(control_characters_are_refused_in_every_value),
        cmocka_unit_test(unquoted_braces_in_a_flow_mapping_get_a_hint),
        cmocka_unit_test(a_value_has_a_longest_length),
        cmocka_unit_test(environment_and_command_line_are_taken_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
