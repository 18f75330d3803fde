#include "models/model_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct model_tokens *find(const char *name)
{
    return model_tokens_find(slice_from_text(name));
}

static void openais_models_count_with_their_own_encoding(void **state)
{
    (void)state;
    static const char *const o200k[] = {"gpt-4o",
                                        "gpt-4o-mini-2024-07-18",
                                        "gpt-4.1",
                                        "gpt-4.5-pre",
                                        "gpt-5",
                                        "gpt-5-mini",
                                        "chatgpt-4o-latest",
                                        "o1",
                                        "o1-pro",
                                        "o3-mini",
                                        "o4-mini",
                                        "gpt-oss-120b",
                                        "ft:gpt-4o:org::id",
                                        "GPT-4o",
                                        "openai/gpt-4o",
                                        "a/b/ft:gpt-4o-mini"};
    static const char *const cl100k[] = {"gpt-4",
                                         "gpt-4-turbo",
                                         "gpt-4-0613",
                                         "gpt-3.5-turbo",
                                         "gpt-35-turbo",
                                         "text-embedding-ada-002",
                                         "text-embedding-3-large",
                                         "davinci-002",
                                         "babbage-002",
                                         "ft:gpt-3.5-turbo:org",
                                         "azure/gpt-4-32k"};
    for (size_t i = 0; i < sizeof(o200k) / sizeof(o200k[0]); i++) {
        assert_int_equal(find(o200k[i])->encoding, TOKEN_ENCODING_O200K);
        assert_int_equal(find(o200k[i])->factor_permille, 1000);
        assert_false(find(o200k[i])->is_estimate);
    }
    for (size_t i = 0; i < sizeof(cl100k) / sizeof(cl100k[0]); i++) {
        assert_int_equal(find(cl100k[i])->encoding, TOKEN_ENCODING_CL100K);
        assert_false(find(cl100k[i])->is_estimate);
    }
}

static void a_chat_format_that_is_not_published_is_an_estimate(void **state)
{
    (void)state;
    assert_false(find("gpt-4o")->format.is_estimate);
    assert_false(find("gpt-4o-mini")->format.is_estimate);
    assert_false(find("gpt-4-turbo")->format.is_estimate);
    assert_true(find("gpt-4.1")->format.is_estimate);
    assert_true(find("o3")->format.is_estimate);
    assert_true(find("gpt-5.2")->is_estimate);
    assert_int_equal(find("gpt-3.5-turbo-0301")->format.message_tokens, 4);
    assert_int_equal(find("gpt-3.5-turbo-0613")->format.message_tokens, 3);
}

static void other_families_are_estimated_by_their_factor(void **state)
{
    (void)state;
    assert_int_equal(find("anthropic/claude-sonnet-4-5")->factor_permille, 1143);
    assert_int_equal(find("gemini-2.5-pro")->factor_permille, 1037);
    assert_int_equal(find("meta-llama/Llama-3.3-70B-Instruct")->factor_permille, 1006);
    assert_int_equal(find("Llama-4-Scout-17B")->factor_permille, 956);
    assert_int_equal(find("Qwen/Qwen3-32B")->factor_permille, 947);
    assert_int_equal(find("Mixtral-8x7B")->factor_permille, 1082);
    assert_int_equal(find("deepseek-ai/DeepSeek-V3")->factor_permille, 950);
    assert_true(find("deepseek-chat")->is_estimate);
}

static void any_other_name_is_estimated_as_it_is(void **state)
{
    (void)state;
    static const char *const names[] = {"", "/", "ft:", "our-tuned-model", "o", "gpt", "grok-4"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(find(names[i])->encoding, TOKEN_ENCODING_O200K);
        assert_int_equal(find(names[i])->factor_permille, 1000);
        assert_true(find(names[i])->is_estimate);
    }
}

static void scaled_tokens_are_rounded_up_without_overflow(void **state)
{
    (void)state;
    const struct model_tokens *claude = find("claude");
    assert_int_equal(model_tokens_scale(claude, 0), 0);
    assert_int_equal(model_tokens_scale(claude, 1), 2);
    assert_int_equal(model_tokens_scale(claude, 1000), 1143);
    assert_int_equal(model_tokens_scale(claude, 2001), 2288);
    assert_int_equal(model_tokens_scale(find("gpt-4o"), UINT64_MAX), UINT64_MAX);
    assert_true(model_tokens_scale(claude, UINT64_MAX / 2) > UINT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openais_models_count_with_their_own_encoding),
        cmocka_unit_test(a_chat_format_that_is_not_published_is_an_estimate),
        cmocka_unit_test(other_families_are_estimated_by_their_factor),
        cmocka_unit_test(any_other_name_is_estimated_as_it_is),
        cmocka_unit_test(scaled_tokens_are_rounded_up_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
