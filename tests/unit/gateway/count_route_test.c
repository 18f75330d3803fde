#include "gateway/count_route.h"

#include "unit/gateway/calling_fixture.h"

#include "models/tokens/tokenizer.h"

#define ROUTE "/v1/chat/completions/count"
#define BODY                                                                                       \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true%s}"

static int load(void **state)
{
    (void)state;
    return tokenizer_load(TOKEN_ENCODING_O200K, NULL) != STATUS_OK;
}

static int unload(void **state)
{
    (void)state;
    tokenizer_unload_all();
    return 0;
}

static void answers(const char *members, const char *status, const char *body)
{
    struct calling_fixture fixture;
    char text[1024];
    (void)snprintf(text, sizeof(text), BODY, members);
    calling_fixture_open_rule(&fixture, "", "gpt-4o", "", "");
    calling_fixture_ask(&fixture, ROUTE, "", text);
    peer_expect(&fixture.client, body);
    if (!peer_has(&fixture.client, status))
        fail_msg("not %s", status);
    calling_fixture_close(&fixture); /* nobody was called: the upstream accepted nothing */
}

static void the_count_is_answered_without_a_call(void **state)
{
    (void)state;
    answers("", "HTTP/1.1 200 ",
            "\r\n\r\n{\"input_tokens\":8,\"model\":\"m\",\"estimated\":false}");
}

static void what_is_not_exact_is_an_estimate(void **state)
{
    (void)state;
    answers(",\"response_format\":{\"json_schema\":{}}", "HTTP/1.1 200 ", "\"estimated\":true}");
}

static void a_bad_body_is_refused_as_a_chat_is(void **state)
{
    (void)state;
    answers(",\"n\":\"x\"", "HTTP/1.1 400 ", "\"param\":\"n\"");
    answers(",\"model\":\"m\"", "HTTP/1.1 400 ", "\"duplicate_parameter\"");
}

static void a_model_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open(&fixture, "", "");
    calling_fixture_ask(&fixture, ROUTE, "", "{\"model\":\"other\",\"messages\":[]}");
    peer_expect(&fixture.client, "\"model_not_found\"");
    calling_fixture_close(&fixture);
}

static void before_the_encodings_are_loaded_it_says_when_to_come_back(void **state)
{
    (void)state;
    tokenizer_unload_all();
    answers("", "retry-after: 1\r\n", "\"code\":\"overloaded\"");
    answers("", "HTTP/1.1 503 ", "\"code\":\"overloaded\"");
    load(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_is_answered_without_a_call),
        cmocka_unit_test(what_is_not_exact_is_an_estimate),
        cmocka_unit_test(a_bad_body_is_refused_as_a_chat_is),
        cmocka_unit_test(a_model_that_is_not_there_is_not_found),
        cmocka_unit_test(before_the_encodings_are_loaded_it_says_when_to_come_back),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
