#include "dialect/simple_chat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/read.h"
#include "unit/dialect/fixture.h"

static char first[8192];
static struct arena arena;
static struct openai_request request;
static struct openai_error error;

static enum status read_body(const char *body)
{
    arena_init(&arena, first, sizeof(first), 0);
    return openai_request_read(OPENAI_ROUTE_SIMPLE_CHAT, slice_from_text(body),
                               &JSON_LIMITS_DEFAULT, &arena, &request, &error);
}

static void assert_text(const struct buffer *buffer, const char *text)
{
    struct json_value value;
    struct json_error cause;
    if (!slice_equal(buffer_slice(buffer), slice_from_text(text)))
        fail_msg("'%.*s' is not '%s'", SLICE_ARGS(buffer_slice(buffer)), text);
    assert_int_equal(json_check(buffer_slice(buffer), &JSON_LIMITS_DEFAULT, &value, &cause),
                     STATUS_OK);
}

static void assert_rewritten(const char *body, const struct openai_rewrite *rewrite,
                             const char *text)
{
    struct json_pieces pieces;
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    assert_int_equal(read_body(body), STATUS_OK);
    assert_int_equal(simple_chat_rewrite(&request, rewrite, &arena, &pieces), STATUS_OK);
    json_pieces_append(&pieces, &buffer);
    assert_text(&buffer, text);
    buffer_fini(&buffer);
}

static void defaults_are_added_where_the_client_gave_nothing(void **state)
{
    (void)state;
    const struct openai_rewrite nothing = {0};
    const struct openai_rewrite target = {.model = SLICE("t"), .stream = true};
    assert_rewritten("{\"messages\":[]}", &nothing,
                     "{\"model\":\"gpt-3.5-turbo\",\"temperature\":0.7,\"messages\":[]}");
    assert_true(slice_equal(simple_chat_model(&request), SLICE("gpt-3.5-turbo")));
    assert_rewritten("{\"messages\":[],\"model\":\"m\",\"temperature\":1,\"seed\":1.50}", &nothing,
                     "{\"messages\":[],\"model\":\"m\",\"temperature\":1,\"seed\":1.50}");
    assert_true(slice_equal(simple_chat_model(&request), SLICE("m")));
    assert_rewritten("{\"messages\":[],\"model\":\"m\"}", &target,
                     "{\"temperature\":0.7,\"stream\":true,\"messages\":[],\"model\":\"t\"}");
}

