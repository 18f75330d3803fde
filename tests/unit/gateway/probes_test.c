#include "gateway/probes.h"

#include "unit/gateway/gateway_fixture.h"

static struct gateway_fixture fixture;
static uint16_t port;

static int open_gateway(void **state)
{
    (void)state;
    port = gateway_fixture_port();
    gateway_fixture_open(&fixture, "listen: 127.0.0.1:%u\nworkers: 1\n", port);
    return 0;
}

static int close_gateway(void **state)
{
    (void)state;
    gateway_fixture_close(&fixture);
    return 0;
}

static const char *ask(const char *line)
{
    char request[256];
    (void)snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                   line);
    return gateway_fixture_ask(&fixture, port, request);
}

static void assert_answer(const char *line, const char *status, const char *body)
{
    const char *answer = ask(line);
    assert_int_equal(strncmp(answer, status, strlen(status)), 0);
    assert_non_null(strstr(answer, body));
}

static void a_running_weir_is_alive_and_ready(void **state)
{
    (void)state;
    assert_answer("GET /livez", "HTTP/1.1 200 ", "\r\n\r\nok\n");
    assert_answer("GET /readyz", "HTTP/1.1 200 ", "\r\n\r\nok\n");
    assert_answer("GET /healthz", "HTTP/1.1 200 ", "\r\n\r\nok\n");
    assert_answer("GET /v1/health", "HTTP/1.1 200 ", "{\"status\":\"healthy\",\"timestamp\":\"20");
    assert_answer("GET /health", "HTTP/1.1 200 ", "\",\"version\":\"1\"}");
}

static void one_that_drains_is_alive_and_not_ready(void **state)
{
    (void)state;
    atomic_store(&fixture.gateway.is_draining, true);
    assert_answer("GET /livez", "HTTP/1.1 200 ", "\r\n\r\nok\n");
    assert_answer("GET /readyz", "HTTP/1.1 503 ", "\r\n\r\ndraining\n");
    assert_answer("GET /healthz", "HTTP/1.1 503 ", "\r\n\r\ndraining\n");
    assert_answer("GET /v1/health", "HTTP/1.1 503 ", "{\"status\":\"draining\",");
    atomic_store(&fixture.gateway.is_draining, false);
}

static void to_head_the_same_comes_without_a_body(void **state)
{
    (void)state;
    const char *answer = ask("HEAD /livez");
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
    assert_non_null(strstr(answer, "content-length: 3\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_weir_is_alive_and_ready),
        cmocka_unit_test(one_that_drains_is_alive_and_not_ready),
        cmocka_unit_test(to_head_the_same_comes_without_a_body),
    };
    return cmocka_run_group_tests(tests, open_gateway, close_gateway);
}
