#include "admin/operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "admin/precondition.h"
#include "base/alloc.h"
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

static void a_path_that_is_not_there_is_404(void **state)
{
    static const char *const wrong[] = {"",
                                        "/",
                                        "/admin/v1/teems",
                                        "/admin/v1/users/a/revoke",
                                        "/admin/v1/keys/a/turn",
                                        "/admin/v1/keys/a/b/c"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *answer = NULL;
        assert_int_equal(operate(*state, "GET", wrong[i], "", &answer), 404);
        assert_string_equal(answer, "{\"type\":\"about:blank\",\"title\":\"Not Found\","
                                    "\"status\":404,\"detail\":\"there is no such path\"}");
    }
}

static void a_method_that_a_path_does_not_have_is_405(void **state)
{
    static const char *const wrong[][2] = {
        {"PUT", "/admin/v1/users"},         {"get", "/admin/v1/users"},
        {"POST", "/admin/v1/users/a"},      {"DELETE", "/admin/v1/keys/a"},
        {"GET", "/admin/v1/keys/a/revoke"}, {"", "/admin/v1/keys"}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(operate(*state, wrong[i][0], wrong[i][1], "", NULL), 405);
}

static void a_malformed_path_is_400(void **state)
{
    assert_int_equal(operate(*state, "GET", "/admin/v1/users/%", "", NULL), 400);
    assert_int_equal(operate(*state, "GET", "/admin/v1/users?limit", "", NULL), 400);
}

static void a_body_or_a_path_beyond_its_limit_is_refused(void **state)
{
    static char text[ADMIN_BODY_BYTES_MAX + 2];
    memset(text, ' ', sizeof(text) - 1);
    assert_int_equal(operate(*state, "POST", "/admin/v1/users", text, NULL), 413);
    text[ADMIN_BODY_BYTES_MAX] = '\0';
    assert_int_equal(operate(*state, "POST", "/admin/v1/users", text, NULL), 400);
    memcpy(text, "/admin/v1/users/", 16);
    assert_int_equal(operate(*state, "GET", text, "", NULL), 404);
}

/* A request cut at any byte is refused, and leaves nothing behind. */
static void a_body_cut_anywhere_is_refused(void **state)
{
    static const char whole[] = "{\"name\":\"a\\u00e9\xc3\xa9\"}";
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        char cut[sizeof(whole)];
        memcpy(cut, whole, size);
        cut[size] = '\0';
        assert_int_equal(operate(*state, "POST", "/admin/v1/users", cut, NULL), 400);
    }
    assert_int_equal(operate(*state, "POST", "/admin/v1/users", whole, NULL), 201);
}