static void what_is_wrong_is_said_in_the_words_of_fastapi(void **state)
{
    (void)state;
    static const struct {
        const char *body, *detail;
    } cases[] = {
        {"{}", "[{\"loc\":[\"body\",\"messages\"],\"msg\":\"Field required\","
               "\"type\":\"missing\"}]"},
        {"{\"messages\":1}", "[{\"loc\":[\"body\",\"messages\"],\"msg\":\"Input should be a valid "
                             "list\",\"type\":\"list_type\"}]"},
        {"{\"messages\":[{},1]}",
         "[{\"loc\":[\"body\",\"messages\",1],\"msg\":\"Input should be a valid dictionary\","
         "\"type\":\"dict_type\"}]"},
        {"{\"messages\":[],\"model\":1}",
         "[{\"loc\":[\"body\",\"model\"],\"msg\":\"Input should be a valid string\","
         "\"type\":\"string_type\"}]"},
        {"{\"messages\":[],\"temperature\":\"\"}",
         "[{\"loc\":[\"body\",\"temperature\"],\"msg\":\"Input should be a valid number\","
         "\"type\":\"float_type\"}]"},
        {"{\"messages\":[],\"stream\":1}",
         "[{\"loc\":[\"body\",\"stream\"],\"msg\":\"Input should be a valid boolean\","
         "\"type\":\"bool_type\"}]"},
        {"{\"messages\":[],\"max_tokens\":1.5}",
         "[{\"loc\":[\"body\",\"max_tokens\"],\"msg\":\"Input should be a valid integer\","
         "\"type\":\"int_type\"}]"},
        {"{\"messages\":[],\"max_tokens\":-1}",
         "[{\"loc\":[\"body\",\"max_tokens\"],\"msg\":\"Invalid value for 'max_tokens': expected a "
         "whole number that is not negative.\",\"type\":\"value_error\"}]"},
        {"{\"messages\":[],\"stream_options\":{\"include_usage\":1}}",
         "[{\"loc\":[\"body\",\"stream_options\",\"include_usage\"],\"msg\":\"Input should be a "
         "valid boolean\",\"type\":\"bool_type\"}]"},
        {"{\"messages\":[],\"messages\":[]}",
         "[{\"loc\":[\"body\",\"messages\"],\"msg\":\"Duplicate parameter: 'messages' may be given "
         "once.\",\"type\":\"duplicate\"}]"},
        {"{\"messages\":[],\"MODEL\":\"\"}",
         "[{\"loc\":[\"body\",\"model\"],\"msg\":\"Unknown parameter: 'MODEL'. Did you mean "
         "'model'?\",\"type\":\"extra_forbidden\"}]"},
        {"{\"a\":", "[{\"loc\":[\"body\",5],\"msg\":\"JSON decode error\","
                    "\"type\":\"json_invalid\"}]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        struct buffer buffer;
        buffer_init(&buffer, 1024);
        assert_int_equal(read_body(cases[i].body), STATUS_INVALID);
        assert_int_equal(simple_chat_error_write(&error, &buffer), STATUS_OK);
        snprintf(text, sizeof(text), "{\"detail\":%s}", cases[i].detail);
        assert_text(&buffer, text);
        buffer_fini(&buffer);
    }
}

/* --- answers --- */

static const struct openai_usage usage = {
    .tokens = {[OPENAI_TOKENS_INPUT] = 5, [OPENAI_TOKENS_OUTPUT] = 2},
    .given = 1 << OPENAI_TOKENS_INPUT | 1 << OPENAI_TOKENS_OUTPUT,
};

static enum status write_answer(struct slice body, struct buffer *buffer)
{
    const struct simple_chat_answer answer = {.id = SLICE("0123"),
                                              .model = SLICE("a\"b"),
                                              .created_at = SLICE("2026-01-02T03:04:05Z"),
                                              .usage = usage};
    return simple_chat_answer_write(&answer, body, &JSON_LIMITS_DEFAULT, buffer);
}

static void assert_content(struct slice body, const char *content)
{
    char text[512];
    struct buffer buffer;
    buffer_init(&buffer, 1024);
    assert_int_equal(write_answer(body, &buffer), STATUS_OK);
    snprintf(
        text, sizeof(text),
        "{\"id\":\"chat-0123\",\"content\":%s,\"model\":\"a\\\"b\",\"usage\":{\"input_tokens\":"
        "5,\"output_tokens\":2,\"total_tokens\":7},\"created_at\":\"2026-01-02T03:04:05Z\"}",
        content);
    assert_text(&buffer, text);
    buffer_fini(&buffer);
}

static void the_first_choice_becomes_the_content(void **state)
{
    (void)state;
    assert_content(fixture("llama.cpp-chat.json"), "\"Hello! I'm here to\"");
    assert_content(SLICE("{\"choices\":[{\"message\":{\"content\":\"a\\n\\u00e9\"}},{}]}"),
                   "\"a\\n\\u00e9\"");
}

static void what_is_no_text_becomes_empty_content(void **state)
{
    (void)state;
    assert_content(fixture("llama.cpp-chat-tools.json"), "\"\"");
    assert_content(SLICE("{\"choices\":[{\"message\":{\"content\":null}}]}"), "\"\"");
    assert_content(SLICE("{\"choices\":[{\"message\":{\"content\":[{\"text\":\"x\"}]}}]}"), "\"\"");
    assert_content(SLICE("{\"choices\":[{\"message\":null}]}"), "\"\"");
    assert_content(SLICE("{\"choices\":[{}]}"), "\"\"");
}

static void the_total_is_upstreams_if_it_gave_one(void **state)
{
    (void)state;
    struct buffer buffer;
    struct simple_chat_answer answer = {.id = SLICE("1"), .usage = usage};
    answer.usage.tokens[OPENAI_TOKENS_TOTAL] = 9;
    answer.usage.given |= 1 << OPENAI_TOKENS_TOTAL;
    buffer_init(&buffer, 1024);
    assert_int_equal(simple_chat_answer_write(&answer, SLICE("{\"choices\":[{}]}"),
                                              &JSON_LIMITS_DEFAULT, &buffer),
                     STATUS_OK);
    assert_true(slice_find(buffer_slice(&buffer), SLICE("\"total_tokens\":9")) < buffer.size);
    buffer_fini(&buffer);
}

static void what_is_no_chat_completion_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "{\"choices\":[]}",
        "{\"choices\":{}}",
        "{\"choices\":[1]}",
        "{\"choices\":[{\"message\":{\"content\":\"\x80\"}}]}",
        "{\"choices\":[{]}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct buffer buffer;
        buffer_init(&buffer, 1024);
        assert_int_equal(write_answer(slice_from_text(bodies[i]), &buffer), STATUS_PROTOCOL);
        assert_int_equal(buffer.size, 0);
        buffer_fini(&buffer);
    }
}

static void a_failed_allocation_is_said(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct buffer buffer;
        buffer_init(&buffer, 1024);
        alloc_fail_nth(nth);
        const enum status status =
            write_answer(SLICE("{\"choices\":[{\"message\":{\"content\":\"x\"}}]}"), &buffer);
        alloc_fail_nth(-1);
        buffer_fini(&buffer);
        if (status == STATUS_OK) {
            assert_true(nth > 0);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_added_where_the_client_gave_nothing),
        cmocka_unit_test(what_is_wrong_is_said_in_the_words_of_fastapi),
        cmocka_unit_test(the_first_choice_becomes_the_content),
        cmocka_unit_test(what_is_no_text_becomes_empty_content),
        cmocka_unit_test(the_total_is_upstreams_if_it_gave_one),
        cmocka_unit_test(what_is_no_chat_completion_is_refused),
        cmocka_unit_test(a_failed_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
