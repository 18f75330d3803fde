#include "admin/limit_operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/admin/data_dir.h"

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

static void make(struct admin_context *context, const char *kind, const char *body)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/admin/v1/%s", kind);
    assert_int_equal(operate(context, "POST", path, body, NULL), 201);
}

static void limits_and_budgets_are_told_apart(void **state)
{
    const char *answer = NULL;
    make(*state, "teams",
         "{\"name\":\"red\",\"limits\":[\"60req/min\"],\"budgets\":[\"10usd/total\"]}");
    assert_int_equal(operate(*state, "GET", "/admin/v1/limits?level=team", "", &answer), 200);
    assert_non_null(strstr(answer, "\"name\":\"red\",\"limit\":\"60req/min\",\"kind\":\"requests\","
                                   "\"window\":\"minute\",\"amount\":60,\"used\":0,"
                                   "\"remaining\":60,"));
    assert_null(strstr(answer, "usd"));
    assert_int_equal(operate(*state, "GET", "/admin/v1/budgets?level=team", "", &answer), 200);
    assert_non_null(strstr(answer, "\"window\":\"total\",\"amount\":\"10\","
                                   "\"amount_nanousd\":10000000000,\"spent\":\"0\","
                                   "\"spent_nanousd\":0,\"held\":\"0\",\"held_nanousd\":0,"
                                   "\"remaining\":\"10\",\"remaining_nanousd\":10000000000,"
                                   "\"reset_at\":null,\"warn_only\":false}"));
    assert_null(strstr(answer, "req"));
}

static void a_page_holds_all_limits_of_a_thing_and_passes_over_those_without(void **state)
{
    const char *answer = NULL;
    char next[40], path[128];
    for (int i = 0; i < 6; i++) {
        char body[96];
        data_dir_now_us += US_PER_S;
        (void)snprintf(body, sizeof(body), "{\"name\":\"u%d\"%s}", i,
                       i % 2 == 0 ? ",\"limits\":[\"1req/min\",\"2tok/day\"]" : "");
        make(*state, "users", body);
    }
    assert_int_equal(operate(*state, "GET", "/admin/v1/limits?level=user&limit=2", "", &answer),
                     200);
    assert_non_null(strstr(answer, "\"u0\""));
    assert_non_null(strstr(answer, "\"u2\""));
    assert_null(strstr(answer, "\"u4\""));
    answer_member(answer, "next", next, sizeof(next));
    (void)snprintf(path, sizeof(path), "/admin/v1/limits?level=user&limit=2&after=%s", next);
    assert_int_equal(operate(*state, "GET", path, "", &answer), 200);
    assert_null(strstr(answer, "\"u2\""));
    assert_non_null(strstr(answer, "\"u4\""));
    assert_non_null(strstr(answer, "2tok/day"));
    assert_non_null(strstr(answer, "\"next\":null"));
}

static void without_a_server_nothing_is_counted(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    *state = context = data_dir_open(false);
    assert_int_equal(operate(context, "GET", "/admin/v1/limits?level=key", "", NULL), 503);
    assert_int_equal(operate(context, "GET", "/admin/v1/limits", "", NULL), 400);
    assert_int_equal(operate(context, "GET", "/admin/v1/budgets?level=everybody", "", NULL), 400);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(limits_and_budgets_are_told_apart),
        TEST(a_page_holds_all_limits_of_a_thing_and_passes_over_those_without),
        TEST(without_a_server_nothing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
