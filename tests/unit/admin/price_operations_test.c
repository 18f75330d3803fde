#include "admin/price_operations.h"

#include "unit/admin/priced_context.h"

#define PRICES "/admin/v1/prices"

static void set(struct admin_context *context, const char *body)
{
    assert_int_equal(operate(context, "POST", PRICES, body, NULL), 200);
}

static void a_price_that_was_set_is_shown_with_its_id(void **state)
{
    const char *answer = NULL;
    assert_int_equal(operate(*state, "POST", PRICES,
                             "{\"provider\":\"openai\",\"model\":\"gpt/y\",\"from\":\"2026-01-01\","
                             "\"prices\":{\"input\":\"0.40usd\",\"output\":\"1.6\"}}",
                             &answer),
                     200);
    assert_string_equal(answer, "{\"provider\":\"openai\",\"model\":\"gpt/y\",\"source\":\"store\","
                                "\"id\":\"store/openai/gpt/y@2026-01-01\","
                                "\"from\":\"2026-01-01T00:00:00.000Z\",\"until\":null,"
                                "\"terms\":\"input=0.4 output=1.6\","
                                "\"prices\":{\"input\":\"0.4\",\"output\":\"1.6\"}}");
    assert_int_equal(operate(*state, "GET", PRICES "/gpt%2fy", "", &answer), 200);
    assert_non_null(strstr(answer, "\"id\":\"store/openai/gpt/y@2026-01-01\""));
    assert_non_null(strstr(answer, "{\"provider\":\"local\",\"model\":\"small\","
                                   "\"source\":\"free\",\"id\":\"free/local\",\"from\":null,"
                                   "\"until\":null,\"terms\":\"free\",\"prices\":null}"));
}

static void the_configurations_price_goes_first_once_it_has_begun(void **state)
{
    struct admin_context *context = *state;
    const char *answer = NULL;
    assert_int_equal(operate(context, "GET", PRICES "/gpt-x", "", &answer), 200);
    assert_non_null(strstr(answer, "\"id\":\"config/openai/gpt-x@2026-01-15\""));
    data_dir_now_us -= 20 * UINT64_C(86400) * US_PER_S;
    assert_int_equal(operate(context, "GET", PRICES "/gpt-x", "", &answer), 200);
    assert_non_null(strstr(answer, "{\"provider\":\"openai\",\"model\":\"gpt-x\","
                                   "\"source\":null,\"id\":null,\"from\":null,\"until\":null,"
                                   "\"terms\":null,\"prices\":null}"));
}

static void a_list_has_the_configurations_and_the_stores(void **state)
{
    const char *answer = NULL;
    set(*state, "{\"provider\":\"local\",\"model\":\"small\",\"prices\":{\"input\":\"1\"}}");
    assert_int_equal(operate(*state, "GET", PRICES "?limit=5", "", &answer), 200);
    const char *config = strstr(answer, "\"source\":\"config\"");
    const char *store = strstr(answer, "\"source\":\"store\"");
    assert_true(config != NULL && store != NULL && config < store);
    assert_non_null(strstr(answer, "],\"next\":null}"));
}

static void the_same_date_is_replaced_and_can_be_removed(void **state)
{
    const char *answer = NULL;
    set(*state, "{\"provider\":\"local\",\"model\":\"a b\",\"prices\":{\"input\":\"7\"}}");
    set(*state, "{\"provider\":\"local\",\"model\":\"a b\",\"prices\":{\"input\":\"2\"}}");
    assert_int_equal(operate(*state, "GET", PRICES, "", &answer), 200);
    assert_null(strstr(answer, "\"input\":\"7\""));
    assert_int_equal(
        operate(*state, "DELETE", PRICES "?provider=local&model=a%20b&from=2026-01-01", "", NULL),
        404);
    assert_int_equal(operate(*state, "DELETE", PRICES "?provider=local&model=a%20b", "", &answer),
                     200);
    assert_string_equal(answer, "{\"provider\":\"local\",\"model\":\"a b\",\"from\":null,"
                                "\"removed\":true}");
    assert_int_equal(operate(*state, "DELETE", PRICES "?provider=local&model=a%20b", "", NULL),
                     404);
}

static void what_is_no_price_is_refused(void **state)
{
    static const struct {
        const char *body;
        unsigned http_status;
        const char *said;
    } cases[] = {
        {"", 400, "JSON"},
        {"{}", 400, "no provider is called"},
        {"{\"provider\":\"opnai\",\"model\":\"m\"}", 400, "did you mean 'openai'"},
        {"{\"provider\":\"openai\"}", 400, "prices"},
        {"{\"provider\":\"openai\",\"prices\":{\"input\":\"1\"}}", 400, "1 to 256"},
        {"{\"provider\":\"openai\",\"model\":\"m\",\"prices\":[]}", 400, "prices"},
        {"{\"provider\":\"openai\",\"model\":\"m\",\"prices\":{}}", 400, ""},
        {"{\"provider\":\"openai\",\"model\":\"m\",\"prices\":{\"input\":1}}", 400, "in quotes"},
        {"{\"provider\":\"openai\",\"model\":\"m\",\"prices\":{\"inptu\":\"1\"}}", 400,
         "did you mean 'input'"},
        {"{\"provider\":\"openai\",\"model\":\"m\",\"prices\":{\"input\":\"1\",\"input\":\"2\"}}",
         400, "input"},
        {"{\"provider\":\"openai\",\"model\":\"m\",\"from\":\"soon\","
         "\"prices\":{\"input\":\"1\"}}",
         400, "from"},
        {"{\"provider\":\"openai\",\"model\":\"m\",\"until\":\"soon\"}", 400, "no member"},
        {"{\"provider\":\"openai\",\"model\":\"gpt-x\",\"prices\":{\"input\":\"1\"}}", 409,
         "the configuration has this price"},
        {"{\"provider\":\"openai\",\"model\":\"ours-1\",\"prices\":{\"input\":\"1\"}}", 409,
         "the configuration has this price"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *answer = NULL;
        const unsigned status = operate(*state, "POST", PRICES, cases[i].body, &answer);
        if (status != cases[i].http_status || strstr(answer, cases[i].said) == NULL)
            fail_msg("%s: %u %s", cases[i].body, status, answer);
    }
}

static void what_is_not_there_is_said(void **state)
{
    struct admin_context *context = *state;
    struct snapshot *snapshot = context->snapshot;
    assert_int_equal(operate(context, "GET", PRICES "/claude", "", NULL), 404);
    assert_int_equal(operate(context, "POST", PRICES "/claude", "", NULL), 405);
    context->snapshot = NULL;
    assert_int_equal(operate(context, "GET", PRICES "/gpt-x", "", NULL), 503);
    assert_int_equal(operate(context, "GET", PRICES, "", NULL), 200);
    context->snapshot = snapshot;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_price_that_was_set_is_shown_with_its_id),
        TEST(the_configurations_price_goes_first_once_it_has_begun),
        TEST(a_list_has_the_configurations_and_the_stores),
        TEST(the_same_date_is_replaced_and_can_be_removed),
        TEST(what_is_no_price_is_refused),
        TEST(what_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
