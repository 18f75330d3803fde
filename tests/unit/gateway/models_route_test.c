#include "gateway/models_route.h"

#include "unit/gateway/gateway_fixture.h"

#include "identity/key.h"

static const char rules[] = "listen: 127.0.0.1:%u\n"
                            "workers: 1\n"
                            "providers:\n"
                            "  one: { base_url: 'http://127.0.0.1:9/v1' }\n"
                            "  two: { base_url: 'http://127.0.0.1:9/v1' }\n"
                            "models:\n"
                            "  - { name: exact, targets: [two] }\n"
                            "  - { name: 'gpt*', targets: [one] }\n"
                            "  - { name: '*', targets: [two] }\n";

static struct gateway_fixture fixture;
static uint16_t port;

/* A key whose models are these; size 0: all. */
static void put_key(const char *key, struct slice models)
{
    struct key_hasher *hasher;
    unsigned char hash[KEY_HASH_SIZE];
    assert_int_equal(key_hasher_create(fixture.pepper, &hasher), STATUS_OK);
    assert_int_equal(key_hasher_hash(hasher, slice_from_text(key), hash), STATUS_OK);
    key_hasher_destroy(&hasher);
    const struct identity_rules_spec rules_spec = {.models = models};
    const struct identity_user_spec user = {.name = SLICE("u")};
    struct identity_spec spec = {.hash = hash};
    assert_int_equal(identity_rules_create(&rules_spec, &spec.rules, NULL), STATUS_OK);
    assert_int_equal(identity_map_put_user(fixture.identities, &user), STATUS_OK);
    assert_int_equal(identity_map_put(fixture.identities, &spec), STATUS_OK);
}

static int open_gateway(void **state)
{
    (void)state;
    static const struct slice first[] = {{"gpt-4o", 6}, {"other", 5}, {"exact", 5}};
    static const struct slice second[] = {{"org/qwen:7b", 11}, {"gpt-oss", 7}, {"exact", 5}};
    port = gateway_fixture_port();
    gateway_fixture_open(&fixture, rules, port);
    fixture.worker->lists[0] = models_list_create(first, 3);
    fixture.worker->lists[1] = models_list_create(second, 3);
    put_key("key-for-all-models", (struct slice){0});
    put_key("key-for-gpt-alone!", SLICE("gpt-*"));
    return 0;
}

static int close_gateway(void **state)
{
    (void)state;
    gateway_fixture_close(&fixture);
    return 0;
}

static const char *get(const char *path, const char *key)
{
    char request[512];
    (void)snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-api-key: %s\r\n\r\n", path,
                   key);
    return gateway_fixture_ask(&fixture, port, request);
}

static void assert_body(const char *answer, const char *body)
{
    const char *found = strstr(answer, "\r\n\r\n");
    assert_non_null(found);
    assert_string_equal(found + 4, body);
}

#define MODEL(name, owner)                                                                         \
    "{\"id\":\"" name "\",\"object\":\"model\",\"created\":0,\"owned_by\":\"" owner "\"}"

static void each_model_stands_where_the_first_rule_matches(void **state)
{
    (void)state;
    assert_body(get("/v1/models", "key-for-all-models"),
                "{\"object\":\"list\",\"data\":[" MODEL("exact", "two") "," MODEL(
                    "gpt-4o", "one") "," MODEL("org/qwen:7b", "two") "]}");
}

static void a_key_sees_the_models_that_it_may_use(void **state)
{
    (void)state;
    assert_body(get("/v1/models", "key-for-gpt-alone!"),
                "{\"object\":\"list\",\"data\":[" MODEL("gpt-4o", "one") "]}");
}

static void one_model_is_found_by_its_name_encoded_or_not(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1/models/org/qwen:7b", "/models/org%2Fqwen%3A7b"};
    for (size_t i = 0; i < 2; i++)
        assert_body(get(paths[i], "key-for-all-models"), MODEL("org/qwen:7b", "two"));
    assert_body(get("/v1/models/gpt-4o", "key-for-gpt-alone!"), MODEL("gpt-4o", "one"));
}

static void a_model_that_is_not_there_is_404(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1/models/gpt-oss", "/v1/models/nothing",
                                        "/v1/models/GPT-4o"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *answer = get(paths[i], "key-for-all-models");
        assert_non_null(strstr(answer, "HTTP/1.1 404 "));
        assert_non_null(strstr(answer, "\"code\":\"model_not_found\""));
    }
    assert_non_null(strstr(get("/v1/models/exact", "key-for-gpt-alone!"), "HTTP/1.1 404 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_model_stands_where_the_first_rule_matches),
        cmocka_unit_test(a_key_sees_the_models_that_it_may_use),
        cmocka_unit_test(one_model_is_found_by_its_name_encoded_or_not),
        cmocka_unit_test(a_model_that_is_not_there_is_404),
    };
    return cmocka_run_group_tests(tests, open_gateway, close_gateway);
}
