#include "admin/team_operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/admin/data_dir.h"

#define TEAMS "/admin/v1/teams"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(true);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static const char *done(struct admin_context *context, const char *method, const char *path,
                        const char *body)
{
    const char *answer = NULL;
    const unsigned http_status = operate(context, method, path, body, &answer);
    if (http_status >= 300)
        fail_msg("%s %s: %s", method, path, answer);
    return answer;
}

static const char *refused(struct admin_context *context, unsigned wanted, const char *method,
                           const char *path, const char *body)
{
    const char *answer = NULL;
    assert_int_equal(operate(context, method, path, body, &answer), wanted);
    return answer;
}

static void a_created_team_is_answered_and_shown_alike(void **state)
{
    char created[2048];
    const char *answer = done(*state, "POST", TEAMS,
                              "{\"name\":\"research\",\"timezone\":\"Europe/Berlin\","
                              "\"limits\":[\"60req/min\"],\"budgets\":[\"500usd/month\"],"
                              "\"models\":[\"gpt*\"],\"warn_only\":true}");
    assert_non_null(
        strstr(answer, "\"name\":\"research\",\"timezone\":\"Europe/Berlin\",\"disabled\":false,"
                       "\"models\":[\"gpt*\"],\"routes\":null,\"networks\":null,\"tags\":null,"
                       "\"limits\":[\"60req/min\"],\"budgets\":[\"500usd/month\"],"
                       "\"warn_only\":true,\"created_at\":\"2026-01-31T12:00:00.000Z\","
                       "\"updated_at\":\"2026-01-31T12:00:00.000Z\"}"));
    assert_true(strlen(answer) < sizeof(created));
    memcpy(created, answer, strlen(answer) + 1);
    assert_string_equal(done(*state, "GET", TEAMS "/research", ""), created);
    answer = done(*state, "GET", TEAMS, "");
    assert_non_null(strstr(answer, created));
}

static void a_patch_changes_what_it_has_and_nothing_else(void **state)
{
    done(*state, "POST", TEAMS, "{\"name\":\"research\",\"limits\":[\"60req/min\"]}");
    data_dir_now_us += 1000000;
    const char *answer =
        done(*state, "PATCH", TEAMS "/research", "{\"budgets\":[\"5usd/day\"],\"tags\":[\"x\"]}");
    assert_non_null(strstr(answer, "\"tags\":[\"x\"],\"limits\":[\"60req/min\"],"
                                   "\"budgets\":[\"5usd/day\"]"));
    assert_non_null(strstr(answer, "\"updated_at\":\"2026-01-31T12:00:01.000Z\""));
    answer = done(*state, "PATCH", TEAMS "/research", "{\"timezone\":\"Asia/Tokyo\"}");
    assert_non_null(strstr(answer, "\"timezone\":\"Asia/Tokyo\""));
    answer = done(*state, "PATCH", TEAMS "/research", "{\"timezone\":null,\"limits\":null}");
    assert_non_null(strstr(answer, "\"timezone\":null"));
    assert_non_null(strstr(answer, "\"limits\":[]"));
}

static void bodies_that_make_no_team_are_refused_and_make_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "{\"name\":\"\"}",
        "{\"name\":null}",
        "{\"name\":\"none\"}",
        "{\"name\":\"a\",\"timezone\":\"Mars/Olympus\"}",
        "{\"name\":\"a\",\"timezone\":\"../etc/passwd\"}",
        "{\"name\":\"a\",\"timezone\":\"\"}",
        "{\"name\":\"a\",\"timezone\":1}",
        "{\"name\":\"a\",\"limits\":[\"fast\"]}",
        "{\"name\":\"a\",\"user\":\"ada\"}",
        "{\"name\":\"a\",\"name\":\"b\"}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refused(*state, 400, "POST", TEAMS, wrong[i]);
    assert_string_equal(done(*state, "GET", TEAMS, ""), "{\"items\":[],\"next\":null}");
    done(*state, "POST", TEAMS, "{\"name\":\"a\"}");
    refused(*state, 409, "POST", TEAMS, "{\"name\":\"a\"}");
    refused(*state, 400, "PATCH", TEAMS "/a", "{\"name\":\"b\"}");
    refused(*state, 404, "PATCH", TEAMS "/b", "{\"limits\":[]}");
}

