#include "admin/user_operations.h"

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

static void create(struct admin_context *context, const char *body)
{
    assert_int_equal(operate(context, "POST", "/admin/v1/users", body, NULL), 201);
}

static void a_created_user_is_answered_and_shown_alike(void **state)
{
    const char *answer = NULL;
    char created[1024];
    assert_int_equal(
        operate(*state, "POST", "/admin/v1/users", "{\"name\":\"Ada \\u00e9\"}", &answer), 201);
    assert_true(strlen(answer) < sizeof(created));
    memcpy(created, answer, strlen(answer) + 1);
    assert_non_null(strstr(created, "\"name\":\"Ada \xc3\xa9\",\"team\":null,\"team_id\":null,"
                                    "\"disabled\":false,\"models\":null,\"routes\":null,"
                                    "\"networks\":null,\"tags\":null,\"limits\":[],"
                                    "\"budgets\":[],\"warn_only\":false,"
                                    "\"created_at\":\"2026-01-31T12:00:00.000Z\","
                                    "\"updated_at\":\"2026-01-31T12:00:00.000Z\"}"));
    assert_int_equal(operate(*state, "GET", "/admin/v1/users/Ada%20%c3%a9", "", &answer), 200);
    assert_string_equal(answer, created);

    char id[64], path[128];
    answer_member(created, "id", id, sizeof(id));
    (void)snprintf(path, sizeof(path), "/admin/v1/users/%s", id);
    assert_int_equal(operate(*state, "GET", path, "", &answer), 200);
    assert_string_equal(answer, created);
}

static void a_name_is_taken_once(void **state)
{
    const char *answer = NULL;
    create(*state, "{\"name\":\"ada\"}");
    assert_int_equal(operate(*state, "POST", "/admin/v1/users", "{\"name\":\"ada\"}", &answer),
                     409);
    assert_string_equal(answer, "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
                                "\"detail\":\"there is a user named ada already\"}");
}

static void bodies_that_name_no_user_are_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "\"ada\"",
                                        "{}",
                                        "{\"name\":null}",
                                        "{\"name\":1}",
                                        "{\"name\":\"\"}",
                                        "{\"name\":\" ada\"}",
                                        "{\"name\":\"a\\nb\"}",
                                        "{\"name\":\"a\\u0000b\"}",
                                        "{\"name\":\"a\",\"name\":\"b\"}",
                                        "{\"name\":\"a\",\"role\":\"admin\"}",
                                        "{\"name\":\"\xff\"}",
                                        "{\"name\":\"00000000-0000-0000-0000-000000000001\"}",
                                        "{\"name\":\"sk-weir-abc\"}",
                                        "{\"name\":\"a\"} x"};
    const char *answer = NULL;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(operate(*state, "POST", "/admin/v1/users", wrong[i], &answer), 400);
        assert_non_null(strstr(answer, "\"title\":\"Bad Request\",\"status\":400"));
    }
    assert_int_equal(operate(*state, "GET", "/admin/v1/users", "", &answer), 200);
    assert_string_equal(answer, "{\"items\":[],\"next\":null}");
}

static void an_unknown_user_is_404(void **state)
{
    static const char *const requests[][2] = {{"GET", "/admin/v1/users/bob"},
                                              {"DELETE", "/admin/v1/users/bob"},
                                              {"POST", "/admin/v1/users/bob/disable"},
                                              {"POST", "/admin/v1/users/bob/enable"}};
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        const char *answer = NULL;
        assert_int_equal(operate(*state, requests[i][0], requests[i][1], "", &answer), 404);
        assert_non_null(strstr(answer, "there is no user bob"));
    }
}

static void disabling_and_enabling_show_and_may_be_repeated(void **state)
{
    const char *answer = NULL;
    create(*state, "{\"name\":\"ada\"}");
    data_dir_now_us += US_PER_S;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(operate(*state, "POST", "/admin/v1/users/ada/disable", "", &answer), 200);
        assert_non_null(strstr(answer, "\"disabled\":true"));
        assert_non_null(strstr(answer, "\"updated_at\":\"2026-01-31T12:00:01.000Z\""));
    }
    assert_int_equal(operate(*state, "POST", "/admin/v1/users/ada/enable", "", &answer), 200);
    assert_non_null(strstr(answer, "\"disabled\":false"));
}

static void a_deleted_user_is_gone_with_its_keys(void **state)
{
    const struct admin_context *context = *state;
    const char *answer = NULL;
    create(*state, "{\"name\":\"ada\"}");
    assert_int_equal(operate(*state, "POST", "/admin/v1/keys", "{\"user\":\"ada\"}", NULL), 201);
    assert_int_equal(operate(*state, "POST", "/admin/v1/keys", "{\"user\":\"ada\"}", NULL), 201);
    assert_int_equal(identity_map_key_count(context->map), 2);
    assert_int_equal(operate(*state, "DELETE", "/admin/v1/users/ada", "", &answer), 200);
    assert_non_null(strstr(answer, "\"name\":\"ada\",\"deleted\":true,\"keys_deleted\":2}"));
    assert_int_equal(identity_map_key_count(context->map), 0);
    assert_int_equal(operate(*state, "GET", "/admin/v1/users/ada", "", NULL), 404);
    assert_int_equal(operate(*state, "GET", "/admin/v1/keys", "", &answer), 200);
    assert_string_equal(answer, "{\"items\":[],\"next\":null}");
    create(*state, "{\"name\":\"ada\"}");
}

static void users_are_listed_in_the_order_of_their_making(void **state)
{
    const char *answer = NULL;
    create(*state, "{\"name\":\"b\"}");
    data_dir_now_us += US_PER_S;
    create(*state, "{\"name\":\"a\"}");
    assert_int_equal(operate(*state, "GET", "/admin/v1/users", "", &answer), 200);
    const char *first = strstr(answer, "\"name\":\"b\"");
    const char *second = strstr(answer, "\"name\":\"a\"");
    assert_true(first != NULL && second != NULL && first < second);
    assert_non_null(strstr(answer, "],\"next\":null}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_user_is_answered_and_shown_alike),
        TEST(a_name_is_taken_once),
        TEST(bodies_that_name_no_user_are_refused),
        TEST(an_unknown_user_is_404),
        TEST(disabling_and_enabling_show_and_may_be_repeated),
        TEST(a_deleted_user_is_gone_with_its_keys),
        TEST(users_are_listed_in_the_order_of_their_making),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
