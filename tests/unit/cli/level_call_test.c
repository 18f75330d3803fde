/* Limits and rules of teams, users and keys from the command line, on a data directory without a
 * server. */
#include "cli/level_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "unit/cli/capture.h"
#include "unit/cli/data_dir.h"

/* Runs "teams create research", with --data-dir added. */
static const struct capture *run(const char *line)
{
    char whole[1024];
    (void)snprintf(whole, sizeof(whole), "%s --data-dir %s", line, data_dir);
    if (strncmp(line, "teams", 5) == 0)
        return capture_run(teams_command, whole);
    return capture_run(strncmp(line, "users", 5) == 0 ? users_command : keys_command, whole);
}

static const char *succeeds(const char *line)
{
    const struct capture *ran = run(line);
    assert_string_equal(ran->err, "");
    assert_int_equal(ran->code, 0);
    return ran->out;
}

static void says(const char *line, int code, const char *message)
{
    const struct capture *ran = run(line);
    assert_int_equal(ran->code, code);
    assert_string_equal(ran->out, "");
    if (strstr(ran->err, message) == NULL)
        fail_msg("%s", ran->err);
}

static void has(const char *line, const char *text)
{
    const char *out = succeeds(line);
    if (strstr(out, text) == NULL)
        fail_msg("%s\nhas no %s", out, text);
}

static void each_kind_is_made_with_limits_and_rules(void **state)
{
    (void)state;
    has("teams create research --budget 500usd/month --timezone Europe/Berlin --json",
        "\"timezone\":\"Europe/Berlin\"");
    has("users create ada --team research --rpm 60 --networks 10.0.0.0/8 --json",
        "\"networks\":[\"10.0.0.0/8\"],\"tags\":null,\"limits\":[\"60req/min\"]");
    has("keys create --user ada --name k --routes /chat* --tags a,b --warn-only --json",
        "\"routes\":[\"/v1/chat*\"],\"networks\":null,\"tags\":[\"a\",\"b\"],\"limits\":[],"
        "\"budgets\":[],\"warn_only\":true");
    has("teams list", "500usd/month");
    has("users list", "research");
    has("users show ada", "limits         60req/min\n");
}

static void set_changes_what_is_given_and_keeps_the_rest(void **state)
{
    (void)state;
    succeeds("teams create t --limit 60req/min --limit 5parallel --budget 10usd/month --models a");
    has("teams set t --limit 30req/min --json", "\"30req/min\",\"5parallel\"]");
    has("teams set t --max-parallel none --budget 1usd/day --json",
        "\"limits\":[\"30req/min\"],\"budgets\":[");
    has("teams show t --json", "\"1usd/day\"");
    has("teams show t --json", "\"10usd/month\"");
    has("teams set t --limit none --models none --json", "\"models\":null");
    has("teams show t --json", "\"limits\":[]");
    has("teams set t --budget none --timezone Asia/Tokyo --json", "\"budgets\":[]");
    has("teams set t --timezone none --json", "\"timezone\":null");
    succeeds("users create ada");
    has("users set ada --team t --tpm 1000 --json", "\"team\":\"t\"");
    has("users set ada --team none --json", "\"limits\":[\"1000tok/min\"]");
}

static void users_come_into_teams_and_leave_them(void **state)
{
    (void)state;
    succeeds("teams create t");
    succeeds("users create ada");
    has("teams add t ada", "team           t\n");
    has("users list --team t", "ada");
    has("teams remove t ada", "team           -\n");
    says("teams remove t ada", 1, "not in the team");
    says("teams add t", 2, "say which: `weir teams add T U`");
    says("teams add t ada bob", 2, "takes two names");
    succeeds("teams disable t");
    has("teams enable t", "disabled       no\n");
    has("teams delete t", "deleted        yes\n");
    says("teams show t", 1, "there is no team t");
}

static void a_rotated_key_is_shown_once(void **state)
{
    char secret[128] = "";
    (void)state;
    succeeds("users create ada");
    succeeds("keys create --user ada --name k");
    const char *out = succeeds("keys rotate k --overlap 1h");
    assert_non_null(strstr(out, "not shown again"));
    assert_non_null(strstr(out, "former_ends_at 20"));
    assert_int_equal(sscanf(strstr(out, "sk-weir-"), "%127s", secret), 1);
    assert_null(strstr(succeeds("keys show k --json"), secret));
    has("keys rotate k --overlap 0s", "former_ends_at -\n");
    says("keys rotate k --overlap soon", 2, "such as 24h");
    says("keys rotate k --overlap 999d", 2, "366d");
    says("keys rotate nobody", 1, "nobody");
    succeeds("keys revoke k");
    says("keys rotate k", 1, "revoked");
}

static void mistakes_are_told_and_change_nothing(void **state)
{
    (void)state;
    succeeds("teams create t --limit 60req/min");
    says("teams set t", 2, "say what to set");
    says("users set t", 2, "say what to set");
    says("keys set t", 2, "say what to set");
    says("teams set t --limit 10usd/month", 2, "--budget 10usd/month");
    says("teams set t --limit 60req/minute/hour", 2, "60req/minute/hour");
    says("teams set t --rpm 0", 2, "--rpm");
    says("teams set t --networks 10.0.0.1/8", 2, "10.0.0.1/8");
    says("teams set t --routes /v1/embedings", 2, "/v1/embeddings");
    says("teams set t --timezone Mars/Olympus", 2, "Mars/Olympus");
    says("teams set t --models a*b", 2, "*");
    says("teams set other --limit 1req/min", 1, "other");
    says("teams set t --priority 1", 2, "not in this version");
    says("teams set t --overlap 1h", 2, "takes no --overlap");
    says("users create ada --team other", 1, "other");
    has("teams show t --json", "\"limits\":[\"60req/min\"]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, data_dir_make_filled, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_is_made_with_limits_and_rules),
        TEST(set_changes_what_is_given_and_keeps_the_rest),
        TEST(users_come_into_teams_and_leave_them),
        TEST(a_rotated_key_is_shown_once),
        TEST(mistakes_are_told_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
