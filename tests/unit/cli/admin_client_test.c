#include "cli/admin_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "admin/operations.h"
#include "base/alloc.h"
#include "cli/data_lock.h"
#include "unit/cli/data_dir.h"

static unsigned list_users(struct admin_client *client, struct buffer *answer)
{
    struct reason reason = {""};
    return admin_client_call(client, SLICE("GET"), SLICE("/admin/v1/users"), (struct slice){0},
                             answer, &reason);
}

static void without_a_server_the_store_is_opened_under_the_lock(void **state)
{
    struct admin_client *client = NULL;
    struct data_lock lock;
    struct reason reason = {""};
    struct buffer answer;
    (void)state;
    assert_int_equal(admin_client_open(data_dir, 0, &client, &reason), STATUS_OK);
    assert_int_equal(data_lock_take(data_dir, &lock, &reason), STATUS_EXISTS);
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    assert_int_equal(list_users(client, &answer), 200);
    assert_true(slice_equal(buffer_slice(&answer), SLICE("{\"items\":[],\"next\":null}")));
    buffer_fini(&answer);
    admin_client_close(&client);
    assert_null(client);
    admin_client_close(&client);
    assert_int_equal(data_lock_take(data_dir, &lock, &reason), STATUS_OK);
    data_lock_release(&lock);
}

static void a_folder_that_is_no_data_directory_stays_as_it_is(void **state)
{
    struct admin_client *client = NULL;
    struct reason reason = {""};
    (void)state;
    assert_int_equal(admin_client_open(data_dir, 0, &client, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, data_dir));
    assert_int_not_equal(access(data_dir_path("lock"), F_OK), 0);
    assert_int_equal(admin_client_open("/tmp/weir-no/such", 0, &client, &reason), STATUS_NOT_FOUND);
    assert_int_not_equal(access("/tmp/weir-no", F_OK), 0);
    assert_null(client);
}

static void a_directory_that_another_owns_is_waited_for_in_vain(void **state)
{
    struct admin_client *client = NULL;
    struct data_lock lock;
    struct reason reason = {""};
    (void)state;
    assert_int_equal(data_lock_take(data_dir, &lock, &reason), STATUS_OK);
    assert_int_equal(admin_client_open(data_dir, 1, &client, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "in use"));
    data_lock_release(&lock);
}

static struct data_lock held;

static void let_go(int number)
{
    (void)number;
    close(held.fd);
}

static void a_directory_that_another_lets_go_is_opened(void **state)
{
    const struct itimerval soon = {.it_value = {.tv_usec = 5000}};
    struct admin_client *client = NULL;
    struct reason reason = {""};
    (void)state;
    assert_int_equal(data_lock_take(data_dir, &held, &reason), STATUS_OK);
    signal(SIGALRM, let_go);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(admin_client_open(data_dir, 60000, &client, &reason), STATUS_OK);
    signal(SIGALRM, SIG_DFL);
    admin_client_close(&client);
}

/* A socket that nobody listens on any more, as after kill -9. */
static void a_stale_socket_is_no_server(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct admin_client *client = NULL;
    struct reason reason = {""};
    (void)state;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", data_dir);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    assert_int_equal(admin_client_open(data_dir, 0, &client, &reason), STATUS_OK);
    admin_client_close(&client);
}

static int listen_on_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", data_dir);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* In a process of its own: takes the connection that looks whether a server is there, then answers
 * the one with the request. */
static void answer_once(int listening, struct slice answer)
{
    char request[4096];
    close(accept(listening, NULL, NULL));
    const int fd = accept(listening, NULL, NULL);
    const ssize_t got = recv(fd, request, sizeof(request), 0);
    const ssize_t sent = send(fd, answer.data, answer.size, 0);
    close(fd);
    _exit(got > 0 && sent == (ssize_t)answer.size ? 0 : 1);
}

