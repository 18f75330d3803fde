#include "dialect/openai_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

static char first[8192];
static struct arena arena;
static struct openai_request request;
static struct openai_error error;

static enum status read_as(enum openai_route route, const char *body)
{
    arena_init(&arena, first, sizeof(first), 0);
    return openai_request_read(route, slice_from_text(body), &JSON_LIMITS_DEFAULT, &arena, &request,
                               &error);
}

static void assert_chat(const char *body)
{
    const enum status status = read_as(OPENAI_ROUTE_CHAT, body);
    if (status != STATUS_OK)
        fail_msg("%s: %s", body, error.message);
}

static void assert_refused(enum openai_route route, const char *body, enum openai_code code,
                           const char *param)
{
    if (read_as(route, body) != STATUS_INVALID)
        fail_msg("accepted: %s", body);
    if (error.code != code)
        fail_msg("%s: %s", body, error.code_text);
    if (param == NULL)
        assert_null(error.param);
    else
        assert_string_equal(error.param, param);
    assert_true(error.message[0] != '\0');
}

static void a_chat_request_is_understood(void **state)
{
    (void)state;
    assert_chat("{\"model\":\"gpt-4o\\u002dmini\",\"messages\":[{\"role\":\"user\"},{}],"
                "\"stream\":true,\"stream_options\":{\"include_usage\":true,\"x\":1},"
                "\"max_tokens\":10,\"max_completion_tokens\":2.0e1,\"n\":3,\"user\":\"u\","
                "\"temperature\":0.5,\"unknown\":{\"model\":1}}");
    assert_true(slice_equal(request.model, SLICE("gpt-4o-mini")));
    assert_true(request.stream);
    assert_true(request.include_usage);
    assert_false(request.stream_options_empty);
    assert_int_equal(request.message_count, 2);
    assert_int_equal(request.max_tokens, 20);
    assert_int_equal(request.n, 3);
    assert_int_equal(request.best_of, 1);
    assert_non_null(request.members[OPENAI_MEMBER_USER]);
    assert_null(request.members[OPENAI_MEMBER_PROMPT]);
}

static void the_larger_of_two_maxima_counts(void **state)
{
    (void)state;
    assert_chat("{\"model\":\"m\",\"messages\":[],\"max_tokens\":9,\"max_completion_tokens\":4}");
    assert_int_equal(request.max_tokens, 9);
    assert_chat("{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":4}");
    assert_int_equal(request.max_tokens, 4);
}

static void the_largest_number_is_a_maximum_too(void **state)
{
    (void)state;
    assert_chat("{\"model\":\"m\",\"messages\":[],\"max_tokens\":18446744073709551615}");
    assert_true(request.max_tokens == UINT64_MAX - 1);
}

static void what_is_absent_or_null_has_its_default(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"model\":\"m\",\"messages\":[]}",
        "{\"model\":\"m\",\"messages\":[],\"stream\":null,\"stream_options\":null,\"n\":null,"
        "\"max_tokens\":null,\"max_completion_tokens\":null,\"temperature\":null,\"user\":null}",
    };
    for (size_t i = 0; i < 2; i++) {
        assert_chat(bodies[i]);
        assert_false(request.stream);
        assert_false(request.include_usage);
        assert_null(request.usage_option.raw.data);
        assert_int_equal(request.message_count, 0);
        assert_true(request.max_tokens == UINT64_MAX);
        assert_int_equal(request.n, 1);
    }
    assert_chat("{\"model\":\"m\",\"messages\":[],\"max_tokens\":0,\"n\":0}");
    assert_int_equal(request.max_tokens, 0);
    assert_int_equal(request.n, 1);
    assert_chat("{\"model\":\"m\",\"messages\":[],\"stream_options\":{\"include_usage\":null}}");
    assert_false(request.include_usage);
    assert_non_null(request.usage_option.raw.data);
}

