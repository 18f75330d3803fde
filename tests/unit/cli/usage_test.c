/* `weir usage`, on a data directory without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "unit/cli/capture.h"
#include "unit/cli/data_dir.h"

static const struct capture *run(const char *options)
{
    char line[512];
    (void)snprintf(line, sizeof(line), "usage --data-dir %s %s", data_dir, options);
    return capture_run(usage_command, line);
}

static void an_empty_ledger_is_said_to_be_empty(void **state)
{
    (void)state;
    assert_int_equal(run("--since 2026-01-01 --until 2026-02-01")->code, 0);
    assert_string_equal(captured.out,
                        "No requests from 2026-01-01 00:00 to 2026-02-01 00:00 (UTC).\n");
    assert_int_equal(run("--since 1970-01-01")->code, 0);
    assert_string_equal(captured.out, "No requests from 1970-01-01 00:00 to now (UTC).\n");
    assert_int_equal(run("--by day --json")->code, 0);
    assert_string_equal(captured.out, "[]\n");
    assert_int_equal(run("--by model --csv")->code, 0);
    assert_int_equal(strncmp(captured.out, "id,name,requests,", 17), 0);
    assert_non_null(strchr(captured.out, '\n'));
    assert_string_equal(strchr(captured.out, '\n'), "\n");
}

static void mistakes_are_told_before_anything_is_opened(void **state)
{
    static const char *const mistakes[][2] = {
        {"usage --data-dir /nowhere --by modle", "did you mean 'model'?"},
        {"usage --data-dir /nowhere --since never", "'never' is neither"},
        {"usage --data-dir /nowhere --until never", "'never' is neither"},
        {"usage --data-dir /nowhere --since 1d --until 2d", "before it begins"},
        {"usage --data-dir /nowhere --csv --json", "exclude each other"},
        {"usage --data-dir /nowhere more", "more"},
        {"usage --data-dir /nowhere --sinse 1d", "sinse"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const struct capture *ran = capture_run(usage_command, mistakes[i][0]);
        assert_int_equal(ran->code, 2);
        assert_string_equal(ran->out, "");
        assert_non_null(strstr(ran->err, mistakes[i][1]));
    }
    assert_int_equal(capture_run(usage_command, "usage --data-dir /nowhere")->code, 1);
    assert_non_null(strstr(captured.err, "no data directory at /nowhere"));
}

static void help_has_an_example(void **state)
{
    (void)state;
    assert_int_equal(capture_run(usage_command, "usage --help")->code, 0);
    assert_non_null(strstr(captured.out, "Examples:\n  weir usage --by model"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_ledger_is_said_to_be_empty, data_dir_make_filled,
                                        data_dir_remove),
        cmocka_unit_test(mistakes_are_told_before_anything_is_opened),
        cmocka_unit_test(help_has_an_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
