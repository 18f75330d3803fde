#include "admin/secret_operations.h"

#include "admin/precondition.h"
#include "unit/admin/priced_context.h"

#define SECRETS "/admin/v1/secrets"

static void a_secret_is_set_listed_and_deleted_without_being_shown(void **state)
{
    const char *answer = NULL;
    assert_int_equal(
        operate(*state, "PUT", SECRETS "/local", "{\"value\":\"sk-credential-7f3a\"}", &answer),
        200);
    assert_non_null(strstr(answer, "{\"provider\":\"local\",\"hint\":\"7f3a\",\"master_id\":\""));
    assert_null(strstr(answer, "sk-credential"));
    assert_int_equal(operate(*state, "GET", SECRETS, "", &answer), 200);
    assert_non_null(strstr(answer, "{\"items\":[{\"provider\":\"local\""));
    assert_null(strstr(answer, "sk-credential"));
    assert_int_equal(operate(*state, "DELETE", SECRETS "/local", "", &answer), 200);
    assert_string_equal(answer, "{\"provider\":\"local\",\"deleted\":true}");
    assert_int_equal(operate(*state, "DELETE", SECRETS "/local", "", NULL), 404);
    assert_int_equal(operate(*state, "GET", SECRETS, "", &answer), 200);
    assert_string_equal(answer, "{\"items\":[],\"next\":null}");
}

static unsigned put(struct admin_context *context, const char *if_match, uint64_t *version_us_out)
{
    const struct admin_request request = {
        .method = SLICE("PUT"),
        .path = SLICE(SECRETS "/local"),
        .body = SLICE("{\"value\":\"sk-credential-7f3a\"}"),
        .actor = {.role = ROLE_ADMIN},
        .if_match = if_match != NULL ? slice_from_text(if_match) : (struct slice){0},
        .needs_match = true,
    };
    struct admin_reply reply;
    struct buffer answer;
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    admin_handle(context, &request, &answer, &reply);
    buffer_fini(&answer);
    *version_us_out = reply.version_us;
    return reply.http_status;
}

static void a_version_that_is_named_has_to_be_the_one_that_is_replaced(void **state)
{
    char tag[PRECONDITION_TAG_BYTES];
    uint64_t version_us = 0;
    assert_int_equal(put(*state, "*", &version_us), 412); /* there is none yet */
    assert_int_equal(put(*state, "\"1\"", &version_us), 412);
    assert_int_equal(operate(*state, "GET", SECRETS "/local", "", NULL), 404);
    assert_int_equal(put(*state, NULL, &version_us), 200);
    (void)precondition_tag(version_us, tag);
    assert_int_equal(put(*state, "\"1\"", &version_us), 412);
    assert_int_equal(put(*state, tag, &version_us), 200);
    assert_int_equal(put(*state, tag, &version_us), 412);
    assert_int_equal(put(*state, "*", &version_us), 200);
    assert_int_equal(put(*state, NULL, &version_us), 200);
}

static bool is_followed(struct admin_context *context, struct slice method, struct slice path,
                        struct slice body)
{
    const struct admin_request request = {
        .method = method, .path = path, .body = body, .actor = {.role = ROLE_ADMIN}};
    struct admin_reply reply;
    struct buffer answer;
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    admin_handle(context, &request, &answer, &reply);
    buffer_fini(&answer);
    assert_int_equal(reply.http_status, 200);
    return reply.has_configuration_changed;
}

static void a_change_is_to_be_followed(void **state)
{
    const struct slice body = SLICE("{\"value\":\"k\"}");
    assert_false(is_followed(*state, SLICE("GET"), SLICE(SECRETS), SLICE("")));
    assert_true(is_followed(*state, SLICE("PUT"), SLICE(SECRETS "/local"), body));
}

static void what_cannot_be_set_is_refused(void **state)
{
    static const struct {
        const char *path, *body;
        unsigned http_status;
        const char *said;
    } cases[] = {
        {SECRETS "/local", "", 400, "JSON"},
        {SECRETS "/local", "{}", 400, "not empty"},
        {SECRETS "/local", "{\"value\":7}", 400, "not empty"},
        {SECRETS "/local", "{\"value\":\"a\\u0000b\"}", 400, "control"},
        {SECRETS "/local", "{\"value\":\"k\",\"value\":\"k\"}", 400, "twice"},
        {SECRETS "/local", "{\"valeu\":\"k\"}", 400, "no member"},
        {SECRETS "/locl", "{\"value\":\"k\"}", 404, "did you mean 'local'"},
        {SECRETS "/openai", "{\"value\":\"k\"}", 409, "weir.yaml:2"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *answer = NULL;
        const unsigned status = operate(*state, "PUT", cases[i].path, cases[i].body, &answer);
        if (status != cases[i].http_status || strstr(answer, cases[i].said) == NULL)
            fail_msg("%s: %u %s", cases[i].body, status, answer);
    }
}

static void without_a_configuration_nothing_is_set(void **state)
{
    struct admin_context *context = *state;
    struct snapshot *snapshot = context->snapshot;
    context->snapshot = NULL;
    assert_int_equal(operate(context, "PUT", SECRETS "/local", "{\"value\":\"k\"}", NULL), 503);
    assert_int_equal(operate(context, "GET", SECRETS, "", NULL), 200);
    context->snapshot = snapshot;
}

static void the_master_key_is_rotated(void **state)
{
    const char *answer = NULL;
    char first[17], second[17];
    assert_int_equal(operate(*state, "PUT", SECRETS "/local", "{\"value\":\"k\"}", &answer), 200);
    answer_member(answer, "master_id", first, sizeof(first));
    assert_int_equal(operate(*state, "POST", SECRETS "/rotate-master", "", &answer), 200);
    assert_non_null(strstr(answer, "{\"secrets\":1,\"master_id\":\""));
    assert_non_null(strstr(answer, "\"saved\":true}"));
    answer_member(answer, "master_id", second, sizeof(second));
    assert_string_not_equal(first, second);
    assert_int_equal(
        operate(*state, "POST", SECRETS "/rotate-master", "{\"new_key\":\"short\"}", &answer), 400);
    assert_int_equal(operate(*state, "POST", SECRETS "/rotate-master", "{\"new_key\":7}", NULL),
                     400);
    assert_int_equal(operate(*state, "POST", SECRETS "/local", "{}", NULL), 405);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_secret_is_set_listed_and_deleted_without_being_shown),
        TEST(a_version_that_is_named_has_to_be_the_one_that_is_replaced),
        TEST(a_change_is_to_be_followed),
        TEST(what_cannot_be_set_is_refused),
        TEST(without_a_configuration_nothing_is_set),
        TEST(the_master_key_is_rotated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
