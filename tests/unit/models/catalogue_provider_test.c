#include "models/catalogue_provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/catalogue.h"

static void assert_provider(const char *host, const char *name, const char *expected)
{
    struct catalogue_provider provider;
    assert_int_equal(
        catalogue_provider_find(slice_from_text(host), slice_from_text(name), &provider),
        STATUS_OK);
    if (!slice_equal(provider.name, slice_from_text(expected)))
        fail_msg("%s: %.*s", host, SLICE_ARGS(provider.name));
}

static void the_host_of_the_base_url_says_which_provider_it_is(void **state)
{
    (void)state;
    const char *hosts[][2] = {
        {"api.openai.com", "openai"},
        {"API.OpenAI.com", "openai"},
        {"ours.openai.azure.com", "azure"},
        {"ours.services.ai.azure.com", "azure_ai"},
        {"api.groq.com", "groq"},
        {"api.mistral.ai", "mistral"},
        {"api.deepseek.com", "deepseek"},
        {"openrouter.ai", "openrouter"},
        {"api.together.xyz", "together_ai"},
        {"api.fireworks.ai", "fireworks_ai"},
        {"api.x.ai", "xai"},
        {"us-east-1.api.x.ai", "xai"},
        {"generativelanguage.googleapis.com", "gemini"},
        {"us-central1-aiplatform.googleapis.com", "vertex_ai"},
        {"aiplatform.googleapis.com", "vertex_ai"},
        {"api.anthropic.com", "anthropic"},
        {"api.cohere.com", "cohere"},
        {"api.perplexity.ai", "perplexity"},
        {"api.moonshot.ai", "moonshot"},
        {"api.moonshot.cn", "moonshot"},
        {"dashscope-intl.aliyuncs.com", "dashscope"},
        {"api.z.ai", "zai"},
        {"open.bigmodel.cn", "bigmodel"},
        {"api.minimax.io", "minimax"},
        {"api.cerebras.ai", "cerebras"},
        {"api.voyageai.com", "voyage"},
        {"api.jina.ai", "jina"},
        {"api.nova.amazon.com", "amazon_nova"},
        {"bedrock-mantle.us-east-1.api.aws", "bedrock_mantle"},
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        assert_provider(hosts[i][0], "some-name", hosts[i][1]);
}

static void the_host_goes_before_the_name(void **state)
{
    (void)state;
    assert_provider("api.groq.com", "openai", "groq");
    assert_provider("localhost", "openai", "openai");
    assert_provider("", "vertex_ai", "vertex_ai");
}

static void a_host_that_only_looks_like_one_is_none(void **state)
{
    (void)state;
    const char *hosts[] = {
        "",
        "localhost",
        "openai.com",
        "api.openai.com.example.com",
        "xapi.openai.com",
        "openai.azure.com",
        ".openai.azure.com",
        "evil.example.com/api.openai.com",
        "bedrock-runtime..amazonaws.com",
        "bedrock-runtime.amazonaws.com",
        "-aiplatform.googleapis.com",
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct catalogue_provider provider;
        if (catalogue_provider_find(slice_from_text(hosts[i]), SLICE("local"), &provider) !=
            STATUS_NOT_FOUND)
            fail_msg("%s", hosts[i]);
        assert_int_equal(provider.name.size, 0);
    }
}

static void bedrock_s_host_names_its_region(void **state)
{
    (void)state;
    struct catalogue_provider provider;
    assert_int_equal(catalogue_provider_find(SLICE("bedrock-runtime.eu-central-1.amazonaws.com"),
                                             SLICE("aws"), &provider),
                     STATUS_OK);
    assert_true(slice_equal(provider.name, SLICE("bedrock")));
    assert_true(slice_equal(provider.region, SLICE("eu-central-1")));
}

static void openai_s_regional_hosts_pin_the_processing(void **state)
{
    (void)state;
    struct catalogue_provider provider;
    assert_int_equal(catalogue_provider_find(SLICE("eu.api.openai.com"), SLICE("x"), &provider),
                     STATUS_OK);
    assert_int_equal(provider.pin, COST_PIN_EU);
    assert_int_equal(catalogue_provider_find(SLICE("us.api.openai.com"), SLICE("x"), &provider),
                     STATUS_OK);
    assert_int_equal(provider.pin, COST_PIN_US);
    assert_int_equal(catalogue_provider_find(SLICE("api.openai.com"), SLICE("x"), &provider),
                     STATUS_OK);
    assert_int_equal(provider.pin, COST_PIN_NONE);
}

static void every_provider_of_the_catalogue_has_a_name_here(void **state)
{
    (void)state;
    struct catalogue catalogue;
    struct slice line, name;
    catalogue_embedded(&catalogue);
    while (catalogue_csv_next(&catalogue.models, &line)) {
        const struct slice provider = slice_of(line.data, slice_find_byte(line, ','));
        if (!catalogue_provider_exists(provider, &name))
            fail_msg("%.*s", SLICE_ARGS(provider));
    }
    assert_false(catalogue_provider_exists(SLICE("OpenAI"), &name));
    assert_false(catalogue_provider_exists(SLICE(""), &name));
}

static void a_name_that_is_written_wrong_has_a_nearest(void **state)
{
    (void)state;
    assert_true(slice_equal(catalogue_provider_nearest(SLICE("vertexai")), SLICE("vertex_ai")));
    assert_true(slice_equal(catalogue_provider_nearest(SLICE("opnai")), SLICE("openai")));
    assert_int_equal(catalogue_provider_nearest(SLICE("something else")).size, 0);
    assert_int_equal(catalogue_provider_nearest(SLICE("")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_of_the_base_url_says_which_provider_it_is),
        cmocka_unit_test(the_host_goes_before_the_name),
        cmocka_unit_test(a_host_that_only_looks_like_one_is_none),
        cmocka_unit_test(bedrock_s_host_names_its_region),
        cmocka_unit_test(openai_s_regional_hosts_pin_the_processing),
        cmocka_unit_test(a_name_that_is_written_wrong_has_a_nearest),
        cmocka_unit_test(every_provider_of_the_catalogue_has_a_name_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
