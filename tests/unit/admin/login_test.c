#include "admin/login.h"

#include "unit/gateway/gateway_fixture.h"

#include <sys/socket.h>

#include "identity/key.h"

#define CONFIGURED "the-token-of-the-configuration"

static const char yaml[] = "listen: [\"127.0.0.1:%u\"]\n"
                           "workers: 1\n"
                           "admin: { token: " CONFIGURED " }\n"
                           "models: []\n";

/* A door, and a token of a team_admin that opens it. */
struct stage {
    struct gateway_fixture gateway;
    struct key_hasher *hasher;
    struct admin_context context;
    struct admin_server_config config;
    struct door door;
    char token[KEY_TOKEN_SIZE + 1];
    struct store_token stored;
};

static struct stage stage;

static void enter(struct store_token *token)
{
    assert_int_equal(
        key_hasher_hash(stage.hasher, slice_of(stage.token, KEY_TOKEN_SIZE), token->hash),
        STATUS_OK);
    assert_int_equal(token_table_reserve(stage.context.tokens, NULL), STATUS_OK);
    token_table_put(stage.context.tokens, token);
}

static int open_stage(void **state)
{
    (void)state;
    stage = (struct stage){0};
    gateway_fixture_open(&stage.gateway, yaml, gateway_fixture_port());
    assert_int_equal(key_hasher_create(stage.gateway.pepper, &stage.hasher), STATUS_OK);
    assert_int_equal(token_table_create(&stage.context.tokens), STATUS_OK);
    stage.config = (struct admin_server_config){.loop = stage.gateway.worker->loop,
                                                .gateway = &stage.gateway.gateway,
                                                .context = &stage.context};
    stage.door =
        (struct door){.config = &stage.config, .hasher = stage.hasher, .access = ACCESS_API};
    key_make_token(stage.token);
    stage.stored = (struct store_token){
        .id = {{1}}, .name = SLICE("ci"), .role = SLICE("team_admin"), .team_id = {{7}}};
    enter(&stage.stored);
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    token_table_destroy(&stage.context.tokens);
    key_hasher_destroy(&stage.hasher);
    gateway_fixture_close(&stage.gateway);
    return 0;
}

struct answer {
    enum status status;
    struct operation_actor actor;
    char name[LOGIN_NAME_BYTES];
    struct reason reason;
};

/* The fields of the head, each with its line end. */
static struct answer try(const char *fields)
{
    static const struct http_head_limits limits = {.headers_max = 20};
    struct http_exchange exchange = {.status = 0};
    struct answer answer = {.reason = {""}};
    struct arena arena;
    unsigned http_status;
    char head[1024];
    arena_init(&arena, NULL, 0, 65536);
    (void)snprintf(head, sizeof(head), "GET /admin/v1/users HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    assert_int_equal(http_request_head_parse(slice_from_text(head), &limits, &arena, &exchange.head,
                                             &http_status, NULL),
                     STATUS_OK);
    answer.status = login(&stage.door, &exchange, answer.name, &answer.actor, &answer.reason);
    arena_fini(&arena);
    return answer;
}

static struct answer try_token(const char *scheme, const char *token)
{
    char fields[512];
    (void)snprintf(fields, sizeof(fields), "Authorization: %s%s\r\n", scheme, token);
    return try(fields);
}

static void a_token_of_the_store_says_who_it_is(void **state)
{
    (void)state;
    static const char *const schemes[] = {"Bearer ", "bearer ", "BEARER   "};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        const struct answer answer = try_token(schemes[i], stage.token);
        assert_int_equal(answer.status, STATUS_OK);
        assert_int_equal(answer.actor.role, ROLE_TEAM_ADMIN);
        assert_memory_equal(&answer.actor.team_id, &stage.stored.team_id, sizeof(struct id));
        assert_memory_equal(answer.name, "token:ci", 8);
    }
}

static void the_configurations_token_is_worth_an_administrators(void **state)
{
    (void)state;
    const struct answer answer = try_token("Bearer ", CONFIGURED);
    assert_int_equal(answer.status, STATUS_OK);
    assert_int_equal(answer.actor.role, ROLE_ADMIN);
    assert_true(slice_equal(answer.actor.name, SLICE("admin.token")));
}

static void nothing_else_opens_and_nothing_is_quoted(void **state)
{
    (void)state;
    char longest[400], twice[512], upper[sizeof(stage.token)];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    (void)snprintf(twice, sizeof(twice), "Authorization: Bearer %s\r\nAuthorization: Bearer %s\r\n",
                   stage.token, stage.token);
    (void)snprintf(upper, sizeof(upper), "%s", stage.token);
    upper[sizeof(upper) - 2] ^= 1;
    const struct answer answers[] = {
        try(""),
        try(twice),
        try_token("Basic ", stage.token),
        try_token("", stage.token),
        try_token("Bearer", ""),
        try_token("Bearer ", longest),
        try_token("Bearer ", upper),
        try_token("Bearer ", "the-token-of-the-configuratio"),
        try_token("Bearer ", "weir-admin-"),
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        assert_int_equal(answers[i].status, STATUS_DENIED);
        assert_non_null(strstr(answers[i].reason.text, "weir tokens create"));
        assert_null(strstr(answers[i].reason.text, "weir-admin-"));
        assert_null(strstr(answers[i].reason.text, "configuratio"));
        assert_null(strstr(answers[i].reason.text, "xxx"));
    }
}

static void a_token_that_is_taken_away_opens_no_more(void **state)
{
    (void)state;
    token_table_remove(stage.context.tokens, &stage.stored.id);
    assert_int_equal(try_token("Bearer ", stage.token).status, STATUS_DENIED);
    stage.stored.expires_at_us = 1;
    enter(&stage.stored);
    assert_int_equal(try_token("Bearer ", stage.token).status, STATUS_DENIED);
}

static void who_opens_the_socket_is_the_administrator(void **state)
{
    (void)state;
    int ends[2];
    char name[LOGIN_NAME_BYTES], expected[32];
    struct operation_actor actor;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct http_connection connection = {.socket = {.fd = ends[0]}};
    const struct http_exchange exchange = {.connection = &connection};
    stage.door.access = ACCESS_SOCKET;
    assert_int_equal(login(&stage.door, &exchange, name, &actor, NULL), STATUS_OK);
    (void)snprintf(expected, sizeof(expected), "uid=%u", getuid());
    assert_int_equal(actor.role, ROLE_ADMIN);
    assert_true(slice_equal(actor.name, slice_from_text(expected)));
    close(ends[0]);
    close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_of_the_store_says_who_it_is),
        TEST(the_configurations_token_is_worth_an_administrators),
        TEST(nothing_else_opens_and_nothing_is_quoted),
        TEST(a_token_that_is_taken_away_opens_no_more),
        TEST(who_opens_the_socket_is_the_administrator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
