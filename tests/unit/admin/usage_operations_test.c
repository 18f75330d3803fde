#include "admin/usage_operations.h"

#include "unit/admin/priced_context.h"

static void a_report_has_its_period_its_lines_and_a_total(void **state)
{
    const char *answer = NULL;
    struct store_usage usage = priced_usage(1);
    usage.cost_nanousd = 1500;
    priced_add(*state, &usage);
    usage = priced_usage(2);
    usage.model = SLICE("other");
    priced_add(*state, &usage);
    assert_int_equal(operate(*state, "GET",
                             "/admin/v1/usage?by=model&since=2026-01-31T12:30:00Z&until="
                             "2026-01-31T12:31:00Z",
                             "", &answer),
                     200);
    assert_non_null(strstr(answer, "{\"by\":\"model\",\"since\":\"2026-01-31T12:00:00.000Z\","
                                   "\"until\":\"2026-01-31T13:00:00.000Z\",\"items\":[{"
                                   "\"id\":\"gpt-x\",\"name\":null,\"requests\":1,"));
    assert_non_null(strstr(answer, "\"cost\":\"0.0000015\",\"cost_nanousd\":1500},"
                                   "{\"id\":\"other\",\"name\":null,\"requests\":1,"
                                   "\"answered\":1,\"refused\":0,\"estimated\":0,\"unpriced\":1,"));
    assert_non_null(strstr(answer, "],\"rest\":null,\"total\":{\"id\":null,\"name\":null,"
                                   "\"requests\":2,"));
}

static void without_a_time_it_is_of_30_days(void **state)
{
    const char *answer = NULL;
    assert_int_equal(operate(*state, "GET", "/admin/v1/usage", "", &answer), 200);
    assert_non_null(strstr(answer, "{\"by\":null,\"since\":\"2026-01-01T12:00:00.000Z\","
                                   "\"until\":null,\"items\":[{"));
}

static void what_cannot_be_asked_is_refused(void **state)
{
    static const char *const queries[][2] = {
        {"by=modle", "did you mean 'model'"},
        {"by=", "usage is not known by"},
        {"since=soon", "neither a duration"},
        {"until=1", "neither a duration"},
        {"of=7", "no parameter of"},
        {"since=1d&until=1d", "before it begins"},
        {"until=1970-01-01", "before it begins"},
    };
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        char path[128];
        const char *answer = NULL;
        (void)snprintf(path, sizeof(path), "/admin/v1/usage?%s", queries[i][0]);
        assert_int_equal(operate(*state, "GET", path, "", &answer), 400);
        assert_non_null(strstr(answer, queries[i][1]));
    }
    assert_int_equal(operate(*state, "POST", "/admin/v1/usage", "", NULL), 405);
}

/* Each line is some 300 bytes, so 40,000 of them are more than an answer holds. */
static void lines_beyond_the_answers_size_are_added_up(void **state)
{
    struct admin_context *context = *state;
    struct buffer answer;
    struct reason reason = {""};
    char name[32];
    assert_int_equal(store_begin(context->store, &reason), STATUS_OK);
    for (uint32_t i = 0; i < 40000; i++) {
        struct store_usage usage = priced_usage(i);
        struct store_sum sum;
        (void)snprintf(name, sizeof(name), "model-%u", i);
        usage.model = slice_from_text(name);
        store_sum_of(&usage, &sum);
        assert_int_equal(store_sum_add(context->store, &sum, &reason), STATUS_OK);
    }
    assert_int_equal(store_commit(context->store, &reason), STATUS_OK);
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    assert_int_equal(
        admin_operate(context, SLICE("GET"), SLICE("/admin/v1/usage?by=model"), SLICE(""), &answer),
        200);
    const struct slice text = buffer_slice(&answer);
    assert_true(text.size < ADMIN_ANSWER_BYTES_MAX);
    const size_t at = slice_find(text, SLICE("\"rest\":{\"items\":"));
    assert_true(at < text.size);
    assert_true(slice_find(slice_from(text, at), SLICE("\"total\":{\"id\":null,\"name\":null,"
                                                       "\"requests\":40000,")) < text.size - at);
    buffer_fini(&answer);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_report_has_its_period_its_lines_and_a_total),
        TEST(without_a_time_it_is_of_30_days),
        TEST(what_cannot_be_asked_is_refused),
        TEST(lines_beyond_the_answers_size_are_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