static void a_database_that_is_locked_is_503_and_changes_nothing(void **state)
{
    struct admin_context *context = *state;
    struct store *patient = context->store, *impatient = NULL;
    const struct store_config config = {.path = data_dir_path("weir.db"), .now_us = 1};
    sqlite3 *other = NULL;
    const char *answer = NULL;
    assert_int_equal(operate(context, "POST", "/admin/v1/users", "{\"name\":\"ada\"}", NULL), 201);
    assert_int_equal(store_open(&config, &impatient, NULL), STATUS_OK);
    context->store = impatient; /* which waits for no lock */

    assert_int_equal(sqlite3_open(config.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(operate(context, "POST", "/admin/v1/keys", "{\"user\":\"ada\"}", &answer),
                     503);
    assert_non_null(strstr(answer, "locked"));
    assert_int_equal(identity_map_key_count(context->map), 0);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);

    assert_int_equal(operate(context, "POST", "/admin/v1/keys", "{\"user\":\"ada\"}", NULL), 201);
    assert_int_equal(identity_map_key_count(context->map), 1);
    context->store = patient;
    store_close(&impatient);
}

/* Whatever allocation fails, the answer is 503 and store and map agree; when none fails, it is
 * done. */
static void creating_survives_the_failure_of_each_allocation(void **state)
{
    struct admin_context *context = *state;
    const char *answer = NULL;
    assert_int_equal(operate(context, "POST", "/admin/v1/users", "{\"name\":\"ada\"}", NULL), 201);
    for (int nth = 0;; nth++) {
        alloc_fail_nth(nth);
        const unsigned http_status =
            operate(context, "POST", "/admin/v1/keys",
                    "{\"user\":\"ada\",\"name\":\"laptop\",\"models\":[\"a\"]}", &answer);
        alloc_fail_nth(-1);
        if (http_status == 201) {
            assert_in_range(nth, 4, 100);
            break;
        }
        assert_int_equal(http_status, 503);
        assert_int_equal(identity_map_key_count(context->map), 0);
        assert_int_equal(operate(context, "GET", "/admin/v1/keys/laptop", "", NULL), 404);
    }
    assert_int_equal(identity_map_key_count(context->map), 1);
    assert_int_equal(operate(context, "GET", "/admin/v1/keys/laptop", "", NULL), 200);
}

static void without_a_server_the_same_operations_work_on_the_store_alone(void **state)
{
    struct admin_context *context = *state;
    const char *answer = NULL;
    identity_map_destroy(&context->map);
    assert_int_equal(operate(context, "POST", "/admin/v1/users", "{\"name\":\"ada\"}", NULL), 201);
    assert_int_equal(
        operate(context, "POST", "/admin/v1/keys", "{\"user\":\"ada\",\"name\":\"laptop\"}", NULL),
        201);
    assert_int_equal(operate(context, "POST", "/admin/v1/keys/laptop/revoke", "", &answer), 200);
    assert_non_null(strstr(answer, "\"state\":\"revoked\""));
    assert_int_equal(operate(context, "POST", "/admin/v1/users/ada/disable", "", NULL), 200);
    assert_int_equal(operate(context, "DELETE", "/admin/v1/users/ada", "", NULL), 200);
}

/* Over HTTP, as an administrator. */
static unsigned handle(struct admin_context *context, const char *method, const char *path,
                       const char *if_match, struct admin_reply *reply_out)
{
    struct buffer answer;
    const struct admin_request request = {
        .method = slice_from_text(method),
        .path = slice_from_text(path),
        .actor = {.role = ROLE_ADMIN, .name = SLICE("token:test")},
        .if_match = if_match != NULL ? slice_from_text(if_match) : (struct slice){0},
        .needs_match = true,
    };
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    admin_handle(context, &request, &answer, reply_out);
    buffer_fini(&answer);
    return reply_out->http_status;
}

static void over_http_a_change_takes_the_version_of_what_it_changes(void **state)
{
    struct admin_reply reply;
    char tag[PRECONDITION_TAG_BYTES];
    assert_int_equal(operate(*state, "POST", "/admin/v1/users", "{\"name\":\"ada\"}", NULL), 201);
    assert_int_equal(handle(*state, "GET", "/admin/v1/users/ada", NULL, &reply), 200);
    assert_int_equal(reply.version_us, data_dir_now_us);
    (void)precondition_tag(reply.version_us, tag);
    assert_int_equal(handle(*state, "POST", "/admin/v1/users/ada/disable", NULL, &reply), 428);
    assert_int_equal(reply.version_us, 0);
    assert_int_equal(handle(*state, "POST", "/admin/v1/users/ada/disable", "\"1\"", &reply), 412);
    assert_int_equal(handle(*state, "POST", "/admin/v1/users/eve/disable", NULL, &reply), 404);
    assert_int_equal(handle(*state, "POST", "/admin/v1/users/ada/disable", tag, &reply), 200);
    assert_in_range(reply.version_us, data_dir_now_us + 1, data_dir_now_us + 2);
    assert_int_equal(handle(*state, "DELETE", "/admin/v1/users/ada", tag, &reply), 412);
    assert_int_equal(handle(*state, "DELETE", "/admin/v1/users/ada", "*", &reply), 200);
}

static void a_role_that_is_too_low_is_403_before_anything_is_looked_at(void **state)
{
    struct admin_reply reply;
    struct buffer answer;
    const struct admin_request request = {
        .method = SLICE("POST"),
        .path = SLICE("/admin/v1/users"),
        .body = SLICE("{\"name\":\"ada\"}"),
        .actor = {.role = ROLE_VIEWER, .name = SLICE("token:test")},
    };
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    admin_handle(*state, &request, &answer, &reply);
    assert_int_equal(reply.http_status, 403);
    assert_string_equal(reply.problem.text,
                        "this takes the role operator or team_admin; the token's is viewer");
    buffer_fini(&answer);
    assert_int_equal(operate(*state, "GET", "/admin/v1/users/ada", "", NULL), 404);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    struct admin_reply reply;
    assert_int_equal(handle(*state, "PUT", "/admin/v1/users/ada/enable", NULL, &reply), 405);
    assert_string_equal(reply.allow, "POST");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_path_that_is_not_there_is_404),
        TEST(a_method_that_a_path_does_not_have_is_405),
        TEST(a_malformed_path_is_400),
        TEST(a_body_or_a_path_beyond_its_limit_is_refused),
        TEST(a_body_cut_anywhere_is_refused),
        TEST(a_database_that_is_locked_is_503_and_changes_nothing),
        TEST(creating_survives_the_failure_of_each_allocation),
        TEST(without_a_server_the_same_operations_work_on_the_store_alone),
        TEST(over_http_a_change_takes_the_version_of_what_it_changes),
        TEST(a_role_that_is_too_low_is_403_before_anything_is_looked_at),
        TEST(a_wrong_method_is_told_the_right_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
