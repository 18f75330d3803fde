#include "admin/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "gateway/snapshot_levels.h"
#include "models/tokens/tokenizer.h"
#include "unit/admin/data_dir.h"
#include "unit/config/loading.h"

static const char yaml[] =
    "providers:\n"
    "  ours: { base_url: http://ours/v1, api_key: k }\n"
    "models:\n"
    "  - { name: 'big*', targets: [ours, { provider: ours, model: small }], max_output: 100 }\n"
    "  - { name: dark, targets: [ours] }\n"
    "prices:\n"
    "  - { provider: ours, model: 'big*', input: 1usd, output: 10usd }\n";

static int open_context(void **state)
{
    static struct loading loading;
    struct reason reason;
    if (data_dir_make(state) != 0)
        return -1;
    struct admin_context *context = data_dir_open(true);
    *state = context;
    loading = (struct loading){0};
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    assert_int_equal(snapshot_create_for_prices(&config, &context->snapshot, &reason), STATUS_OK);
    assert_int_equal(snapshot_levels_make(context->snapshot, context->counters, NULL), STATUS_OK);
    assert_int_equal(operate(context, "POST", "/admin/v1/users", "{\"name\":\"u\"}", NULL), 201);
    assert_int_equal(operate(context, "POST", "/admin/v1/keys",
                             "{\"user\":\"u\",\"name\":\"k\",\"models\":[\"big*\",\"dark\"],"
                             "\"limits\":[\"9req/min\"],\"budgets\":[\"0.01usd/day\"]}",
                             NULL),
                     201);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    snapshot_unref(&context->snapshot);
    admin_context_close(&context);
    return data_dir_remove(state);
}

static unsigned explain(struct admin_context *context, const char *body, const char **answer_out)
{
    return operate(context, "POST", "/admin/v1/explain", body, answer_out);
}

static void says(struct admin_context *context, const char *body, const char *said)
{
    const char *answer;
    assert_int_equal(explain(context, body, &answer), 200);
    if (strstr(answer, said) == NULL)
        fail_msg("%s is not in %s", said, answer);
}

static void a_request_that_would_be_admitted_is_explained(void **state)
{
    const char *body = "{\"key\":\"k\",\"model\":\"big-one\"}";
    says(*state, body, "{\"admitted\":true,\"status\":200,\"code\":null,\"message\":null,");
    says(*state, body,
         "\"rule\":\"big*\",\"context\":\"pass\",\"targets\":[{\"provider\":\"ours\",\"model\":"
         "\"big-one\",\"price_id\":\"config/ours/big*@1970-01-01\"},");
    says(*state, body, "{\"provider\":\"ours\",\"model\":\"small\",\"price_id\":null}]");
    says(*state, body, "\"choices\":1,\"tokens_taken\":1031,\"hold\":{\"cost\":\"0.00108\",");
    says(*state, body,
         "\"output_tokens\":100,\"output_by\":\"model\",\"max_output_written\":null}");
    says(*state, body, "\"refused_by\":null,");
    says(*state, body, "\"key\":\"k\",\"user\":\"u\",\"team\":null,\"network\":\"any\",");
    says(*state, body,
         "\"limit\":\"9req/min\",\"kind\":\"requests\",\"window\":\"minute\","
         "\"amount\":9,\"used\":0,\"remaining\":9,");
    says(*state, body, "\"limit\":\"0.01usd/day\"");
}

static void nothing_is_changed_by_asking(void **state)
{
    for (int i = 0; i < 30; i++)
        says(*state, "{\"key\":\"k\",\"model\":\"big-one\"}", "\"used\":0,\"remaining\":9,");
    says(*state, "{\"key\":\"k\",\"model\":\"big-one\"}", "\"spent_nanousd\":0,\"held\":\"0\",");
}

