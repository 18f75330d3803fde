#include "loading.h"

static const struct config_provider *provider_of(struct loading *loading, const char *member)
{
    char yaml[512];
    snprintf(yaml, sizeof(yaml), "providers:\n  p:\n    base_url: http://a\n    %s\n", member);
    return config_provider_find(loading_sound(loading, yaml), SLICE("p"));
}

static void refused(const char *member, const char *said)
{
    char yaml[512];
    snprintf(yaml, sizeof(yaml), "providers:\n  p:\n    base_url: http://a\n    %s\n", member);
    loading_refused(yaml, 4, said);
}

static void headers_are_kept_with_names_in_lower_case(void **state)
{
    (void)state;
    struct loading loading = {.files = {{"/etc/weir/key", "secret\n"}}, .environment = {"X=y"}};
    const struct config_headers headers =
        provider_of(&loading, "headers: {Api-Key: 'file:key', X-a: 'b${X}', Host: h}")->headers;
    assert_int_equal(headers.count, 3);
    assert_text(headers.items[0].name, "api-key");
    assert_text(headers.items[0].value, "secret");
    assert_text(headers.items[1].value, "by");
    assert_text(headers.items[2].name, "host");
    loading_end(&loading);
}

static void an_empty_section_is_no_header(void **state)
{
    (void)state;
    struct loading loading = {0};
    assert_int_equal(provider_of(&loading, "headers: {}")->headers.count, 0);
    loading_end(&loading);
}

static void headers_that_would_split_a_request_are_refused(void **state)
{
    (void)state;
    refused("headers: {'bad name': x}", "no header's name");
    refused("headers: {'a:b': x}", "no header's name");
    refused("headers: {'': x}", "no header's name");
    refused("headers: {\"a\\r\\nb\": x}", "no header's name");
    refused("headers: {\"\xc3\xa9\": x}", "no header's name");
    refused("headers: {a: \"x\\r\\nb: y\"}", "control character");
    refused("headers: {Content-Length: 5}", "written by weir itself");
    refused("headers: {transfer-encoding: chunked}", "written by weir itself");
    refused("headers: {TE: x}", "written by weir itself");
    refused("headers: {connection: x}", "written by weir itself");
    refused("headers: {content-type: x}", "written by weir itself");
    refused("headers: {a: x, A: y}", "'a' stands here twice");
    refused("headers: [a]", "names and values are wanted");
    refused("headers: a", "names and values are wanted");
    refused("headers: {a: [b]}", "one value is wanted");
}

static void names_to_forward_are_kept_in_lower_case(void **state)
{
    (void)state;
    struct loading list = {0}, one = {0};
    const struct config_texts names =
        provider_of(&list, "forward_headers: [X-Trace, x-b]")->forward_headers;
    assert_int_equal(names.count, 2);
    assert_text(names.items[0], "x-trace");
    assert_int_equal(provider_of(&one, "forward_headers: x-c")->forward_headers.count, 1);
    loading_end(&list);
    loading_end(&one);
}

static void what_belongs_to_the_client_is_never_forwarded(void **state)
{
    (void)state;
    refused("forward_headers: [Cookie]", "never goes to a provider");
    refused("forward_headers: [authorization]", "never goes to a provider");
    refused("forward_headers: [x-api-key]", "never goes to a provider");
    refused("forward_headers: [OpenAI-Organization]", "never goes to a provider");
    refused("forward_headers: [openai-project]", "never goes to a provider");
    refused("forward_headers: [host]", "never goes to a provider");
    refused("forward_headers: [content-length]", "written by weir itself");
    refused("forward_headers: [Transfer-Encoding]", "written by weir itself");
    refused("forward_headers: ['a b']", "no header's name");
    refused("forward_headers: ['x-*', 'a(']", "no header's name");
    refused("forward_headers: {a: b}", "a list is wanted");
}

static void headers_are_bounded(void **state)
{
    (void)state;
    struct buffer yaml;
    buffer_init(&yaml, 8192);
    buffer_append(&yaml, SLICE("providers:\n p:\n  base_url: http://a\n  headers:\n"));
    for (unsigned i = 0; i < 101; i++)
        buffer_printf(&yaml, "   x-%u: y\n", i);
    buffer_append_byte(&yaml, '\0');
    loading_refused(yaml.data, 5, "more than 100 headers");
    buffer_fini(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_kept_with_names_in_lower_case),
        cmocka_unit_test(an_empty_section_is_no_header),
        cmocka_unit_test(headers_that_would_split_a_request_are_refused),
        cmocka_unit_test(names_to_forward_are_kept_in_lower_case),
        cmocka_unit_test(what_belongs_to_the_client_is_never_forwarded),
        cmocka_unit_test(headers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
