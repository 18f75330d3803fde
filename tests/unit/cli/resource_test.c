/* Users and keys from the command line, on a data directory without a server. */
#include "cli/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "unit/cli/capture.h"
#include "unit/cli/data_dir.h"

/* Runs "users create alice", with --data-dir added. */
static const struct capture *run(const char *line)
{
    char whole[1024];
    (void)snprintf(whole, sizeof(whole), "%s --data-dir %s", line, data_dir);
    return capture_run(strncmp(line, "users", 5) == 0 ? users_command : keys_command, whole);
}

static void succeeds(const char *line)
{
    const struct capture *ran = run(line);
    assert_string_equal(ran->err, "");
    assert_int_equal(ran->code, 0);
}

static void says(const char *line, int code, const char *message)
{
    const struct capture *ran = run(line);
    assert_int_equal(ran->code, code);
    assert_string_equal(ran->out, "");
    assert_non_null(strstr(ran->err, message));
}

static void an_object_is_a_line_for_each_member(void **state)
{
    (void)state;
    succeeds("users create alice");
    assert_non_null(strstr(captured.out, "name           alice\n"));
    assert_non_null(strstr(captured.out, "disabled       no\n"));
    assert_non_null(strstr(captured.out, "Z (now)\n"));
    succeeds("users disable alice");
    assert_non_null(strstr(captured.out, "disabled       yes\n"));
}

static void a_list_is_a_table_or_an_array(void **state)
{
    (void)state;
    succeeds("users list --json");
    assert_string_equal(captured.out, "[]\n");
    succeeds("users list");
    assert_string_equal(captured.out,
                        "NAME  TEAM  DISABLED  LIMITS  BUDGETS  MODELS  CREATED  ID\n");
    succeeds("users create alice");
    succeeds("users create bo");
    succeeds("users list");
    assert_non_null(
        strstr(captured.out, "\nalice  -     no        -       -        -       now      "));
    assert_non_null(
        strstr(captured.out, "\nbo     -     no        -       -        -       now      "));
    succeeds("users list --json");
    assert_int_equal(captured.out[0], '[');
    assert_non_null(strstr(captured.out, "},\n{"));
    assert_string_equal(captured.out + strlen(captured.out) - 3, "}]\n");
}

static void a_list_can_be_of_one_user(void **state)
{
    (void)state;
    succeeds("users create alice");
    succeeds("users create bo");
    succeeds("keys create --user alice --name one");
    succeeds("keys create --user bo --name two");
    succeeds("keys list --user bo");
    assert_non_null(strstr(captured.out, "two"));
    assert_null(strstr(captured.out, "one"));
}

static void a_new_key_is_shown_once(void **state)
{
    char secret[128] = "";
    (void)state;
    succeeds("users create alice");
    succeeds("keys create --user alice --name laptop --models a,b* --expires 90d");
    assert_non_null(strstr(captured.out, "not shown again"));
    assert_non_null(strstr(captured.out, "models         a,b*\n"));
    assert_non_null(strstr(captured.out, "(in 89 days)\n"));
    assert_int_equal(sscanf(strstr(captured.out, "sk-weir-"), "%127s", secret), 1);
    succeeds("keys show laptop --json");
    assert_null(strstr(captured.out, secret));
    succeeds("keys list --json");
    assert_null(strstr(captured.out, secret));
}

static void none_removes(void **state)
{
    (void)state;
    succeeds("users create alice");
    succeeds("keys create --user alice --name laptop --models a --expires 90d");
    succeeds("keys set laptop --models none --expires none --json");
    assert_non_null(strstr(captured.out, "\"models\":null"));
    assert_non_null(strstr(captured.out, "\"expires_at\":null"));
    succeeds("keys set laptop --name none --json");
    assert_non_null(strstr(captured.out, "\"name\":null"));
    says("keys show laptop", 1, "laptop");
}

static void failures_say_why_and_how_bad_it_is(void **state)
{
    (void)state;
    says("users show nobody", 1, "nobody");
    says("keys list --user nobody", 1, "nobody");
    says("keys list --user nobody --json", 1, "nobody");
    says("keys create", 2, "--user");
    says("keys set x", 2, "say what to set");
    succeeds("users create alice");
    says("users create alice", 1, "alice");
    says("keys create --user alice --expires soon", 2, "weir: ");
    says("keys create --user alice --models a*b", 2, "weir: ");
}

static void a_name_with_any_byte_reaches_its_place(void **state)
{
    (void)state;
    succeeds("users create a/b?c&d=%41");
    succeeds("users show a/b?c&d=%41 --json");
    assert_non_null(strstr(captured.out, "\"name\":\"a/b?c&d=%41\""));
    succeeds("keys list --user a/b?c&d=%41");
    says("users show aA", 1, "aA");
}

static void a_name_too_long_for_a_path_is_refused(void **state)
{
    static char name[9000];
    char *argv[] = {"users", "delete", name, "--data-dir", data_dir, NULL};
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    assert_int_equal(users_command(5, argv), 2);
}

static void a_named_data_directory_needs_no_configuration(void **state)
{
    char line[512];
    (void)state;
    data_dir_write("weir.yaml", "lisen: [\n");
    (void)snprintf(line, sizeof(line), "users list --config %s", data_dir_path("weir.yaml"));
    assert_int_equal(capture_run(users_command, line)->code, 2);
    assert_non_null(strstr(captured.err, "weir.yaml:"));
    assert_non_null(strstr(captured.err, "--data-dir"));
    succeeds(line);
}

#define IN_FILLED(test) cmocka_unit_test_setup_teardown(test, data_dir_make_filled, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FILLED(an_object_is_a_line_for_each_member),
        IN_FILLED(a_list_is_a_table_or_an_array),
        IN_FILLED(a_list_can_be_of_one_user),
        IN_FILLED(a_new_key_is_shown_once),
        IN_FILLED(none_removes),
        IN_FILLED(failures_say_why_and_how_bad_it_is),
        IN_FILLED(a_name_with_any_byte_reaches_its_place),
        IN_FILLED(a_name_too_long_for_a_path_is_refused),
        IN_FILLED(a_named_data_directory_needs_no_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
