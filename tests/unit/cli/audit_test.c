#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "cli/commands.h"
#include "cli/serve_audit.h"
#include "unit/cli/capture.h"
#include "unit/cli/data_dir.h"

/* A data directory that a server has left: four entries, then a checkpoint. */
static int set_up(void **state)
{
    const struct admin_config config = {.data_dir = data_dir, .create = true};
    struct admin_context *context = NULL;
    if (data_dir_make(state) != 0 || admin_context_open(&config, &context, NULL) != STATUS_OK)
        return -1;
    context->actor = SLICE("uid=7");
    const bool is_done = serve_audit_start(context, SLICE("1.2.3"), NULL) == STATUS_OK &&
                         serve_audit_reload(context, SLICE("weir\033.yaml"), NULL) == STATUS_OK &&
                         serve_audit_stop(context, SLICE("1.2.3"), NULL) == STATUS_OK;
    admin_context_close(&context);
    return is_done ? 0 : -1;
}

static const struct capture *run(const char *line)
{
    char whole[512];
    (void)snprintf(whole, sizeof(whole), "audit %s --data-dir %s", line, data_dir);
    return capture_run(audit_command, whole);
}

static void meddle(const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(data_dir_path("weir.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void a_sound_chain_is_0_and_says_what_was_looked_at(void **state)
{
    (void)state;
    assert_int_equal(run("verify")->code, 0);
    assert_string_equal(captured.out,
                        "5 entries, 0 rows in 0 batches; retention removed 0 entries and 0 rows.\n"
                        "The newest entry is 5; all before checkpoint 5 are signed.\n"
                        "Everything is as weir wrote it.\n");
    assert_string_equal(captured.err, "");
    assert_int_equal(run("verify --json")->code, 0);
    assert_string_equal(captured.out,
                        "{\"findings\":[],\"ok\":true,\"another_key\":false,\"entries\":5,"
                        "\"last\":5,\"checkpoints\":1,\"last_checkpoint\":5,\"batches\":0,"
                        "\"rows\":0,\"entries_removed\":0,\"batches_removed\":0,"
                        "\"rows_removed\":0}\n");
}

static void what_is_wrong_is_1_and_a_line_each(void **state)
{
    (void)state;
    meddle("UPDATE audit_log SET actor = 'nobody' WHERE number = 2");
    assert_int_equal(run("verify")->code, 1);
    assert_int_equal(strncmp(captured.out, "entry changed: entry 2 is not as it was written\n", 48),
                     0);
    assert_int_equal(run("verify --json")->code, 1);
    assert_int_equal(
        strncmp(captured.out,
                "{\"findings\":[\n{\"fault\":\"entry changed\",\"number\":2,\"number_to\":2,"
                "\"batch\":null,\"row\":null,\"text\":\"entry 2 is not as it was written\"}",
                130),
        0);
    assert_non_null(strstr(captured.out, "\n],\"ok\":false,"));
}

static void people_see_the_first_findings_and_programs_all(void **state)
{
    (void)state;
    meddle("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 220) "
           "INSERT INTO usage_logs (id, timestamp, answered, estimated, attempts, stream, batch) "
           "SELECT randomblob(16), 1, 0, 0, 1, 0, 2 * i FROM n");
    assert_int_equal(run("verify")->code, 1);
    assert_non_null(strstr(captured.out, " more, which --json lists\n"));
}

static void the_newest_entries_are_shown_harmlessly(void **state)
{
    (void)state;
    assert_int_equal(run("tail --lines 3")->code, 0);
    assert_int_equal(strncmp(captured.out, "NUMBER  TIME ", 13), 0);
    assert_null(strstr(captured.out, "serve.start"));
    assert_non_null(strstr(captured.out, "config.reload"));
    assert_null(strchr(captured.out, '\033'));
    assert_int_equal(run("tail --lines 2 --json")->code, 0);
    assert_int_equal(strncmp(captured.out, "[{\"number\":4,", 13), 0);
    assert_non_null(strstr(captured.out, "},\n{\"number\":5,"));
    assert_int_equal(strcmp(captured.out + strlen(captured.out) - 3, "}]\n"), 0);
}

static void an_export_begins_where_it_is_asked_to(void **state)
{
    (void)state;
    assert_int_equal(run("export")->code, 0);
    assert_int_equal(strncmp(captured.out, "{\"number\":1,", 12), 0);
    assert_int_equal(run("export --since 4")->code, 0);
    assert_int_equal(strncmp(captured.out, "{\"number\":4,", 12), 0);
    assert_int_equal(run("export --since 1h")->code, 0);
    assert_int_equal(strncmp(captured.out, "{\"number\":1,", 12), 0);
    assert_int_equal(run("export --since 2100-01-01")->code, 0);
    assert_string_equal(captured.out, "");
}

static void an_export_adds_a_checkpoint_where_one_is_due(void **state)
{
    (void)state;
    const struct admin_config config = {.data_dir = data_dir};
    struct admin_context *context = NULL;
    assert_int_equal(admin_context_open(&config, &context, NULL), STATUS_OK);
    assert_int_equal(serve_audit_start(context, SLICE("1.2.3"), NULL), STATUS_OK);
    admin_context_close(&context);
    assert_int_equal(run("export --since 6")->code, 0);
    assert_non_null(strstr(captured.out, "\n{\"number\":7,"));
    assert_int_equal(run("export --since 8")->code, 0);
    assert_string_equal(captured.out, "");
    assert_int_equal(run("verify")->code, 0);
}

static void wrong_usage_is_2(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "verifi",
                                        "verify x",
                                        "verify --since 1",
                                        "verify --lines 1",
                                        "tail x",
                                        "tail --lines 0",
                                        "tail --lines x",
                                        "tail --lines 10001",
                                        "export --json",
                                        "export --since x",
                                        "export --since 0",
                                        "export --since 99999999999999999d"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(run(lines[i])->code, 2);
        assert_string_equal(captured.out, "");
        assert_int_equal(strncmp(captured.err, "weir: ", 6), 0);
    }
    assert_int_equal(run("verifi")->code, 2);
    assert_non_null(strstr(captured.err, "did you mean 'verify'?"));
}

static void without_a_database_or_a_key_nothing_is_said_to_be_sound(void **state)
{
    (void)state;
    unlink(data_dir_path("secrets/audit.key"));
    assert_int_equal(run("verify")->code, 1);
    assert_string_equal(captured.out, "");
    assert_non_null(strstr(captured.err, "audit.key"));
    unlink(data_dir_path("weir.db"));
    assert_int_equal(run("verify --json")->code, 1);
    assert_string_equal(captured.out, "");
    assert_non_null(strstr(captured.err, "weir.db"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_chain_is_0_and_says_what_was_looked_at),
        TEST(what_is_wrong_is_1_and_a_line_each),
        TEST(people_see_the_first_findings_and_programs_all),
        TEST(the_newest_entries_are_shown_harmlessly),
        TEST(an_export_begins_where_it_is_asked_to),
        TEST(an_export_adds_a_checkpoint_where_one_is_due),
        TEST(wrong_usage_is_2),
        TEST(without_a_database_or_a_key_nothing_is_said_to_be_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
