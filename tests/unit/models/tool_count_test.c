#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/read.h"
#include "models/chat_count.h"

#define TOOL(inside) "{\"tools\":[{\"type\":\"function\",\"function\":{" inside "}}]}"
#define EMPTY        3  /* of a chat without messages */
#define TOOLS        12 /* once */
#define FUNCTION     7  /* with gpt-4o */

static int load_encoding(void **state)
{
    (void)state;
    struct reason reason;
    return tokenizer_load(TOKEN_ENCODING_O200K, &reason) != STATUS_OK;
}

static int unload_encoding(void **state)
{
    (void)state;
    tokenizer_unload_all();
    return 0;
}

static struct input_count count(const char *text)
{
    struct input_count result;
    struct json_object body;
    struct json_error error;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    assert_int_equal(
        json_read_object(slice_from_text(text), &JSON_LIMITS_DEFAULT, &arena, &body, &error),
        STATUS_OK);
    assert_int_equal(
        count_chat(model_tokens_find(SLICE("gpt-4o")), &body, &JSON_LIMITS_DEFAULT, NULL, &result),
        STATUS_OK);
    arena_fini(&arena);
    return result;
}

static uint64_t tokens(const char *text)
{
    return count(text).input_tokens;
}

static void no_tools_cost_nothing(void **state)
{
    (void)state;
    assert_int_equal(tokens("{}"), EMPTY);
    assert_int_equal(tokens("{\"tools\":[],\"functions\":null}"), EMPTY);
    assert_int_equal(tokens("{\"tools\":7}"), EMPTY);
}

static void a_function_costs_its_line_and_the_full_stop_is_dropped(void **state)
{
    (void)state;
    /* "f:go" is three tokens */
    assert_int_equal(tokens(TOOL("\"name\":\"f\",\"description\":\"go\"")),
                     EMPTY + TOOLS + FUNCTION + 3);
    assert_int_equal(tokens(TOOL("\"name\":\"f\",\"description\":\"go.\"")),
                     EMPTY + TOOLS + FUNCTION + 3);
    assert_int_equal(tokens(TOOL("\"description\":\"go.\",\"name\":\"f\",\"parameters\":{}")),
                     EMPTY + TOOLS + FUNCTION + 3);
    assert_int_equal(tokens("{\"functions\":[{\"name\":\"f\",\"description\":\"go\"}]}"),
                     EMPTY + TOOLS + FUNCTION + 3);
    assert_false(count(TOOL("\"name\":\"f\",\"description\":\"go\"")).is_estimate);
}

static void nested_and_unknown_parameters_are_estimates(void **state)
{
    (void)state;
    static const char nested[] =
        TOOL("\"name\":\"f\",\"parameters\":{\"properties\":{\"a\":{\"type\":\"object\","
             "\"properties\":{\"b\":{\"type\":\"string\"}}}}}");
    static const char flat[] =
        TOOL("\"name\":\"f\",\"parameters\":{\"properties\":{\"a\":{\"type\":\"object\"}}}");
    assert_true(count(nested).is_estimate);
    assert_true(tokens(nested) > tokens(flat));
    assert_false(count(flat).is_estimate);
    assert_true(count("{\"tools\":[{\"type\":\"web_search\"}]}").is_estimate);
}

static void nesting_without_end_is_counted_once_it_gets_too_deep(void **state)
{
    (void)state;
    char text[8192] = "{\"functions\":[{\"name\":\"f\",\"parameters\":";
    for (int i = 0; i < 25; i++)
        strncat(text, "{\"properties\":{\"a\":", sizeof(text) - strlen(text) - 1);
    strncat(text, "1", sizeof(text) - strlen(text) - 1);
    for (int i = 0; i < 25; i++)
        strncat(text, "}}", sizeof(text) - strlen(text) - 1);
    strncat(text, "}]}", sizeof(text) - strlen(text) - 1);
    assert_true(count(text).is_estimate);
    assert_true(tokens(text) > 100);
}

static void a_schema_for_the_answer_counts_as_it_stands(void **state)
{
    (void)state;
    static const char text[] = "{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
                               "{\"name\":\"x\"}}}";
    assert_true(tokens(text) > EMPTY + 2);
    assert_true(count(text).is_estimate);
    assert_int_equal(tokens("{\"response_format\":{\"type\":\"text\"}}"), EMPTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_tools_cost_nothing),
        cmocka_unit_test(a_function_costs_its_line_and_the_full_stop_is_dropped),
        cmocka_unit_test(nested_and_unknown_parameters_are_estimates),
        cmocka_unit_test(nesting_without_end_is_counted_once_it_gets_too_deep),
        cmocka_unit_test(a_schema_for_the_answer_counts_as_it_stands),
    };
    return cmocka_run_group_tests(tests, load_encoding, unload_encoding);
}
