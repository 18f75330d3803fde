#include "cli/http_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"

/* A connection on which each send is one receive: so an answer comes in the pieces that were
 * written, with no thread and no waiting. */
static int ours, theirs;
static struct arena arena;
static struct buffer answer;
static struct http_response_head head;

static int open_pair(void **state)
{
    int pair[2];
    (void)state;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) != 0)
        return -1;
    ours = pair[0];
    theirs = pair[1];
    arena_init(&arena, NULL, 0, 65536);
    buffer_init(&answer, 65536);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    close(ours);
    if (theirs >= 0)
        close(theirs);
    arena_fini(&arena);
    buffer_fini(&answer);
    return 0;
}

static void say(struct slice bytes)
{
    assert_int_equal(send(theirs, bytes.data, bytes.size, 0), (ssize_t)bytes.size);
}

static void hang_up(void)
{
    shutdown(theirs, SHUT_WR);
}

static enum status run(const char *method, struct slice body)
{
    const struct http_call call = {.method = slice_from_text(method),
                                   .target = SLICE("/admin/v1/users"),
                                   .fields = SLICE("X-A: b\r\n"),
                                   .body = body,
                                   .deadline_ns = clock_monotonic_ns() + 60000 * NS_PER_MS};
    return http_call_run(ours, &call, &answer, &arena, &head);
}

static void body_is(const char *expected)
{
    assert_true(slice_equal(buffer_slice(&answer), slice_from_text(expected)));
}

static void the_request_is_sent_as_given(void **state)
{
    char request[1024];
    (void)state;
    say(SLICE("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"));
    assert_int_equal(run("POST", SLICE("{\"name\":\"a\"}")), STATUS_OK);
    assert_int_equal(head.status, 201);
    body_is("{}");
    const ssize_t head_size = recv(theirs, request, sizeof(request), 0);
    const ssize_t size = head_size + recv(theirs, request + head_size, 512, 0);
    static const char expected[] = "POST /admin/v1/users HTTP/1.1\r\nHost: weir\r\n"
                                   "Connection: close\r\nContent-Length: 12\r\nX-A: b\r\n\r\n"
                                   "{\"name\":\"a\"}";
    assert_int_equal(size, sizeof(expected) - 1);
    assert_memory_equal(request, expected, sizeof(expected) - 1);
}

static void an_answer_in_any_two_pieces_is_the_same_answer(void **state)
{
    static const struct slice answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", 51},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n "
         "world\r\n0\r\n\r\n",
         74},
        {"HTTP/1.1 200 OK\r\n\r\nhello world", 30},
        {"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", 73},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        for (size_t at = 1; at < answers[i].size; at++) {
            say(slice_of(answers[i].data, at));
            say(slice_from(answers[i], at));
            hang_up();
            assert_int_equal(run("GET", (struct slice){0}), STATUS_OK);
            assert_int_equal(head.status, 200);
            body_is("hello world");
            close_pair(state);
            assert_int_equal(open_pair(state), 0);
        }
    }
}

static void an_answer_byte_by_byte_is_the_same_answer(void **state)
{
    const struct slice whole = SLICE("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "3;a=b\r\nno!\r\n0\r\nT: x\r\n\r\n");
    (void)state;
    for (size_t at = 0; at < whole.size; at++)
        say(slice_of(whole.data + at, 1));
    assert_int_equal(run("GET", (struct slice){0}), STATUS_OK);
    assert_int_equal(head.status, 404);
    body_is("no!");
}

static void an_answer_cut_anywhere_is_no_answer(void **state)
{
    static const struct slice answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 40},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 59},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        for (size_t size = 0; size < answers[i].size; size++) {
            if (size > 0)
                say(slice_of(answers[i].data, size));
            hang_up();
            assert_int_equal(run("GET", (struct slice){0}), STATUS_CLOSED);
            close_pair(state);
            assert_int_equal(open_pair(state), 0);
        }
    }
}

static void what_follows_the_body_is_not_part_of_it(void **state)
{
    (void)state;
    say(SLICE("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 Oops\r\n\r\n"));
    assert_int_equal(run("GET", (struct slice){0}), STATUS_OK);
    body_is("{}");
}

static void an_answer_without_a_body_has_none(void **state)
{
    (void)state;
    say(SLICE("HTTP/1.1 204 No Content\r\n\r\nx"));
    assert_int_equal(run("DELETE", (struct slice){0}), STATUS_OK);
    body_is("");
}

static void what_is_no_http_is_refused(void **state)
{
    static const char *const wrong[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\n{}",
        "hello\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        say(slice_from_text(wrong[i]));
        hang_up();
        assert_int_equal(run("GET", (struct slice){0}), STATUS_PROTOCOL);
        close_pair(state);
        assert_int_equal(open_pair(state), 0);
    }
}

static void an_answer_longer_than_the_buffer_may_be_is_refused(void **state)
{
    static char bytes[4096];
    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    buffer_fini(&answer);
    buffer_init(&answer, 20000);
    say(SLICE("HTTP/1.1 200 OK\r\n\r\n"));
    for (int i = 0; i < 8; i++)
        say(slice_of(bytes, sizeof(bytes)));
    hang_up();
    assert_int_equal(run("GET", (struct slice){0}), STATUS_TOO_LARGE);
}

static void the_deadline_ends_the_wait(void **state)
{
    const struct http_call call = {.method = SLICE("GET"), .target = SLICE("/"), .deadline_ns = 0};
    (void)state;
    assert_int_equal(http_call_run(ours, &call, &answer, &arena, &head), STATUS_TIMED_OUT);
}

static void a_server_that_refuses_before_it_has_read_all_is_heard(void **state)
{
    (void)state;
    say(SLICE("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}"));
    shutdown(theirs, SHUT_RDWR);
    assert_int_equal(run("POST", SLICE("body")), STATUS_OK);
    assert_int_equal(head.status, 413);
    body_is("{}");
}

static void an_allocation_that_fails_is_a_status(void **state)
{
    for (int nth = 0; nth < 16; nth++) {
        say(SLICE("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
        alloc_fail_nth(nth);
        const enum status status = run("GET", (struct slice){0});
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        assert_int_equal(status == STATUS_OK, nth >= 4); /* request, answer, two for the head */
        close_pair(state);
        assert_int_equal(open_pair(state), 0);
    }
}

static void nobody_there_is_a_status(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/weir-no-such-socket"};
    const uint64_t deadline_ns = clock_monotonic_ns() + 1000 * NS_PER_MS;
    int fd = -1;
    (void)state;
    assert_int_equal(
        http_call_connect((const struct sockaddr *)&address, sizeof(address), deadline_ns, &fd),
        STATUS_CLOSED);
    assert_int_equal(fd, -1);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(the_request_is_sent_as_given),
        WITH_PAIR(an_answer_in_any_two_pieces_is_the_same_answer),
        WITH_PAIR(an_answer_byte_by_byte_is_the_same_answer),
        WITH_PAIR(an_answer_cut_anywhere_is_no_answer),
        WITH_PAIR(what_follows_the_body_is_not_part_of_it),
        WITH_PAIR(an_answer_without_a_body_has_none),
        WITH_PAIR(what_is_no_http_is_refused),
        WITH_PAIR(an_answer_longer_than_the_buffer_may_be_is_refused),
        WITH_PAIR(the_deadline_ends_the_wait),
        WITH_PAIR(a_server_that_refuses_before_it_has_read_all_is_heard),
        WITH_PAIR(an_allocation_that_fails_is_a_status),
        cmocka_unit_test(nobody_there_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
