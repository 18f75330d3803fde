#include "gateway/cors.h"

#include "unit/gateway/gateway_fixture.h"

#define ANY "listen: 127.0.0.1:%u\nworkers: 1\n"

static const char any_origin[] = ANY;
static const char one_origin[] = ANY "cors: { origins: ['https://a.example'] }\n";
static const char with_credentials[] =
    ANY "cors: { origins: ['https://a.example'], credentials: true }\n";

static struct gateway_fixture fixture;
static uint16_t port;

static void open_with(const char *yaml)
{
    port = gateway_fixture_port();
    gateway_fixture_open(&fixture, yaml, port);
}

static const char *ask(const char *line, const char *headers)
{
    char request[1024];
    (void)snprintf(request, sizeof(request),
                   "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", line, headers);
    return gateway_fixture_ask(&fixture, port, request);
}

static void every_answer_may_be_read_from_any_page(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET /livez", "GET /nowhere", "POST /livez", "GET /models",
                                        "GET /v1/v1/models"};
    open_with(any_origin);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *answer = ask(lines[i], "Origin: https://b.example\r\n");
        assert_non_null(strstr(answer, "\r\naccess-control-allow-origin: *\r\n"));
        assert_non_null(strstr(answer, "\r\naccess-control-expose-headers: x-request-id, "));
        assert_null(strstr(answer, "access-control-allow-credentials"));
    }
    gateway_fixture_close(&fixture);
}

static void an_origin_that_is_named_is_echoed_and_no_other(void **state)
{
    (void)state;
    open_with(one_origin);
    const char *answer = ask("GET /livez", "Origin: https://a.example\r\n");
    assert_non_null(strstr(answer, "\r\naccess-control-allow-origin: https://a.example\r\n"));
    assert_non_null(strstr(answer, "\r\naccess-control-expose-headers: "));
    assert_non_null(strstr(answer, "\r\nvary: origin\r\n"));
    assert_null(strstr(answer, "access-control-allow-credentials"));
    static const char *const others[] = {"Origin: https://b.example\r\n",
                                         "Origin: https://a.example.evil\r\n",
                                         "Origin: null\r\n",
                                         "Origin: http://a.example\r\n",
                                         "Origin: *\r\n",
                                         ""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        answer = ask("GET /livez", others[i]);
        assert_null(strstr(answer, "access-control-"));
        assert_non_null(strstr(answer, "\r\nvary: origin\r\n")); /* caches must not mix them up */
    }
    gateway_fixture_close(&fixture);
}

static void credentials_are_allowed_to_the_origin_that_is_named(void **state)
{
    (void)state;
    open_with(with_credentials);
    const char *answer = ask("GET /livez", "Origin: https://a.example\r\n");
    assert_non_null(strstr(answer, "\r\naccess-control-allow-origin: https://a.example\r\n"));
    assert_non_null(strstr(answer, "\r\naccess-control-allow-credentials: true\r\n"));
    assert_null(strstr(ask("GET /livez", "Origin: https://b.example\r\n"), "access-control-"));
    gateway_fixture_close(&fixture);
}

static void a_preflight_echoes_what_is_asked_for(void **state)
{
    (void)state;
    open_with(any_origin);
    const char *answer = ask("OPTIONS /v1/chat/completions",
                             "Origin: https://b.example\r\n"
                             "Access-Control-Request-Method: POST\r\n"
                             "Access-Control-Request-Headers: authorization, x-stainless-os\r\n");
    assert_non_null(strstr(answer, "HTTP/1.1 204 "));
    assert_non_null(strstr(answer, "\r\naccess-control-allow-origin: *\r\n"));
    assert_non_null(strstr(answer, "\r\naccess-control-allow-methods: POST, OPTIONS\r\n"));
    assert_non_null(
        strstr(answer, "\r\naccess-control-allow-headers: authorization, x-stainless-os\r\n"));
    assert_non_null(strstr(answer, "\r\naccess-control-max-age: "));
    assert_non_null(strstr(answer, "\r\nallow: POST, OPTIONS\r\n"));
    gateway_fixture_close(&fixture);
}

static void options_are_answered_without_a_key_and_without_a_route(void **state)
{
    (void)state;
    open_with(any_origin);
    const char *answer = ask("OPTIONS /nowhere", "");
    assert_non_null(strstr(answer, "HTTP/1.1 204 "));
    assert_non_null(strstr(answer, "\r\nallow: GET, HEAD, POST, OPTIONS\r\n"));
    assert_null(strstr(answer, "access-control-allow-headers"));
    assert_non_null(strstr(ask("OPTIONS /v1/models/x", ""), "\r\nallow: GET, HEAD, OPTIONS\r\n"));
    gateway_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_may_be_read_from_any_page),
        cmocka_unit_test(an_origin_that_is_named_is_echoed_and_no_other),
        cmocka_unit_test(credentials_are_allowed_to_the_origin_that_is_named),
        cmocka_unit_test(a_preflight_echoes_what_is_asked_for),
        cmocka_unit_test(options_are_answered_without_a_key_and_without_a_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
