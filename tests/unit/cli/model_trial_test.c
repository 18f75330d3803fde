#include "cli/model_trial.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "unit/cli/data_dir.h"

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 65536);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct model_trial read_body(const char *body)
{
    struct model_trial trial = {0};
    model_trial_read(slice_from_text(body), &arena, &trial);
    return trial;
}

static void the_first_choice_is_the_answer(void **state)
{
    (void)state;
    const struct model_trial trial =
        read_body("{\"choices\":[{\"message\":{\"content\":\"O\\u004b\"}},{\"message\":{"
                  "\"content\":\"x\"}}]}");
    assert_true(slice_equal(trial.answer, SLICE("OK")));
    assert_null(trial.error.data);
}

static void the_gateways_message_is_the_error(void **state)
{
    (void)state;
    const struct model_trial trial =
        read_body("{\"error\":{\"message\":\"no such model\",\"code\":\"model_not_found\"}}");
    assert_true(slice_equal(trial.error, SLICE("no such model")));
    assert_null(trial.answer.data);
}

static void what_is_anything_else_has_neither(void **state)
{
    static const char *const bodies[] = {"",
                                         "null",
                                         "[]",
                                         "{}",
                                         "<html>",
                                         "{\"choices\":[]}",
                                         "{\"choices\":{}}",
                                         "{\"choices\":[null]}",
                                         "{\"choices\":[{\"message\":{\"content\":null}}]}",
                                         "{\"error\":\"text\"}",
                                         "{\"error\":{\"message\":1}}"};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const struct model_trial trial = read_body(bodies[i]);
        assert_null(trial.answer.data);
        assert_null(trial.error.data);
    }
}

static void an_answer_cut_anywhere_is_read_without_harm(void **state)
{
    const struct slice whole = SLICE("{\"choices\":[{\"message\":{\"content\":\"OK\"}}]}");
    (void)state;
    for (size_t size = 0; size < whole.size; size++) {
        struct model_trial trial = {0};
        model_trial_read(slice_of(whole.data, size), &arena, &trial);
        assert_null(trial.answer.data);
    }
}

static struct config_listener listener = {
    .address = {.host = {"127.0.0.1", 9}, .ip = {.bytes = {127, 0, 0, 1}, .size = 4}, .port = 1}};

static enum status run(struct reason *reason)
{
    const struct config config = {.listen = {&listener, 1}, .data_dir = slice_from_text(data_dir)};
    struct model_trial trial;
    return model_trial_run(&config, "gpt", &arena, &trial, reason);
}

/* In a process of its own: refuses what does not hold `wanted`. */
static void serve_picky(int listening, const char *wanted, int count)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
                                  "{\"error\":{\"message\":\"not that\",\"param\":\"max_tokens\"}}";
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nx-weir-target: p/m\r\n\r\n"
        "{\"choices\":[{\"message\":{\"content\":\"OK\"}}]}";
    for (int i = 0; i < count; i++) {
        char request[4096];
        size_t size = 0;
        const int fd = accept(listening, NULL, NULL);
        request[0] = '\0';
        while (strstr(request, ":8}") == NULL && size < sizeof(request) - 1) {
            const ssize_t got = recv(fd, request + size, sizeof(request) - 1 - size, 0);
            if (got <= 0)
                _exit(1);
            size += (size_t)got;
            request[size] = '\0';
        }
        const char *said = strstr(request, wanted) != NULL ? answer : refusal;
        if (send(fd, said, strlen(said), 0) < 0)
            _exit(1);
        close(fd);
    }
    _exit(0);
}

static int listen_somewhere(uint16_t *port_out)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port_out = ntohs(address.sin_port);
    return fd;
}

static struct model_trial try_with(const char *wanted, int count)
{
    struct model_trial trial = {0};
    struct reason reason = {""};
    int outcome = 0;
    const int listening = listen_somewhere(&listener.address.port);
    const struct config config = {.listen = {&listener, 1}, .data_dir = slice_from_text(data_dir)};
    const pid_t child = fork();
    if (child == 0)
        serve_picky(listening, wanted, count);
    close(listening);
    setenv("WEIR_KEY", "sk-weir-1", 1);
    assert_int_equal(model_trial_run(&config, "gpt", &arena, &trial, &reason), STATUS_OK);
    assert_int_equal(waitpid(child, &outcome, 0), child);
    assert_int_equal(outcome, 0);
    listener.address.port = 1;
    return trial;
}

static void a_model_is_asked_as_an_application_would(void **state)
{
    (void)state;
    const struct model_trial trial = try_with("Authorization: Bearer sk-weir-1\r\n", 1);
    assert_int_equal(trial.http_status, 200);
    assert_true(slice_equal(trial.target, SLICE("p/m")));
    assert_true(slice_equal(trial.answer, SLICE("OK")));
}

static void a_model_that_knows_the_limit_by_its_new_name_is_asked_again(void **state)
{
    (void)state;
    assert_int_equal(try_with("\"max_completion_tokens\":8", 2).http_status, 200);
    const struct model_trial refused = try_with("nothing will do", 2);
    assert_int_equal(refused.http_status, 400);
    assert_true(slice_equal(refused.error, SLICE("not that")));
}

static void what_is_missing_is_said(void **state)
{
    struct reason reason = {""};
    (void)state;
    unsetenv("WEIR_KEY");
    assert_int_equal(run(&reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "WEIR_KEY"));
    setenv("WEIR_KEY", "a\r\nb: c", 1);
    assert_int_equal(run(&reason), STATUS_NOT_FOUND);
    setenv("WEIR_KEY", "sk-weir-1", 1);
    assert_int_equal(run(&reason), STATUS_CLOSED);
    assert_string_equal(reason.text, "no answer from 127.0.0.1 port 1: no server listens there");
    listener.certificate = SLICE("c.pem");
    assert_int_equal(run(&reason), STATUS_UNSUPPORTED);
    assert_null(strstr(reason.text, "sk-weir-1"));
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(the_first_choice_is_the_answer),
        WITH_ARENA(the_gateways_message_is_the_error),
        WITH_ARENA(what_is_anything_else_has_neither),
        WITH_ARENA(an_answer_cut_anywhere_is_read_without_harm),
        WITH_ARENA(a_model_is_asked_as_an_application_would),
        WITH_ARENA(a_model_that_knows_the_limit_by_its_new_name_is_asked_again),
        WITH_ARENA(what_is_missing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
