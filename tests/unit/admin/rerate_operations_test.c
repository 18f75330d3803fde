/* POST /admin/v1/prices/rerate. */
#include "admin/price_operations.h"

#include "unit/admin/priced_context.h"

#define RERATE "/admin/v1/prices/rerate"

static void an_answer_has_the_sums_of_each_target(void **state)
{
    const char *answer = NULL;
    const struct store_usage usage = priced_usage(1);
    priced_add(*state, &usage);
    assert_int_equal(operate(*state, "POST", RERATE,
                             "{\"since\":\"2026-01-31\",\"until\":\"2026-02-01\",\"apply\":true}",
                             &answer),
                     200);
    assert_string_equal(
        answer, "{\"since\":\"2026-01-31T00:00:00.000000Z\","
                "\"until\":\"2026-02-01T00:00:00.000000Z\",\"next\":null,\"apply\":true,"
                "\"rows\":1,\"targets\":[{\"provider\":\"openai\",\"model\":\"gpt-x\",\"rows\":1,"
                "\"changed\":1,\"unpriced\":1,\"left\":0,\"old_cost\":\"0\","
                "\"old_cost_nanousd\":0,\"cost\":\"0.00028\",\"cost_nanousd\":280000}]}");
}

static void a_long_time_without_requests_is_passed_at_once(void **state)
{
    const char *answer = NULL;
    assert_int_equal(operate(*state, "POST", RERATE,
                             "{\"since\":\"1970-01-01\",\"until\":\"9999-12-31\"}", &answer),
                     200);
    assert_non_null(strstr(answer, "\"next\":null,\"apply\":false,\"rows\":0,\"targets\":[]}"));
}

static void what_cannot_be_asked_is_refused(void **state)
{
    static const char *const bodies[][2] = {
        {"{}", "`since`"},
        {"{\"since\":\"2026-01-31\"}", "`until`"},
        {"{\"since\":\"30d\",\"until\":\"2026-01-31\"}", "`since`"},
        {"{\"since\":\"2026-01-31\",\"until\":\"2026-01-31\"}", "not after"},
        {"{\"when\":7}", "no member when"},
    };
    struct admin_context *context = *state;
    struct snapshot *snapshot = context->snapshot;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const char *answer = NULL;
        assert_int_equal(operate(context, "POST", RERATE, bodies[i][0], &answer), 400);
        assert_non_null(strstr(answer, bodies[i][1]));
    }
    context->snapshot = NULL;
    assert_int_equal(operate(context, "POST", RERATE,
                             "{\"since\":\"2026-01-30\",\"until\":\"2026-01-31\"}", NULL),
                     503);
    context->snapshot = snapshot;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_has_the_sums_of_each_target),
        TEST(a_long_time_without_requests_is_passed_at_once),
        TEST(what_cannot_be_asked_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