static void users_are_added_and_removed(void **state)
{
    done(*state, "POST", TEAMS, "{\"name\":\"a\"}");
    done(*state, "POST", TEAMS, "{\"name\":\"b\"}");
    done(*state, "POST", "/admin/v1/users", "{\"name\":\"ada\",\"team\":\"a\"}");
    assert_non_null(strstr(done(*state, "POST", TEAMS "/b/add", "{\"user\":\"ada\"}"),
                           "\"name\":\"ada\",\"team\":\"b\""));
    assert_non_null(strstr(done(*state, "GET", "/admin/v1/users?team=b", ""), "ada"));
    assert_null(strstr(done(*state, "GET", "/admin/v1/users?team=a", ""), "ada"));
    assert_non_null(
        strstr(refused(*state, 404, "POST", TEAMS "/a/remove", "{\"user\":\"ada\"}"), "not in"));
    assert_non_null(strstr(done(*state, "POST", TEAMS "/b/remove", "{\"user\":\"ada\"}"),
                           "\"team\":null,\"team_id\":null"));
    refused(*state, 404, "POST", TEAMS "/c/add", "{\"user\":\"ada\"}");
    refused(*state, 404, "POST", TEAMS "/a/add", "{\"user\":\"bob\"}");
    refused(*state, 400, "POST", TEAMS "/a/add", "{\"user\":1}");
    refused(*state, 400, "POST", TEAMS "/a/add", "{}");
    refused(*state, 404, "GET", "/admin/v1/users?team=c", "");
    refused(*state, 404, "POST", "/admin/v1/users", "{\"name\":\"bob\",\"team\":\"c\"}");
    refused(*state, 400, "POST", "/admin/v1/users", "{\"name\":\"bob\",\"team\":7}");
    refused(*state, 404, "PATCH", "/admin/v1/users/ada", "{\"team\":\"c\"}");
    assert_non_null(
        strstr(done(*state, "PATCH", "/admin/v1/users/ada", "{\"team\":\"a\"}"), "\"team\":\"a\""));
}

static void a_disabled_team_takes_its_keys_along_and_a_deleted_one_does_not(void **state)
{
    done(*state, "POST", TEAMS, "{\"name\":\"a\"}");
    done(*state, "POST", "/admin/v1/users", "{\"name\":\"ada\",\"team\":\"a\"}");
    done(*state, "POST", "/admin/v1/keys", "{\"user\":\"ada\",\"name\":\"k\"}");
    done(*state, "POST", TEAMS "/a/disable", "");
    assert_non_null(strstr(done(*state, "GET", "/admin/v1/keys/k", ""), "\"team_disabled\""));
    done(*state, "POST", TEAMS "/a/enable", "");
    assert_non_null(strstr(done(*state, "GET", "/admin/v1/keys/k", ""), "\"active\""));
    done(*state, "POST", TEAMS "/a/disable", "");
    assert_non_null(strstr(done(*state, "DELETE", TEAMS "/a", ""),
                           "\"name\":\"a\",\"deleted\":true,\"users_released\":1"));
    assert_non_null(strstr(done(*state, "GET", "/admin/v1/keys/k", ""), "\"active\""));
    refused(*state, 404, "GET", TEAMS "/a", "");
    refused(*state, 404, "DELETE", TEAMS "/a", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_team_is_answered_and_shown_alike),
        TEST(a_patch_changes_what_it_has_and_nothing_else),
        TEST(bodies_that_make_no_team_are_refused_and_make_none),
        TEST(users_are_added_and_removed),
        TEST(a_disabled_team_takes_its_keys_along_and_a_deleted_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