static void a_body_that_is_no_json_is_refused_with_the_place(void **state)
{
    (void)state;
    assert_refused(OPENAI_ROUTE_CHAT, "", OPENAI_CODE_INVALID_JSON, NULL);
    assert_refused(OPENAI_ROUTE_CHAT, "[]", OPENAI_CODE_INVALID_JSON, NULL);
    assert_refused(OPENAI_ROUTE_CHAT, "{\"model\":\"m\",}", OPENAI_CODE_INVALID_JSON, NULL);
    assert_int_equal(error.offset, 13);
    assert_string_equal(error.code_text, "invalid_json");
    assert_string_equal(error.message, "The JSON body of your request could not be read: "
                                       "expected a name in quotes at byte 13.");
    char deep[300] = "{\"model\":\"m\",\"messages\":";
    memset(deep + strlen(deep), '[', 70);
    assert_refused(OPENAI_ROUTE_CHAT, deep, OPENAI_CODE_TOO_DEEP, NULL);
}

static void a_required_member_must_stand_there(void **state)
{
    (void)state;
    static const struct {
        enum openai_route route;
        const char *body, *param;
    } cases[] = {
        {OPENAI_ROUTE_CHAT, "{\"messages\":[]}", "model"},
        {OPENAI_ROUTE_CHAT, "{\"messages\":[],\"model\":null}", "model"},
        {OPENAI_ROUTE_CHAT, "{\"messages\":[],\"model\":\"\"}", "model"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\"}", "messages"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":null}", "messages"},
        {OPENAI_ROUTE_COMPLETIONS, "{\"prompt\":\"x\"}", "model"},
        {OPENAI_ROUTE_EMBEDDINGS, "{\"input\":\"x\"}", "model"},
        {OPENAI_ROUTE_EMBEDDINGS, "{\"model\":\"m\"}", "input"},
        {OPENAI_ROUTE_MODERATIONS, "{\"model\":\"m\"}", "input"},
        {OPENAI_ROUTE_SIMPLE_CHAT, "{}", "messages"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(cases[i].route, cases[i].body, OPENAI_CODE_MISSING, cases[i].param);
    assert_string_equal(error.message, "Missing required parameter: 'messages'.");
    assert_string_equal(error.code_text, "missing_required_parameter");
}

static void moderations_and_the_simple_chat_need_no_model(void **state)
{
    (void)state;
    assert_int_equal(read_as(OPENAI_ROUTE_MODERATIONS, "{\"input\":\"x\"}"), STATUS_OK);
    assert_null(request.model.data);
    assert_int_equal(read_as(OPENAI_ROUTE_MODERATIONS, "{\"input\":[],\"model\":\"\"}"), STATUS_OK);
    assert_null(request.model.data);
    assert_int_equal(read_as(OPENAI_ROUTE_SIMPLE_CHAT, "{\"messages\":[]}"), STATUS_OK);
    assert_null(request.model.data);
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum openai_route route;
        const char *body, *param;
    } cases[] = {
        {OPENAI_ROUTE_CHAT, "{\"model\":1,\"messages\":[]}", "model"},
        {OPENAI_ROUTE_CHAT, "{\"model\":[\"m\"],\"messages\":[]}", "model"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":{}}", "messages"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":\"hi\"}", "messages"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"stream\":\"true\"}", "stream"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"stream\":1}", "stream"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"stream_options\":[]}",
         "stream_options"},
        {OPENAI_ROUTE_CHAT,
         "{\"model\":\"m\",\"messages\":[],\"stream_options\":{\"include_usage\":1}}",
         "stream_options.include_usage"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"max_tokens\":\"1\"}", "max_tokens"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":1.5}",
         "max_completion_tokens"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"n\":true}", "n"},
        {OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"temperature\":\"hot\"}",
         "temperature"},
        {OPENAI_ROUTE_COMPLETIONS, "{\"model\":\"m\",\"best_of\":{}}", "best_of"},
        {OPENAI_ROUTE_COMPLETIONS, "{\"model\":\"m\",\"prompt\":1}", "prompt"},
        {OPENAI_ROUTE_EMBEDDINGS, "{\"model\":\"m\",\"input\":1}", "input"},
        {OPENAI_ROUTE_EMBEDDINGS, "{\"model\":\"m\",\"input\":\"\",\"user\":1}", "user"},
        {OPENAI_ROUTE_MODERATIONS, "{\"model\":false,\"input\":\"x\"}", "model"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(cases[i].route, cases[i].body, OPENAI_CODE_INVALID_TYPE, cases[i].param);
    assert_refused(OPENAI_ROUTE_CHAT, "{\"model\":1,\"messages\":[]}", OPENAI_CODE_INVALID_TYPE,
                   "model");
    assert_string_equal(error.message, "Invalid type for 'model': expected a string, but got a "
                                       "number instead.");
}

static void every_message_must_be_an_object(void **state)
{
    (void)state;
    assert_refused(OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[{},{},\"hi\",3]}",
                   OPENAI_CODE_INVALID_TYPE, "messages");
    assert_int_equal(error.index, 2);
    assert_string_equal(error.message, "Invalid type for 'messages[2]': expected an object, but "
                                       "got a string instead.");
    assert_refused(OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[null]}",
                   OPENAI_CODE_INVALID_TYPE, "messages");
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_refused(OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"max_tokens\":-1}",
                   OPENAI_CODE_INVALID_VALUE, "max_tokens");
    assert_refused(OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"n\":1e300}",
                   OPENAI_CODE_INVALID_VALUE, "n");
    assert_refused(OPENAI_ROUTE_COMPLETIONS, "{\"model\":\"m\",\"best_of\":-2}",
                   OPENAI_CODE_INVALID_VALUE, "best_of");
}

static void a_model_name_has_a_longest_size(void **state)
{
    (void)state;
    char body[OPENAI_MODEL_BYTES_MAX + 64];
    char name[OPENAI_MODEL_BYTES_MAX];
    memset(name, 'a', sizeof(name));
    snprintf(body, sizeof(body), "{\"messages\":[],\"model\":\"%.*s\"}", OPENAI_MODEL_BYTES_MAX - 2,
             name);
    assert_chat(body);
    snprintf(body, sizeof(body), "{\"messages\":[],\"model\":\"%.*s\"}", OPENAI_MODEL_BYTES_MAX - 1,
             name);
    assert_refused(OPENAI_ROUTE_CHAT, body, OPENAI_CODE_INVALID_VALUE, "model");
}

/* Servers differ in which of two they take, and some take a name in another case. */
static void a_member_that_weir_decides_by_stands_once(void **state)
{
    (void)state;
    static const struct {
        const char *members, *param;
        enum openai_code code;
    } cases[] = {
        {"\"model\":\"m\",\"model\":\"m\"", "model", OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"Model\":\"x\"", "model", OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"mo\\u0064el\":\"x\"", "model", OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"MO\\u0044EL\":null", "model", OPENAI_CODE_DUPLICATE},
        {"\"Model\":\"x\"", "model", OPENAI_CODE_UNKNOWN_PARAMETER},
        {"\"model\":\"m\",\"Stream\":true", "stream", OPENAI_CODE_UNKNOWN_PARAMETER},
        {"\"model\":\"m\",\"\\u017Ftream\":true", "stream", OPENAI_CODE_UNKNOWN_PARAMETER},
        {"\"model\":\"m\",\"\xC5\xBFtream\":true", "stream", OPENAI_CODE_UNKNOWN_PARAMETER},
        {"\"model\":\"m\",\"max_to\xE2\x84\xAA"
         "ens\":1",
         "max_tokens", OPENAI_CODE_UNKNOWN_PARAMETER},
        {"\"model\":\"m\",\"max_tokens\":1,\"MAX_TOKENS\":2", "max_tokens", OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"messages\":[]", "messages", OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"n\":1,\"N\":1", "n", OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"stream_options\":{},\"stream_options\":{}", "stream_options",
         OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"stream_options\":{\"include_usage\":true,\"Include_Usage\":false}",
         "stream_options.include_usage", OPENAI_CODE_DUPLICATE},
        {"\"model\":\"m\",\"stream_options\":{\"INCLUDE_USAGE\":true}",
         "stream_options.include_usage", OPENAI_CODE_UNKNOWN_PARAMETER},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[256];
        snprintf(body, sizeof(body), "{\"messages\":[],%s}", cases[i].members);
        assert_refused(OPENAI_ROUTE_CHAT, body, cases[i].code, cases[i].param);
    }
    assert_refused(OPENAI_ROUTE_CHAT, "{\"messages\":[],\"Model\":\"x\"}",
                   OPENAI_CODE_UNKNOWN_PARAMETER, "model");
    assert_string_equal(error.message, "Unknown parameter: 'Model'. Did you mean 'model'?");
}

static void an_escaped_name_is_the_member_it_spells(void **state)
{
    (void)state;
    assert_chat("{\"messages\":[],\"\\u006dodel\":\"m\",\"strea\\u006D\":true}");
    assert_true(slice_equal(request.model, SLICE("m")));
    assert_true(request.stream);
}

static void other_members_may_be_anything_any_number_of_times(void **state)
{
    (void)state;
    assert_chat("{\"messages\":[{\"role\":1,\"role\":2}],\"model\":\"m\",\"x\":1,\"x\":2,\"X\":3,"
                "\"prompt\":1,\"input\":2,\"best_of\":\"x\",\"modeL2\":1,\"\":0}");
    assert_int_equal(read_as(OPENAI_ROUTE_EMBEDDINGS,
                             "{\"model\":\"m\",\"input\":[],\"stream\":\"x\",\"n\":-1}"),
                     STATUS_OK);
}

static void every_member_has_its_name(void **state)
{
    (void)state;
    assert_true(slice_equal(openai_member_name(OPENAI_MEMBER_MODEL), SLICE("model")));
    assert_true(
        slice_equal(openai_member_name(OPENAI_MEMBER_STREAM_OPTIONS), SLICE("stream_options")));
    for (unsigned i = 0; i < OPENAI_MEMBER_COUNT; i++) {
        const struct slice name = openai_member_name((enum openai_member)i);
        assert_int_equal(name.size, strlen(name.data));
    }
}

static void a_body_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    static const char body[] = "{\"model\":\"m\\u0061\",\"messages\":[{\"content\":\"\xC3\xA9\"}],"
                               "\"stream_options\":{\"include_usage\":true},\"n\":1}";
    for (size_t size = 0; size < sizeof(body) - 1; size++) {
        char *copy = alloc_bytes(size + (size == 0));
        assert_non_null(copy);
        memcpy(copy, body, size);
        arena_init(&arena, first, sizeof(first), 0);
        assert_int_equal(openai_request_read(OPENAI_ROUTE_CHAT, slice_of(copy, size),
                                             &JSON_LIMITS_DEFAULT, &arena, &request, &error),
                         STATUS_INVALID);
        alloc_free(copy);
    }
}

static void an_exhausted_arena_is_said(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(openai_request_read(OPENAI_ROUTE_CHAT,
                                         SLICE("{\"model\":\"m\",\"messages\":[]}"),
                                         &JSON_LIMITS_DEFAULT, &arena, &request, &error),
                     STATUS_NO_MEMORY);
    arena_init(&arena, first, 16 * sizeof(struct json_member) + 16, 0);
    assert_int_equal(
        openai_request_read(OPENAI_ROUTE_CHAT,
                            SLICE("{\"messages\":[],\"model\":\"\\u0061 and then some more\"}"),
                            &JSON_LIMITS_DEFAULT, &arena, &request, &error),
        STATUS_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chat_request_is_understood),
        cmocka_unit_test(the_larger_of_two_maxima_counts),
        cmocka_unit_test(the_largest_number_is_a_maximum_too),
        cmocka_unit_test(what_is_absent_or_null_has_its_default),
        cmocka_unit_test(a_body_that_is_no_json_is_refused_with_the_place),
        cmocka_unit_test(a_required_member_must_stand_there),
        cmocka_unit_test(moderations_and_the_simple_chat_need_no_model),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(every_message_must_be_an_object),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(a_model_name_has_a_longest_size),
        cmocka_unit_test(a_member_that_weir_decides_by_stands_once),
        cmocka_unit_test(an_escaped_name_is_the_member_it_spells),
        cmocka_unit_test(other_members_may_be_anything_any_number_of_times),
        cmocka_unit_test(every_member_has_its_name),
        cmocka_unit_test(a_body_cut_off_anywhere_is_refused),
        cmocka_unit_test(an_exhausted_arena_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
