#include "cli/models_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "unit/cli/capture.h"
#include "unit/cli/data_dir.h"

static void assert_counted(const char *text, const char *options, const char *expected)
{
    char line[256];
    data_dir_write("file", text);
    (void)snprintf(line, sizeof(line), "models count %s --json%s", data_dir_path("file"), options);
    assert_int_equal(capture_run(models_command, line)->code, 0);
    if (strcmp(captured.out, expected) != 0)
        fail_msg("%s: %s", text, captured.out);
    assert_string_equal(captured.err, "");
}

static int remove_all(void **state)
{
    unlink(data_dir_path("file"));
    return data_dir_remove(state);
}

static void the_body_of_a_request_is_counted_as_its_model_does(void **state)
{
    (void)state;
    static const char chat[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]%s}";
    char text[256];
    (void)snprintf(text, sizeof(text), chat, ",\"model\":\"gpt-4\"");
    assert_counted(text, "",
                   "{\"input_tokens\":8,\"model\":\"gpt-4\",\"estimated\":false,\"encoding\":"
                   "\"cl100k_base\",\"counted_as\":\"chat\"}\n");
    assert_counted(text, " --model gpt-4o",
                   "{\"input_tokens\":8,\"model\":\"gpt-4o\",\"estimated\":false,\"encoding\":"
                   "\"o200k_base\",\"counted_as\":\"chat\"}\n");
    (void)snprintf(text, sizeof(text), chat, ",\"model\":null");
    assert_counted(text, "",
                   "{\"input_tokens\":8,\"model\":\"gpt-4o\",\"estimated\":false,\"encoding\":"
                   "\"o200k_base\",\"counted_as\":\"chat\"}\n");
    assert_counted("{\"prompt\":[\"a b\",[1,2]]}", "",
                   "{\"input_tokens\":4,\"model\":\"gpt-4o\",\"estimated\":false,\"encoding\":"
                   "\"o200k_base\",\"counted_as\":\"prompt\"}\n");
    assert_counted("{\"messages\":[{\"content\":[{\"type\":\"file\",\"file\":{}}]}]}", "",
                   "{\"input_tokens\":6,\"model\":\"gpt-4o\",\"estimated\":true,\"encoding\":"
                   "\"o200k_base\",\"counted_as\":\"chat\"}\n");
}

static void anything_else_is_a_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned tokens;
    } cases[] = {{"", 0}, {"hello world", 2}, {"{}", 1}, {"{\"a\":", 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[256];
        (void)snprintf(expected, sizeof(expected),
                       "{\"input_tokens\":%u,\"model\":\"gpt-4o\",\"estimated\":false,\"encoding\":"
                       "\"o200k_base\",\"counted_as\":\"text\"}\n",
                       cases[i].tokens);
        assert_counted(cases[i].text, "", expected);
    }
}

static void people_get_a_table(void **state)
{
    (void)state;
    char line[256];
    data_dir_write("file", "hello world");
    (void)snprintf(line, sizeof(line), "models count %s --model x", data_dir_path("file"));
    assert_int_equal(capture_run(models_command, line)->code, 0);
    assert_non_null(strstr(captured.out, "TOKENS"));
    assert_non_null(strstr(captured.out, "o200k_base"));
    assert_non_null(strstr(captured.out, "no\n")); /* not exact: nobody knows that model */
}

static void a_file_that_cannot_be_read_is_said(void **state)
{
    (void)state;
    assert_int_equal(capture_run(models_command, "models count /nowhere/at/all")->code, 2);
    assert_string_equal(captured.out, "");
    assert_string_equal(captured.err,
                        "weir: cannot read /nowhere/at/all: No such file or directory\n");
    assert_int_equal(capture_run(models_command, "models count /")->code, 2);
    assert_int_equal(capture_run(models_command, "models count")->code, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_of_a_request_is_counted_as_its_model_does),
        cmocka_unit_test(anything_else_is_a_text),
        cmocka_unit_test(people_get_a_table),
        cmocka_unit_test(a_file_that_cannot_be_read_is_said),
    };
    return cmocka_run_group_tests(tests, data_dir_make, remove_all);
}
