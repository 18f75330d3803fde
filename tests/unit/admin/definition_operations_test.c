#include "admin/definition_operations.h"

#include "unit/admin/priced_context.h"

#include "base/alloc.h"
#include "store/store_overlay.h"

#define PROVIDERS "/admin/v1/providers"
#define MODELS    "/admin/v1/models"
#define PROVIDER  "{\"name\":\"added\",\"base_url\":\"https://added.example/v1\"}"

static void a_provider_is_made_shown_changed_and_removed(void **state)
{
    const char *answer = NULL;
    assert_int_equal(operate(*state, "POST", PROVIDERS, PROVIDER, &answer), 201);
    assert_non_null(strstr(answer,
                           "\"name\":\"added\",\"from\":\"api\",\"file\":null,\"line\":null,"
                           "\"in_force\":true,\"dialect\":\"openai\","
                           "\"base_url\":\"https://added.example/v1\","
                           "\"credential\":\"none\","
                           "\"definition\":{\"base_url\":\"https://added.example/v1\"}"));
    assert_int_equal(operate(*state, "POST", PROVIDERS, PROVIDER, NULL), 409);
    assert_int_equal(operate(*state, "PUT", PROVIDERS "/added",
                             "{\"base_url\":\"https://other.example\"}", &answer),
                     200);
    assert_non_null(strstr(answer, "\"base_url\":\"https://other.example\","));
    assert_int_equal(operate(*state, "GET", PROVIDERS "/added", "", &answer), 200);
    assert_non_null(strstr(answer, "\"definition\":{\"base_url\":\"https://other.example\"}"));
    assert_int_equal(operate(*state, "DELETE", PROVIDERS "/added", "", &answer), 200);
    assert_string_equal(answer, "{\"name\":\"added\",\"deleted\":true}");
    assert_int_equal(operate(*state, "GET", PROVIDERS "/added", "", NULL), 404);
    assert_int_equal(operate(*state, "DELETE", PROVIDERS "/added", "", NULL), 404);
}

static void a_model_is_made_of_what_the_store_has(void **state)
{
    const char *answer = NULL;
    assert_int_equal(operate(*state, "POST", PROVIDERS, PROVIDER, NULL), 201);
    assert_int_equal(operate(*state, "POST", MODELS,
                             "{\"targets\":[{\"provider\":\"added\",\"model\":\"m\"}],"
                             "\"window\":4096,\"name\":\"mine\"}",
                             &answer),
                     201);
    assert_non_null(strstr(answer, "\"targets\":[{\"provider\":\"added\",\"model\":\"m\"}],"
                                   "\"definition\":{\"name\":\"mine\",\"targets\":[{\"provider\":"
                                   "\"added\",\"model\":\"m\"}],\"window\":4096}"));
    assert_int_equal(operate(*state, "DELETE", PROVIDERS "/added", "", &answer), 409);
    assert_non_null(strstr(answer, "'mine'"));
    assert_int_equal(
        operate(*state, "POST", MODELS, "{\"name\":\"gpt-5\",\"targets\":[\"local\"]}", &answer),
        409);
    assert_non_null(strstr(answer, "weir.yaml:5"));
}

static void what_the_file_has_is_read_only(void **state)
{
    static const struct {
        const char *method, *path, *body;
    } cases[] = {
        {"POST", PROVIDERS, "{\"name\":\"local\",\"base_url\":\"https://x.example\"}"},
        {"PUT", PROVIDERS "/local", "{\"base_url\":\"https://x.example\"}"},
        {"DELETE", PROVIDERS "/local", ""},
        {"POST", MODELS, "{\"name\":\"gpt*\",\"targets\":[\"local\"]}"},
        {"PUT", MODELS "/gpt*", "{\"targets\":[\"local\"]}"},
        {"DELETE", MODELS "/gpt*", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *answer = NULL;
        const unsigned status =
            operate(*state, cases[i].method, cases[i].path, cases[i].body, &answer);
        if (status != 409 || strstr(answer, "/etc/weir/weir.yaml:") == NULL)
            fail_msg("%s %s: %u %s", cases[i].method, cases[i].path, status, answer);
    }
}

static void a_list_has_the_files_the_built_in_ones_and_the_stores(void **state)
{
    const char *answer = NULL;
    assert_int_equal(operate(*state, "POST", PROVIDERS, PROVIDER, NULL), 201);
    assert_int_equal(operate(*state, "GET", PROVIDERS, "", &answer), 200);
    const char *file = strstr(answer, "\"from\":\"file\""),
               *api = strstr(answer, "\"from\":\"api\"");
    assert_true(file != NULL && api != NULL && file < api);
    assert_non_null(strstr(answer, "],\"next\":null}"));
    assert_int_equal(operate(*state, "GET", MODELS "/gpt*", "", &answer), 200);
    assert_non_null(strstr(answer, "\"file\":\"/etc/weir/weir.yaml\",\"line\":5"));
}

static void every_cut_of_a_body_is_refused_and_leaves_nothing(void **state)
{
    for (size_t size = 0; size < sizeof(PROVIDER) - 1; size++) {
        char cut[sizeof(PROVIDER)];
        memcpy(cut, PROVIDER, size);
        cut[size] = '\0';
        assert_int_equal(operate(*state, "POST", PROVIDERS, cut, NULL), 400);
    }
    assert_int_equal(operate(*state, "GET", PROVIDERS "/added", "", NULL), 404);
}

static void a_provider_takes_its_secret_with_it(void **state)
{
    struct admin_context *context = *state;
    const char *answer = NULL;
    assert_int_equal(operate(context, "PUT", "/admin/v1/secrets/local", "{\"value\":\"k\"}", NULL),
                     200);
    assert_int_equal(operate(context, "POST", PROVIDERS, PROVIDER, NULL), 201);
    const struct store_definition model = {.id = {{9}},
                                           .name = SLICE("local"),
                                           .definition = SLICE("{}"),
                                           .created_at_us = 1,
                                           .updated_at_us = 1};
    /* As if the file had come to have one of the same name later. */
    assert_int_equal(store_definition_create(context->store, STORE_SECTION_PROVIDERS, &model, NULL),
                     STATUS_OK);
    assert_int_equal(operate(context, "DELETE", PROVIDERS "/local", "", NULL), 200);
    assert_int_equal(operate(context, "GET", "/admin/v1/secrets", "", &answer), 200);
    assert_non_null(strstr(answer, "\"local\"")); /* it is the file's */
}

static void making_survives_the_failure_of_each_allocation(void **state)
{
    for (int nth = 0;; nth++) {
        alloc_fail_nth(nth);
        const unsigned http_status = operate(*state, "POST", PROVIDERS, PROVIDER, NULL);
        alloc_fail_nth(-1);
        if (http_status == 201)
            break;
        if (operate(*state, "GET", PROVIDERS "/added", "", NULL) == 200)
            assert_int_equal(operate(*state, "DELETE", PROVIDERS "/added", "", NULL), 200);
        assert_true(http_status == 503 || http_status == 500 || http_status == 400);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_provider_is_made_shown_changed_and_removed),
        TEST(a_model_is_made_of_what_the_store_has),
        TEST(what_the_file_has_is_read_only),
        TEST(a_list_has_the_files_the_built_in_ones_and_the_stores),
        TEST(every_cut_of_a_body_is_refused_and_leaves_nothing),
        TEST(a_provider_takes_its_secret_with_it),
        TEST(making_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
