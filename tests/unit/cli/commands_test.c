#include "cli/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/cli/capture.h"
#include "unit/cli/data_dir.h"

/* Runs the command on a configuration of this text. */
static const struct capture *run(int (*command)(int argc, char **argv), const char *line,
                                 const char *yaml)
{
    char whole[512];
    data_dir_write("weir.yaml", yaml);
    (void)snprintf(whole, sizeof(whole), "%s --config %s", line, data_dir_path("weir.yaml"));
    return capture_run(command, whole);
}

static const char good[] =
    "listen: 127.0.0.1:1\n"
    "providers:\n"
    "  one: { dialect: openai, base_url: https://one.example/v1, api_key: sk-hidden }\n"
    "  two: { dialect: openai, base_url: http://two.example }\n"
    "models:\n"
    "  - { name: a, targets: [one, { provider: two, model: b }] }\n";

static void check_says_what_is_right_or_where_it_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(run(check_command, "check", good)->code, 0);
    assert_non_null(strstr(captured.out, "weir.yaml: ok\n"));
    assert_string_equal(captured.err, "");
    assert_int_equal(run(check_command, "check", "lisen: x\n")->code, 2);
    assert_string_equal(captured.out, "");
    assert_non_null(strstr(captured.err, "weir.yaml:1:1: "));
    assert_non_null(strstr(captured.err, "listen"));
}

static void check_tells_programs_the_same(void **state)
{
    (void)state;
    assert_int_equal(run(check_command, "check --json", good)->code, 0);
    assert_non_null(strstr(captured.out, "\"ok\":true,\"mistakes\":[],\"left_out\":0}\n"));
    assert_int_equal(run(check_command, "check --json", "lisen: x\n")->code, 2);
    assert_non_null(strstr(captured.out, "{\"file\":null,\"ok\":false,\"mistakes\":[{\"file\":\""));
    assert_non_null(strstr(captured.out, "\"line\":1,\"column\":1,\"severity\":\"error\""));
    assert_string_equal(captured.err, "");
}

static void check_knows_how_large_the_journal_must_be(void **state)
{
    (void)state;
    static const char small[] = "workers: 8\nledger: { journal_bytes: 1MiB }\n";
    assert_int_equal(run(check_command, "check", small)->code, 2);
    assert_string_equal(captured.out, "");
    assert_non_null(
        strstr(captured.err, "weir.yaml:2:11: ledger.journal_bytes: 1MiB is too small"));
    assert_non_null(strstr(captured.err, "1536KiB"));
    assert_int_equal(run(check_command, "check --json", small)->code, 2);
    assert_non_null(strstr(captured.out, "\"ok\":false,\"mistakes\":[{"));
    assert_non_null(strstr(captured.out, "1536KiB"));
}

static void config_show_hides_secrets(void **state)
{
    (void)state;
    assert_int_equal(run(config_command, "config show", good)->code, 0);
    assert_non_null(strstr(captured.out, "127.0.0.1:1"));
    assert_null(strstr(captured.out, "sk-hidden"));
    assert_int_equal(run(config_command, "config show --json", good)->code, 0);
    assert_int_equal(captured.out[0], '{');
    assert_null(strstr(captured.out, "sk-hidden"));
    assert_int_equal(run(config_command, "config show", "lisen: x\n")->code, 2);
    assert_string_equal(captured.out, "");
}

static void models_list_shows_each_target(void **state)
{
    (void)state;
    assert_int_equal(run(models_command, "models list", good)->code, 0);
    assert_string_equal(captured.out,
                        "MODEL  PROVIDER  ITS MODEL  CREDENTIAL   BASE URL\n"
                        "a      one       same name  set          https://one.example/v1\n"
                        "       two       b          none needed  http://two.example\n");
    assert_int_equal(run(models_command, "models list --json", good)->code, 0);
    assert_string_equal(
        captured.out,
        "[{\"name\":\"a\",\"targets\":[{\"provider\":\"one\",\"model\":null,\"base_url\":"
        "\"https://one.example/v1\",\"credential\":\"set\"},{\"provider\":\"two\",\"model\":\"b\","
        "\"base_url\":\"http://two.example\",\"credential\":\"none needed\"}]}]\n");
}

static void models_test_fails_where_no_server_is(void **state)
{
    (void)state;
    setenv("WEIR_KEY", "sk-weir-1", 1);
    assert_int_equal(run(models_command, "models test a", good)->code, 1);
    assert_non_null(strstr(captured.err, "127.0.0.1 port 1"));
    assert_null(strstr(captured.err, "sk-weir-1"));
    assert_string_equal(captured.out, "");
}

static void version_names_the_libraries_when_asked(void **state)
{
    (void)state;
    assert_int_equal(capture_run(version_command, "version")->code, 0);
    assert_null(strstr(captured.out, "sqlite"));
    assert_int_equal(strncmp(captured.out, "weir ", 5), 0);
    assert_int_equal(capture_run(version_command, "version -v")->code, 0);
    assert_non_null(strstr(captured.out, "  sqlite   3."));
    assert_int_equal(capture_run(version_command, "version --json")->code, 0);
    assert_non_null(strstr(captured.out, "\"sqlite\":\"3."));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, data_dir_make, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(check_says_what_is_right_or_where_it_is_wrong),
        IN_FOLDER(check_tells_programs_the_same),
        IN_FOLDER(check_knows_how_large_the_journal_must_be),
        IN_FOLDER(config_show_hides_secrets),
        IN_FOLDER(models_list_shows_each_target),
        IN_FOLDER(models_test_fails_where_no_server_is),
        IN_FOLDER(version_names_the_libraries_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