static unsigned ask_server(struct slice said, struct buffer *answer, struct reason *reason)
{
    struct admin_client *client = NULL;
    int outcome = 0;
    const int listening = listen_on_socket();
    const pid_t child = fork();
    if (child == 0)
        answer_once(listening, said);
    close(listening);
    assert_int_equal(admin_client_open(data_dir, 0, &client, reason), STATUS_OK);
    const unsigned http_status = admin_client_call(
        client, SLICE("DELETE"), SLICE("/admin/v1/users/a"), (struct slice){0}, answer, reason);
    admin_client_close(&client);
    assert_int_equal(waitpid(child, &outcome, 0), child);
    assert_int_equal(outcome, 0);
    unlink(data_dir_path("admin.sock"));
    return http_status;
}

static void a_running_server_is_asked(void **state)
{
    struct buffer answer;
    struct reason reason = {""};
    (void)state;
    data_dir_write("lock", "1\n");
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    assert_int_equal(ask_server(SLICE("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"),
                                &answer, &reason),
                     404);
    assert_true(slice_equal(buffer_slice(&answer), SLICE("{}")));
    assert_int_equal(
        ask_server(SLICE("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"), &answer, &reason), 0);
    assert_non_null(strstr(reason.text, "did not answer: closed"));
    buffer_fini(&answer);
}

/* In a process of its own: answers three requests with a tag, of which the second alone may name it. */
static void answer_thrice(int listening)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nETag: \"5f\"\r\nContent-Length: 2\r\n\r\n{}";
    char request[4096];
    close(accept(listening, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        const int fd = accept(listening, NULL, NULL);
        const ssize_t got = recv(fd, request, sizeof(request) - 1, 0);
        if (got <= 0 || send(fd, answer, sizeof(answer) - 1, 0) < 0)
            _exit(1);
        close(fd);
        request[got] = '\0';
        if ((strstr(request, "\r\nif-match: \"5f\"\r\n") != NULL) != (i == 1))
            _exit(2);
    }
    _exit(0);
}

static void a_call_that_must_match_names_what_the_last_answer_showed(void **state)
{
    struct admin_client *client = NULL;
    struct buffer answer;
    int outcome = 0;
    (void)state;
    data_dir_write("lock", "1\n");
    const int listening = listen_on_socket();
    const pid_t child = fork();
    if (child == 0)
        answer_thrice(listening);
    close(listening);
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    assert_int_equal(admin_client_open(data_dir, 0, &client, NULL), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            admin_client_match(client);
        assert_int_equal(admin_client_call(client, SLICE("PATCH"), SLICE("/admin/v1/users/a"),
                                           SLICE("{}"), &answer, NULL),
                         200);
    }
    admin_client_close(&client);
    buffer_fini(&answer);
    assert_int_equal(waitpid(child, &outcome, 0), child);
    assert_int_equal(outcome, 0);
    unlink(data_dir_path("admin.sock"));
}

static void an_allocation_that_fails_leaves_nothing_open(void **state)
{
    struct data_lock lock;
    bool has_worked = false;
    (void)state;
    for (int nth = 0; nth < 64 && !has_worked; nth++) {
        struct admin_client *client = NULL;
        struct reason reason = {""};
        alloc_fail_nth(nth);
        has_worked = admin_client_open(data_dir, 0, &client, &reason) == STATUS_OK;
        alloc_fail_nth(-1);
        assert_int_equal(client != NULL, has_worked);
        assert_true(has_worked || reason.text[0] != '\0');
        admin_client_close(&client);
        assert_int_equal(data_lock_take(data_dir, &lock, NULL), STATUS_OK);
        data_lock_release(&lock);
    }
    assert_true(has_worked);
}

#define IN_EMPTY(test)  cmocka_unit_test_setup_teardown(test, data_dir_make, data_dir_remove)
#define IN_FILLED(test) cmocka_unit_test_setup_teardown(test, data_dir_make_filled, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FILLED(without_a_server_the_store_is_opened_under_the_lock),
        IN_EMPTY(a_folder_that_is_no_data_directory_stays_as_it_is),
        IN_FILLED(a_directory_that_another_owns_is_waited_for_in_vain),
        IN_FILLED(a_directory_that_another_lets_go_is_opened),
        IN_FILLED(a_stale_socket_is_no_server),
        IN_EMPTY(a_running_server_is_asked),
        IN_EMPTY(a_call_that_must_match_names_what_the_last_answer_showed),
        IN_FILLED(an_allocation_that_fails_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