static void each_refusal_is_told_as_the_client_would_get_it(void **state)
{
    static const struct {
        const char *body, *said;
    } cases[] = {
        {"{\"key\":\"k\",\"model\":\"nothing\"}", "\"status\":404,\"code\":\"model_not_found\""},
        {"{\"key\":\"k\",\"model\":\"dark\"}", "\"status\":400,\"code\":\"price_unknown\""},
        {"{\"key\":\"k\",\"body\":{\"model\":\"big-one\",\"messages\":[],\"max_tokens\":5000}}",
         "\"status\":400,\"code\":\"request_exceeds_limit\""},
        {"{\"key\":\"k\",\"body\":{\"model\":\"big-one\",\"messages\":7}}",
         "\"status\":400,\"code\":\"invalid_type\""},
        {"{\"key\":\"k\",\"body\":{\"model\":\"big-one\"}}",
         "\"code\":\"missing_required_parameter\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        says(*state, cases[i].body, cases[i].said);
    assert_int_equal(operate(*state, "POST", "/admin/v1/users/u/disable", "", NULL), 200);
    says(*state, "{\"key\":\"k\",\"model\":\"big-one\"}",
         "\"status\":401,\"code\":\"invalid_api_key\",\"message\":\"user disabled\"");
}

/* Makes a key for the user. */
static void make_key(struct admin_context *context, const char *body)
{
    assert_int_equal(operate(context, "POST", "/admin/v1/keys", body, NULL), 201);
}

static void only_a_budget_that_refuses_holds_and_writes(void **state)
{
    make_key(*state, "{\"user\":\"u\",\"name\":\"free\"}");
    make_key(*state, "{\"user\":\"u\",\"name\":\"warned\",\"budgets\":[\"0.01usd/day\"],"
                     "\"warn_only\":true}");
    says(*state, "{\"key\":\"free\",\"model\":\"big-one\"}", "\"hold\":null,\"limits\":[],");
    says(*state, "{\"key\":\"warned\",\"model\":\"big-one\"}", "\"hold\":null,\"limits\":[],");
    says(*state, "{\"key\":\"warned\",\"model\":\"big-one\"}", "\"warn_only\":true}");
    says(*state, "{\"key\":\"warned\",\"model\":\"dark\"}", "\"admitted\":true,");
}

static void the_limit_that_refuses_is_named(void **state)
{
    make_key(*state, "{\"user\":\"u\",\"name\":\"few\",\"limits\":[\"10tok/min\"]}");
    make_key(*state, "{\"user\":\"u\",\"name\":\"poor\",\"budgets\":[\"0.0001usd/day\"]}");
    says(*state, "{\"key\":\"few\",\"model\":\"big-one\"}",
         "\"code\":\"request_exceeds_limit\",\"message\":\"This request takes 10");
    says(*state, "{\"key\":\"few\",\"model\":\"big-one\"}",
         "\"refused_by\":{\"level\":\"key\",\"name\":\"few\",\"limit\":\"10tok/min\","
         "\"retry_after_ms\":null},");
    says(*state, "{\"key\":\"poor\",\"model\":\"big-one\"}",
         "\"refused_by\":{\"level\":\"key\",\"name\":\"poor\",\"limit\":\"0.0001usd/day\",");
    says(*state, "{\"key\":\"poor\",\"model\":\"nothing\"}", "\"refused_by\":null,");
}

static void tokens_are_counted_before_a_request_is_too_large(void **state)
{
    assert_int_equal(tokenizer_load(TOKEN_ENCODING_O200K, NULL), STATUS_OK);
    make_key(*state, "{\"user\":\"u\",\"name\":\"few\",\"limits\":[\"30tok/min\"]}");
    says(*state,
         "{\"key\":\"few\",\"body\":{\"model\":\"big-one\",\"max_tokens\":1,\"messages\":[{"
         "\"role\":\"user\",\"content\":\"international internationalization of "
         "responsibilities, international internationalization of responsibilities\"}]}}",
         "\"admitted\":true,");
    says(*state,
         "{\"key\":\"few\",\"body\":{\"model\":\"big-one\",\"max_tokens\":29,\"messages\":[{"
         "\"role\":\"user\",\"content\":\"hi\"}]}}",
         "\"code\":\"request_exceeds_limit\",");
    tokenizer_unload_all();
}

static void networks_are_asked_where_an_address_is_given(void **state)
{
    static const struct {
        const char *address, *network, *status;
    } cases[] = {
        {"10.1.2.3", "allowed", "200"},
        {"::ffff:10.1.2.3", "allowed", "200"},
        {"11.1.2.3", "refused", "403"},
    };
    make_key(*state, "{\"user\":\"u\",\"name\":\"near\",\"networks\":[\"10.0.0.0/8\"]}");
    says(*state, "{\"key\":\"near\",\"model\":\"big-one\"}", "\"network\":\"not_asked\",");
    says(*state, "{\"key\":\"k\",\"model\":\"big-one\",\"address\":\"11.1.2.3\"}",
         "\"network\":\"any\",");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[128], said[64];
        (void)snprintf(body, sizeof(body),
                       "{\"key\":\"near\",\"model\":\"big-one\",\"address\":\"%s\"}",
                       cases[i].address);
        (void)snprintf(said, sizeof(said), "\"network\":\"%s\",", cases[i].network);
        says(*state, body, said);
        (void)snprintf(said, sizeof(said), "\"status\":%s,", cases[i].status);
        says(*state, body, said);
    }
    assert_int_equal(
        explain(*state, "{\"key\":\"near\",\"model\":\"big-one\",\"address\":\"10.\"}", NULL), 400);
    assert_int_equal(
        explain(*state, "{\"key\":\"near\",\"model\":\"big-one\",\"address\":7}", NULL), 400);
}

static void what_only_a_request_can_tell_is_said_to_be_unasked(void **state)
{
    const char *body = "{\"key\":\"k\",\"model\":\"big-one\",\"route\":\"/v1/chat\"}";
    says(*state, body, "\"context\":\"not_asked\",");
    says(*state,
         "{\"key\":\"k\",\"model\":\"big-one\",\"route\":\"/v1/embeddings\",\"body\":"
         "{\"model\":\"big-one\",\"input\":\"x\"}}",
         "\"context\":\"pass\",");
    says(*state, "{\"key\":\"k\",\"model\":\"nothing\"}", "\"context\":null,");
}

#define DEPTH 2000

static void a_body_that_is_too_deep_is_no_lack_of_memory(void **state)
{
    struct buffer body;
    const char *answer;
    buffer_init(&body, 65536);
    buffer_append(&body, SLICE("{\"key\":\"k\",\"model\":\"big-one\",\"body\":"));
    for (int i = 0; i < DEPTH; i++)
        buffer_append(&body, SLICE("{\"a\":"));
    buffer_append_byte(&body, '1');
    for (int i = 0; i <= DEPTH; i++)
        buffer_append_byte(&body, '}');
    assert_int_equal(buffer_append_byte(&body, '\0'), STATUS_OK);
    assert_int_equal(explain(*state, body.data, &answer), 400);
    assert_non_null(strstr(answer, "the body could not be read: "));
    buffer_fini(&body);
}

static void a_question_that_is_none_is_a_problem(void **state)
{
    assert_int_equal(explain(*state, "{\"model\":\"big\"}", NULL), 400);
    assert_int_equal(explain(*state, "{\"key\":\"k\"}", NULL), 400);
    assert_int_equal(explain(*state, "{\"key\":\"none\",\"model\":\"big\"}", NULL), 404);
    assert_int_equal(explain(*state, "{\"key\":\"k\",\"model\":\"big\",\"body\":3}", NULL), 400);
    assert_int_equal(
        explain(*state, "{\"key\":\"k\",\"model\":\"big\",\"route\":\"/v1/models\"}", NULL), 400);
    assert_int_equal(explain(*state, "{\"key\":\"k\",\"model\":\"big\",\"x\":1}", NULL), 400);
}

static void without_a_server_nobody_knows(void **state)
{
    struct admin_context *context = *state;
    struct snapshot *snapshot = context->snapshot;
    context->snapshot = NULL;
    assert_int_equal(explain(context, "{\"key\":\"k\",\"model\":\"big\"}", NULL), 503);
    context->snapshot = snapshot;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_that_would_be_admitted_is_explained),
        TEST(nothing_is_changed_by_asking),
        TEST(each_refusal_is_told_as_the_client_would_get_it),
        TEST(only_a_budget_that_refuses_holds_and_writes),
        TEST(the_limit_that_refuses_is_named),
        TEST(tokens_are_counted_before_a_request_is_too_large),
        TEST(networks_are_asked_where_an_address_is_given),
        TEST(what_only_a_request_can_tell_is_said_to_be_unasked),
        TEST(a_body_that_is_too_deep_is_no_lack_of_memory),
        TEST(a_question_that_is_none_is_a_problem),
        TEST(without_a_server_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
