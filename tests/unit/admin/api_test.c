#include "admin/server.h"

#include "unit/admin/data_dir.h"
#include "unit/gateway/gateway_fixture.h"

#define TOKEN "the-token-of-the-configuration"
#define KEY   "sk-weir-0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZabc"

struct stage {
    struct gateway_fixture gateway;
    struct admin_context *context;
    struct service *store, *metrics;
    struct log_producer *log;
    struct admin_server_config config;
    struct admin_server *server;
    uint16_t port;
    int followed;
};

static struct stage stage;

static void follow(void *owner)
{
    ((struct stage *)owner)->followed++;
}

static int open_stage(void **state)
{
    static char socket_path[128];
    struct reason reason = {""};
    char yaml[512];
    if (data_dir_make(state) != 0)
        return -1;
    stage = (struct stage){.port = gateway_fixture_port()};
    (void)snprintf(yaml, sizeof(yaml),
                   "listen: [\"127.0.0.1:%u\"]\nworkers: 1\nmodels: []\n"
                   "admin: { listen: [\"127.0.0.1:%u\"], token: " TOKEN " }\n",
                   gateway_fixture_port(), stage.port);
    gateway_fixture_open_text(&stage.gateway, yaml);
    stage.context = data_dir_open(true);
    assert_int_equal(service_create("store", &stage.store), STATUS_OK);
    assert_int_equal(service_create("metrics", &stage.metrics), STATUS_OK);
    assert_int_equal(log_producer_open(stage.gateway.log, "control", &stage.log), STATUS_OK);
    (void)snprintf(socket_path, sizeof(socket_path), "%s", data_dir_path("admin.sock"));
    stage.config = (struct admin_server_config){
        .loop = stage.gateway.worker->loop,
        .gateway = &stage.gateway.gateway,
        .context = stage.context,
        .store = stage.store,
        .metrics = stage.metrics,
        .log = stage.log,
        .socket_path = socket_path,
        .follow_store = follow,
        .owner = &stage,
    };
    assert_int_equal(admin_server_open(&stage.config, &stage.server, &reason), STATUS_OK);
    return 0;
}

/* What was logged is in stage.gateway.log_text then. */
static void close_stage(void)
{
    admin_server_close(stage.server);
    loop_fixture_until_quiet(stage.config.loop);
    admin_server_destroy(&stage.server);
    service_destroy(&stage.store);
    service_destroy(&stage.metrics);
    admin_context_close(&stage.context);
    log_producer_close(&stage.log);
    gateway_fixture_close(&stage.gateway);
    unlink(data_dir_path("admin.sock"));
    assert_int_equal(data_dir_remove(NULL), 0);
}

/* `fields` has a line end after each. */
static const char *ask(const char *method, const char *path, const char *fields, const char *body)
{
    char request[2048];
    (void)snprintf(request, sizeof(request),
                   "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%sContent-Length: %zu\r\n"
                   "\r\n%s",
                   method, path, fields, strlen(body), body);
    return gateway_fixture_ask(&stage.gateway, stage.port, request);
}

#define AUTHORIZED "Authorization: Bearer " TOKEN "\r\n"
#define JSON       AUTHORIZED "Content-Type: application/json\r\n"

static void assert_status(const char *answer, const char *status)
{
    char start[32];
    (void)snprintf(start, sizeof(start), "HTTP/1.1 %s ", status);
    if (strncmp(answer, start, strlen(start)) != 0)
        fail_msg("%s is not the status of %s", status, answer);
}

static void a_request_with_a_token_is_answered_and_logged(void **state)
{
    (void)state;
    const char *answer = ask("POST", "/admin/v1/users", JSON, "{\"name\":\"ada\"}");
    assert_status(answer, "201");
    assert_non_null(strstr(answer, "\r\netag: \""));
    assert_non_null(strstr(answer, "\r\ncache-control: no-store\r\n"));
    assert_non_null(strstr(answer, "\"name\":\"ada\""));
    answer = ask("HEAD", "/admin/v1/users/ada", AUTHORIZED, "");
    assert_status(answer, "200");
    assert_null(strstr(answer, "\"name\""));
    close_stage();
    assert_non_null(strstr(stage.gateway.log_text, " 201 POST /admin/v1/users "));
    assert_non_null(strstr(stage.gateway.log_text, "user=admin.token"));
    assert_int_equal(stage.followed, 0);
}

