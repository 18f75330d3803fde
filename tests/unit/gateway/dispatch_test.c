#include "gateway/dispatch.h"

#include "unit/gateway/gateway_fixture.h"

#include "identity/key.h"

static struct gateway_fixture fixture;
static uint16_t port;
static char key[KEY_TEXT_SIZE + 1];

static void put_key(bool is_revoked)
{
    struct key_hasher *hasher;
    unsigned char hash[KEY_HASH_SIZE];
    assert_int_equal(key_hasher_create(fixture.pepper, &hasher), STATUS_OK);
    assert_int_equal(key_hasher_hash(hasher, slice_of(key, KEY_TEXT_SIZE), hash), STATUS_OK);
    key_hasher_destroy(&hasher);
    const struct identity_user_spec user = {.name = SLICE("alice")};
    const struct identity_spec spec = {.hash = hash, .revoked = is_revoked};
    assert_int_equal(identity_map_put_user(fixture.identities, &user), STATUS_OK);
    assert_int_equal(identity_map_put(fixture.identities, &spec), STATUS_OK);
}

static int open_gateway(void **state)
{
    (void)state;
    port = gateway_fixture_port();
    gateway_fixture_open(&fixture,
                         "listen: 127.0.0.1:%u\n"
                         "workers: 1\n"
                         "providers: { one: { base_url: 'http://127.0.0.1:9/v1' } }\n"
                         "models: [{ name: known, targets: [one] }]\n",
                         port);
    key_make(key);
    put_key(false);
    return 0;
}

static int close_gateway(void **state)
{
    (void)state;
    gateway_fixture_close(&fixture);
    return 0;
}

static const char *ask(const char *line, const char *headers)
{
    char request[1024];
    (void)snprintf(request, sizeof(request),
                   "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", line, headers);
    return gateway_fixture_ask(&fixture, port, request);
}

static const char *ask_with_key(const char *line, const char *form)
{
    char header[256];
    (void)snprintf(header, sizeof(header), "%s%s\r\n", form, key);
    return ask(line, header);
}

static void assert_status(const char *answer, unsigned http_status, const char *said)
{
    char start[32];
    (void)snprintf(start, sizeof(start), "HTTP/1.1 %u ", http_status);
    if (strncmp(answer, start, strlen(start)) != 0 || strstr(answer, said) == NULL)
        print_error("%s\nwanted: %u %s\n", answer, http_status, said);
    assert_int_equal(strncmp(answer, start, strlen(start)), 0);
    assert_non_null(strstr(answer, said));
}

static void a_key_is_taken_in_either_header(void **state)
{
    (void)state;
    static const char *const forms[] = {"Authorization: Bearer ", "authorization: bEARER ",
                                        "x-api-key: ", "Authorization: Bearer  "};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        assert_status(ask_with_key("GET /v1/models", forms[i]), 200, "\"id\":\"known\"");
}

static void without_a_good_key_it_is_401_and_says_why(void **state)
{
    (void)state;
    char longest[300], wrong[128];
    assert_status(ask("GET /v1/models", ""), 401, "none was sent");
    assert_non_null(strstr(ask("GET /v1/models", ""), "\r\nwww-authenticate: Bearer\r\n"));
    memset(longest, 'k', sizeof(longest) - 3);
    memcpy(longest, "x-api-key: ", 11);
    memcpy(longest + sizeof(longest) - 3, "\r\n", 3);
    assert_status(ask("GET /v1/models", longest), 401, "\"code\":\"invalid_api_key\"");
    assert_status(ask("GET /v1/models", "x-api-key: an-imported-key-of-nobody\r\n"), 401,
                  "it is not known here");
    (void)snprintf(wrong, sizeof(wrong), "x-api-key: %.*s\r\n", KEY_TEXT_SIZE - 1, key);
    assert_status(ask("GET /v1/models", wrong), 401, "it is mistyped or incomplete");
    assert_status(ask("POST /v1/chat", ""), 401, "{\"detail\":\"Invalid API key\"}");
}

static void a_revoked_key_is_401(void **state)
{
    (void)state;
    put_key(true);
    assert_status(ask_with_key("GET /v1/models", "x-api-key: "), 401, "revoked");
    put_key(false);
    assert_status(ask_with_key("GET /v1/models", "x-api-key: "), 200, "known");
}

static void what_is_no_route_is_404(void **state)
{
    (void)state;
    assert_status(ask("GET /nowhere", ""), 404, "There is no route /nowhere.");
    assert_status(ask("GET /v1/v1/models", ""), 404, "begins with /v1 twice");
}

static void a_method_that_a_route_does_not_take_is_405(void **state)
{
    (void)state;
    assert_status(ask("GET /v1/chat/completions", ""), 405, "\r\nallow: POST, OPTIONS\r\n");
    assert_status(ask("DELETE /v1/models/known", ""), 405, "\r\nallow: GET, HEAD, OPTIONS\r\n");
    assert_status(ask("POST /livez", ""), 405, "\r\nallow: GET, HEAD, OPTIONS\r\n");
}

static void beyond_the_bound_of_requests_it_is_503(void **state)
{
    (void)state;
    const unsigned former = atomic_exchange(&fixture.gateway.requests_max, 0);
    const char *answer = ask("GET /livez", "");
    assert_status(answer, 503, "As many requests are in flight as the gateway takes");
    assert_non_null(strstr(answer, "\r\nretry-after: 1\r\n"));
    atomic_store(&fixture.gateway.requests_max, former);
    assert_status(ask("GET /livez", ""), 200, "ok");
    assert_int_equal(fixture.gateway.requests_in_flight, 0);
}

static void what_the_server_refuses_is_answered_in_the_routes_style(void **state)
{
    (void)state;
    assert_status(gateway_fixture_ask(&fixture, port, "nonsense\r\n\r\n"), 400,
                  "\"type\":\"invalid_request_error\"");
    assert_status(gateway_fixture_ask(&fixture, port, "GET /livez HTTP/1.1\r\n\r\n"), 400,
                  "\"code\":\"invalid_request\"");
    assert_int_equal(fixture.worker->calling->request_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_taken_in_either_header),
        cmocka_unit_test(without_a_good_key_it_is_401_and_says_why),
        cmocka_unit_test(a_revoked_key_is_401),
        cmocka_unit_test(what_is_no_route_is_404),
        cmocka_unit_test(a_method_that_a_route_does_not_take_is_405),
        cmocka_unit_test(beyond_the_bound_of_requests_it_is_503),
        cmocka_unit_test(what_the_server_refuses_is_answered_in_the_routes_style),
    };
    return cmocka_run_group_tests(tests, open_gateway, close_gateway);
}
