#include "dialect/openai_usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/read.h"

static struct openai_usage usage;

static bool read_text(const char *text)
{
    struct json_value value;
    struct json_error error;
    assert_int_equal(json_check(slice_from_text(text), &JSON_LIMITS_DEFAULT, &value, &error),
                     STATUS_OK);
    return openai_usage_read(value, &usage);
}

static void assert_tokens(enum openai_tokens which, uint64_t count)
{
    assert_true(openai_usage_has(&usage, which));
    assert_true(usage.tokens[which] == count);
}

static void all_counts_are_read(void **state)
{
    (void)state;
    assert_true(read_text(
        "{\"prompt_tokens\":100,\"completion_tokens\":20,\"total_tokens\":120,"
        "\"prompt_tokens_details\":{\"cached_tokens\":64,\"audio_tokens\":3,"
        "\"cache_write_tokens\":5,\"x\":1},\"completion_tokens_details\":{\"reasoning_tokens\":7,"
        "\"audio_tokens\":2,\"accepted_prediction_tokens\":9},\"queue_time\":0.1}"));
    assert_tokens(OPENAI_TOKENS_INPUT, 100);
    assert_tokens(OPENAI_TOKENS_OUTPUT, 20);
    assert_tokens(OPENAI_TOKENS_TOTAL, 120);
    assert_tokens(OPENAI_TOKENS_CACHED, 64);
    assert_tokens(OPENAI_TOKENS_CACHE_WRITE, 5);
    assert_tokens(OPENAI_TOKENS_INPUT_AUDIO, 3);
    assert_tokens(OPENAI_TOKENS_REASONING, 7);
    assert_tokens(OPENAI_TOKENS_OUTPUT_AUDIO, 2);
}

static void zero_is_given_and_absent_is_not(void **state)
{
    (void)state;
    assert_true(read_text("{\"prompt_tokens\":0,\"prompt_tokens_details\":{\"cached_tokens\":0},"
                          "\"completion_tokens_details\":null}"));
    assert_tokens(OPENAI_TOKENS_INPUT, 0);
    assert_tokens(OPENAI_TOKENS_CACHED, 0);
    assert_int_equal(usage.given, 1 << OPENAI_TOKENS_INPUT | 1 << OPENAI_TOKENS_CACHED);
    assert_int_equal(usage.tokens[OPENAI_TOKENS_OUTPUT], 0);
}

static void other_providers_names_stand_in(void **state)
{
    (void)state;
    assert_true(read_text("{\"prompt_cache_hit_tokens\":5,\"cache_creation_input_tokens\":6}"));
    assert_tokens(OPENAI_TOKENS_CACHED, 5);
    assert_tokens(OPENAI_TOKENS_CACHE_WRITE, 6);
    assert_true(read_text("{\"prompt_tokens_details\":{\"cached_tokens\":1,"
                          "\"cache_write_tokens\":2,\"cache_creation_input_tokens\":3},"
                          "\"prompt_cache_hit_tokens\":4}"));
    assert_tokens(OPENAI_TOKENS_CACHED, 1);
    assert_tokens(OPENAI_TOKENS_CACHE_WRITE, 2);
}

static void what_cannot_be_a_count_is_not_given(void **state)
{
    (void)state;
    assert_true(read_text("{\"prompt_tokens\":-1,\"completion_tokens\":\"7\",\"total_tokens\":1.5,"
                          "\"prompt_cache_hit_tokens\":1e15,\"cache_creation_input_tokens\":2}"));
    assert_int_equal(usage.given, 1 << OPENAI_TOKENS_CACHE_WRITE);
}

static void no_usage_leaves_the_result_alone(void **state)
{
    (void)state;
    usage = (struct openai_usage){.given = 77};
    assert_false(read_text("null"));
    assert_false(read_text("[1]"));
    assert_false(read_text("{}"));
    assert_false(read_text("{\"prompt_tokens\":null}"));
    assert_int_equal(usage.given, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_counts_are_read),
        cmocka_unit_test(zero_is_given_and_absent_is_not),
        cmocka_unit_test(other_providers_names_stand_in),
        cmocka_unit_test(what_cannot_be_a_count_is_not_given),
        cmocka_unit_test(no_usage_leaves_the_result_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