static void each_refusal_is_a_problem_with_the_fields_that_belong_to_it(void **state)
{
    (void)state;
    const char *answer = ask("GET", "/admin/v1/users", "", "");
    assert_status(answer, "401");
    assert_non_null(strstr(answer, "\r\nwww-authenticate: Bearer\r\n"));
    assert_non_null(strstr(answer, "\r\ncontent-type: application/problem+json\r\n"));
    assert_status(ask("POST", "/admin/v1/users", AUTHORIZED "Content-Type: text/plain\r\n", "{}"),
                  "415");
    answer = ask("PUT", "/admin/v1/users", AUTHORIZED, "");
    assert_status(answer, "405");
    assert_non_null(strstr(answer, "\r\nallow: POST, GET, HEAD\r\n"));
    assert_status(ask("GET", "/admin/v1/nothing", AUTHORIZED, ""), "404");
    assert_status(ask("POST", "/admin/v1/users", JSON, "{\"name\":\"ada\"}"), "201");
    assert_status(ask("DELETE", "/admin/v1/users/ada", AUTHORIZED, ""), "428");
    assert_status(ask("DELETE", "/admin/v1/users/ada", AUTHORIZED "If-Match: \"1\"\r\n", ""),
                  "412");
    assert_status(
        ask("DELETE", "/admin/v1/users/ada", AUTHORIZED "If-Match: \"1\"\r\nIf-Match: *\r\n", ""),
        "412");
    assert_status(ask("DELETE", "/admin/v1/users/ada", AUTHORIZED "If-Match: *\r\n", ""), "200");
    close_stage();
}

static void a_secret_in_the_place_of_a_name_is_neither_logged_nor_answered(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *body;
    } cases[] = {
        {"GET", "/admin/v1/keys/an-applications-own-secret", ""},
        {"GET", "/admin/v1/users/" KEY, ""},
        {"POST", "/admin/v1/users", "{\"name\":\"ada\",\"team\":\"" KEY "\"}"},
        {"POST", "/admin/v1/users", "{\"" KEY "\":1}"},
        {"GET", "/admin/v1/users?" KEY "=1", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *answer = ask(cases[i].method, cases[i].path, JSON, cases[i].body);
        assert_int_equal(strncmp(answer, "HTTP/1.1 40", 11), 0);
        assert_null(strstr(answer, KEY));
    }
    close_stage();
    assert_null(strstr(stage.gateway.log_text, "an-applications-own"));
    assert_null(strstr(stage.gateway.log_text, KEY));
    assert_non_null(strstr(stage.gateway.log_text, "GET  /admin/v1/keys "));
    assert_non_null(strstr(stage.gateway.log_text, "/admin/v1/users/sk-weir-…"));
    assert_non_null(strstr(stage.gateway.log_text, "there is no team sk-weir-…"));
}

static void what_changes_the_configuration_is_followed_before_it_is_answered(void **state)
{
    (void)state;
    assert_status(ask("PUT", "/admin/v1/secrets/local", JSON, "{\"value\":\"sk-credential-7f3a\"}"),
                  "200");
    assert_int_equal(stage.followed, 1);
    assert_status(ask("PUT", "/admin/v1/secrets/nobody", JSON, "{\"value\":\"sk-credential\"}"),
                  "404");
    assert_int_equal(stage.followed, 1);
    close_stage();
    assert_null(strstr(stage.gateway.log_text, "sk-credential"));
}

static void metrics_of_a_loopback_take_no_token_and_have_no_line(void **state)
{
    (void)state;
    const char *answer = ask("GET", "/metrics", "", "");
    assert_status(answer, "200");
    assert_non_null(strstr(answer, "\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8"));
    assert_status(ask("POST", "/metrics", "", ""), "401");
    close_stage();
    assert_null(strstr(stage.gateway.log_text, "GET  /metrics"));
    assert_non_null(strstr(stage.gateway.log_text, "401 POST /metrics"));
}

static void a_malformed_request_is_refused_and_logged(void **state)
{
    (void)state;
    const char *answer = gateway_fixture_ask(&stage.gateway, stage.port,
                                             "GET /admin/v1/users HTTP/1.1\r\nBad Name: x\r\n\r\n");
    assert_status(answer, "400");
    assert_non_null(strstr(answer, "\"title\":\"Bad Request\""));
    close_stage();
    assert_non_null(strstr(stage.gateway.log_text, " 400 "));
}

#define TEST(name) cmocka_unit_test_setup(name, open_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_with_a_token_is_answered_and_logged),
        TEST(each_refusal_is_a_problem_with_the_fields_that_belong_to_it),
        TEST(a_secret_in_the_place_of_a_name_is_neither_logged_nor_answered),
        TEST(what_changes_the_configuration_is_followed_before_it_is_answered),
        TEST(metrics_of_a_loopback_take_no_token_and_have_no_line),
        TEST(a_malformed_request_is_refused_and_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
