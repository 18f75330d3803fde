/* `weir prices`, on a data directory without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "unit/cli/capture.h"
#include "unit/cli/data_dir.h"

static int make(void **state)
{
    if (data_dir_make_filled(state) != 0)
        return -1;
    data_dir_write("weir.yaml",
                   "providers: { ours: { base_url: 'http://127.0.0.1:9/v1', free: true } }\n"
                   "models: [{ name: '*', targets: [ours] }]\n");
    return 0;
}

static const struct capture *run(const char *line)
{
    char whole[1024];
    (void)snprintf(whole, sizeof(whole), "prices %s --data-dir %s --config %s", line, data_dir,
                   data_dir_path("weir.yaml"));
    return capture_run(prices_command, whole);
}

static void succeeds(const char *line)
{
    run(line);
    assert_string_equal(captured.err, "");
    assert_int_equal(captured.code, 0);
}

static void a_price_is_set_listed_shown_and_removed(void **state)
{
    (void)state;
    succeeds("set ours/a/b input=0.40 output=1.60;cache_read=0.1 --from 2026-01-01");
    assert_non_null(strstr(captured.out, "terms          input=0.4 output=1.6 cache_read=0.1\n"));
    succeeds("list");
    assert_int_equal(strncmp(captured.out, "PROVIDER  MODEL  PER MILLION, IN USD", 36), 0);
    assert_non_null(strstr(captured.out, "\nours      a/b    input=0.4 output=1.6"));
    succeeds("show a/b --json");
    assert_non_null(strstr(captured.out, "\"id\":\"store/ours/a/b@2026-01-01\""));
    succeeds("set ours/a/b --remove --from 2026-01-01");
    succeeds("show a/b");
    assert_non_null(strstr(captured.out, "free/ours"));
    succeeds("list --json");
    assert_string_equal(captured.out, "[]\n");
}

static void what_is_no_price_is_refused(void **state)
{
    static const char *const mistakes[][2] = {
        {"set ours/m", "say what it costs"},
        {"set ours input=1", "PROVIDER/MODEL"},
        {"set /m input=1", "PROVIDER/MODEL"},
        {"set ours/ input=1", "PROVIDER/MODEL"},
        {"set ours/m input", "NAME=VALUE"},
        {"set ours/m =1", "NAME=VALUE"},
        {"set ours/m input=1;output", "NAME=VALUE"},
        {"set ours/m input=x", "input"},
        {"set our/m input=1", "did you mean 'ours'?"},
        {"set ours/m inptu=1", "did you mean 'input'?"},
        {"set ours/m input=1 --remove", "--remove"},
        {"set ours/m input=1 --from soon", "from"},
        {"set ours/m input=1 --apply", "takes no --apply"},
        {"show", "say which"},
        {"rerate", "--since"},
        {"rerate --since soon", "'soon' is neither"},
        {"rerate --since 1d --until 2d", "no time between"},
        {"forget", "no `weir prices forget`"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const struct capture *ran = run(mistakes[i][0]);
        if (ran->code != 2 || strstr(ran->err, mistakes[i][1]) == NULL)
            fail_msg("%s: %d %s", mistakes[i][0], ran->code, ran->err);
    }
}

static void a_configuration_with_mistakes_is_told(void **state)
{
    (void)state;
    data_dir_write("weir.yaml", "colour: blue\n");
    assert_int_equal(run("show m")->code, 2);
    assert_non_null(strstr(captured.err, "colour"));
}

static void without_requests_there_is_nothing_to_price_anew(void **state)
{
    (void)state;
    succeeds("rerate --since 2020-01-01 --apply");
    assert_string_equal(captured.out, "No requests in that time.\n");
    succeeds("rerate --since 2020-01-01 --until 2020-01-02 --json");
    assert_string_equal(captured.out,
                        "{\"since\":\"2020-01-01T00:00:00.000000Z\","
                        "\"until\":\"2020-01-02T00:00:00.000000Z\",\"apply\":false,\"rows\":0,"
                        "\"changed\":0,\"unpriced\":0,\"left\":0,\"old_cost\":\"0\","
                        "\"old_cost_nanousd\":0,\"cost\":\"0\",\"cost_nanousd\":0,"
                        "\"targets\":[]}\n");
}

static void help_has_examples(void **state)
{
    (void)state;
    assert_int_equal(capture_run(prices_command, "prices --help")->code, 0);
    assert_non_null(strstr(captured.out, "  weir prices rerate --since 30d\n"));
    assert_int_equal(capture_run(prices_command, "prices set --help")->code, 0);
    assert_non_null(strstr(captured.out, "Example:\n  weir prices set "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_price_is_set_listed_shown_and_removed, make,
                                        data_dir_remove),
        cmocka_unit_test_setup_teardown(what_is_no_price_is_refused, make, data_dir_remove),
        cmocka_unit_test_setup_teardown(a_configuration_with_mistakes_is_told, make,
                                        data_dir_remove),
        cmocka_unit_test_setup_teardown(without_requests_there_is_nothing_to_price_anew, make,
                                        data_dir_remove),
        cmocka_unit_test(help_has_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
