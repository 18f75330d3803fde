#include "io/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/listener.h"

/* A socket under test and, at its other end, a descriptor that the test plays with. */
struct pair {
    struct loop *loop;
    struct socket socket;
    int other;
    enum status status;
    char bytes[64];
    size_t size;
    unsigned steps;
    uint64_t deadline_ms;
};

static void pair_open(struct pair *pair)
{
    int fds[2];
    *pair = (struct pair){.deadline_ms = TIMER_NEVER};
    assert_int_equal(loop_create(&pair->loop, NULL), STATUS_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(socket_open(&pair->socket, pair->loop, fds[0]), STATUS_OK);
    pair->other = fds[1];
    loop_turn(pair->loop, 0);
}

static void pair_close(struct pair *pair)
{
    socket_close(&pair->socket);
    if (pair->other >= 0)
        close(pair->other);
    loop_destroy(&pair->loop);
}

static void run(struct pair *pair, void (*function)(void *))
{
    assert_int_equal(task_spawn(pair->loop, function, pair), STATUS_OK);
    loop_turn(pair->loop, 0);
}

static void turn_until_quiet(struct pair *pair)
{
    for (int i = 0; i < 1000 && loop_task_count(pair->loop) > 0; i++)
        loop_turn(pair->loop, 20);
    assert_int_equal(loop_task_count(pair->loop), 0);
}

static void read_once(void *argument)
{
    struct pair *pair = argument;
    pair->status = socket_read(&pair->socket, pair->bytes, sizeof(pair->bytes), pair->deadline_ms,
                               &pair->size);
    pair->steps++;
}

static void a_read_waits_for_bytes(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    run(&pair, read_once);
    assert_int_equal(pair.steps, 0);
    assert_int_equal(write(pair.other, "abc", 3), 3);
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_OK);
    assert_int_equal(pair.size, 3);
    assert_memory_equal(pair.bytes, "abc", 3);
    pair_close(&pair);
}

static void a_short_read_means_that_no_more_is_there(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    assert_int_equal(write(pair.other, "abc", 3), 3);
    loop_turn(pair.loop, 20);
    assert_true(socket_has_input(&pair.socket));
    run(&pair, read_once);
    assert_false(socket_has_input(&pair.socket));
    assert_int_equal(write(pair.other, "d", 1), 1);
    loop_turn(pair.loop, 20);
    assert_true(socket_has_input(&pair.socket));
    pair_close(&pair);
}

static void bytes_before_the_end_are_read_and_then_the_end(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    assert_int_equal(write(pair.other, "abc", 3), 3);
    close(pair.other);
    pair.other = -1;
    loop_turn(pair.loop, 20);
    run(&pair, read_once);
    assert_int_equal(pair.status, STATUS_OK);
    assert_int_equal(pair.size, 3);
    run(&pair, read_once);
    assert_int_equal(pair.status, STATUS_CLOSED);
    pair_close(&pair);
}

static void a_read_ends_at_its_deadline(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    pair.deadline_ms = loop_deadline(pair.loop, 10);
    run(&pair, read_once);
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_TIMED_OUT);
    pair_close(&pair);
}

static void sleep_as_owner(void *argument)
{
    struct pair *pair = argument;
    socket_set_owner(&pair->socket, task_current(pair->loop));
    pair->status = task_sleep(pair->loop, 60000);
    socket_set_owner(&pair->socket, NULL);
    pair->steps++;
}

static void peek_for_more(void *argument)
{
    struct pair *pair = argument;
    pair->status = socket_peek(&pair->socket, pair->bytes, sizeof(pair->bytes), pair->size,
                               pair->deadline_ms, &pair->size);
    pair->steps++;
}

static void what_is_looked_at_is_still_there(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    run(&pair, peek_for_more);
    assert_int_equal(pair.steps, 0);
    assert_int_equal(write(pair.other, "ab", 2), 2);
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_OK);
    assert_int_equal(pair.size, 2);
    run(&pair, peek_for_more); /* for more than these two */
    loop_turn(pair.loop, 0);
    assert_int_equal(pair.steps, 1);
    assert_int_equal(write(pair.other, "cd", 2), 2);
    turn_until_quiet(&pair);
    assert_int_equal(pair.size, 4);
    assert_memory_equal(pair.bytes, "abcd", 4);

    assert_int_equal(socket_drop(&pair.socket, 3, pair.size), STATUS_OK);
    assert_true(socket_has_input(&pair.socket));
    run(&pair, read_once);
    assert_int_equal(pair.status, STATUS_OK);
    assert_int_equal(pair.size, 1);
    assert_memory_equal(pair.bytes, "d", 1);
    pair_close(&pair);
}

static void what_was_dropped_whole_leaves_nothing_to_read(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    assert_int_equal(write(pair.other, "abc", 3), 3);
    loop_turn(pair.loop, 0);
    run(&pair, peek_for_more);
    assert_int_equal(socket_drop(&pair.socket, 3, pair.size), STATUS_OK);
    assert_false(socket_has_input(&pair.socket));
    assert_int_equal(write(pair.other, "d", 1), 1);
    run(&pair, read_once);
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_OK);
    assert_memory_equal(pair.bytes, "d", 1);
    pair_close(&pair);
}

static void an_end_ends_the_wait_for_more(void **state)
{
    (void)state;
    for (unsigned is_late = 0; is_late < 2; is_late++) {
        struct pair pair;
        pair_open(&pair);
        assert_int_equal(write(pair.other, "ab", 2), 2);
        loop_turn(pair.loop, 0);
        run(&pair, peek_for_more);
        assert_int_equal(pair.status, STATUS_OK);
        if (is_late)
            run(&pair, peek_for_more);
        close(pair.other);
        pair.other = -1;
        loop_turn(pair.loop, 0);
        if (!is_late)
            run(&pair, peek_for_more);
        turn_until_quiet(&pair);
        assert_int_equal(pair.status, STATUS_CLOSED);
        pair_close(&pair);
    }
}

static void a_peer_that_goes_away_cancels_the_owner_wherever_it_waits(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    run(&pair, sleep_as_owner);
    assert_int_equal(pair.steps, 0);
    close(pair.other);
    pair.other = -1;
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_CANCELLED);
    pair_close(&pair);
}

static void a_peer_that_is_gone_already_cancels_a_new_owner(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    close(pair.other);
    pair.other = -1;
    loop_turn(pair.loop, 20);
    run(&pair, sleep_as_owner);
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_CANCELLED);
    pair_close(&pair);
}

static void read_and_then_sleep_as_owner(void *argument)
{
    struct pair *pair = argument;
    socket_set_owner(&pair->socket, task_current(pair->loop));
    read_once(argument);
    assert_int_equal(pair->status, STATUS_OK);
    pair->status = task_sleep(pair->loop, 1000);
    socket_set_owner(&pair->socket, NULL);
}

static void an_end_that_comes_with_awaited_bytes_cancels_the_next_wait(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    run(&pair, read_and_then_sleep_as_owner);
    assert_int_equal(pair.steps, 0);
    assert_int_equal(write(pair.other, "abc", 3), 3);
    close(pair.other);
    pair.other = -1; /* both make one event */
    turn_until_quiet(&pair);
    assert_int_equal(pair.size, 3);
    assert_int_equal(pair.status, STATUS_CANCELLED);
    pair_close(&pair);
}

#define MUCH (4 * 1024 * 1024)

static void write_much(void *argument)
{
    struct pair *pair = argument;
    char *bytes = alloc_bytes(MUCH);
    assert_non_null(bytes);
    memset(bytes, 'x', MUCH);
    struct iovec pieces[] = {{bytes, 1}, {bytes + 1, 0}, {bytes + 1, MUCH - 1}};
    pair->status = socket_write(&pair->socket, pieces, 3, 1000);
    alloc_free(bytes);
    pair->steps++;
}

static size_t read_all(int fd)
{
    static char sink[65536];
    size_t total = 0;
    ssize_t got;
    while ((got = read(fd, sink, sizeof(sink))) > 0)
        total += (size_t)got;
    return total;
}

static void a_write_waits_until_all_was_taken(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    run(&pair, write_much);
    size_t total = 0;
    for (int i = 0; i < 100000 && pair.steps == 0; i++) {
        total += read_all(pair.other);
        loop_turn(pair.loop, 0);
    }
    total += read_all(pair.other);
    assert_int_equal(pair.status, STATUS_OK);
    assert_int_equal(total, MUCH);
    turn_until_quiet(&pair);
    pair_close(&pair);
}

static void a_write_to_a_closed_peer_is_closed(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    close(pair.other);
    pair.other = -1;
    run(&pair, write_much);
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_CLOSED);
    pair_close(&pair);
}

static void an_idle_socket_is_reusable_until_something_happens(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    assert_true(socket_is_reusable(&pair.socket));
    assert_int_equal(write(pair.other, "x", 1), 1);
    loop_turn(pair.loop, 20);
    assert_false(socket_is_reusable(&pair.socket));
    pair_close(&pair);
}

static void no_wait_touches_the_epoll_set(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    const uint64_t before = loop_epoll_ctl_count(pair.loop);
    for (int i = 0; i < 10; i++) {
        run(&pair, read_once);
        assert_int_equal(write(pair.other, "x", 1), 1);
        turn_until_quiet(&pair);
    }
    assert_int_equal(pair.steps, 10);
    assert_int_equal(loop_epoll_ctl_count(pair.loop), before);
    pair_close(&pair);
}

/* --- TCP --- */

static int accepted = -1;

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
    (void)listener;
    assert_true(address_is_loopback(peer));
    accepted = fd;
}

static void connect_to_listener(void *argument)
{
    struct pair *pair = argument;
    struct address address;
    assert_int_equal(address_parse(SLICE("127.0.0.1"), (uint16_t)pair->size, &address), STATUS_OK);
    struct socket connection;
    pair->status =
        socket_connect(&connection, pair->loop, &address, loop_deadline(pair->loop, 5000));
    if (pair->status == STATUS_OK)
        socket_close(&connection);
    pair->steps++;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void a_connection_is_made_and_a_closed_port_refuses(void **state)
{
    (void)state;
    struct pair pair;
    struct listener listener;
    struct address any;
    pair_open(&pair);
    assert_int_equal(address_parse(SLICE("127.0.0.1"), 0, &any), STATUS_OK);
    assert_int_equal(listener_open_tcp(&listener, &any, NULL), STATUS_OK);
    assert_int_equal(listener_start(&listener, pair.loop, on_accept, NULL), STATUS_OK);
    pair.size = port_of(listener.fd);
    run(&pair, connect_to_listener);
    for (int i = 0; i < 100 && (accepted < 0 || pair.steps == 0); i++)
        loop_turn(pair.loop, 20);
    assert_int_equal(pair.status, STATUS_OK);
    assert_true(accepted >= 0);
    close(accepted);

    listener_stop(&listener);
    run(&pair, connect_to_listener);
    turn_until_quiet(&pair);
    assert_int_equal(pair.status, STATUS_CLOSED);
    pair_close(&pair);
}

static void a_taken_port_is_noticed_and_named(void **state)
{
    (void)state;
    struct listener listener;
    struct address address;
    struct reason reason;
    assert_int_equal(address_parse(SLICE("127.0.0.1"), 0, &address), STATUS_OK);
    assert_int_equal(listener_open_tcp(&listener, &address, NULL), STATUS_OK);
    assert_int_equal(address_parse(SLICE("127.0.0.1"), port_of(listener.fd), &address), STATUS_OK);
    assert_int_equal(listener_check_free(&address, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "is in use by another program"));
    listener_stop(&listener);
    assert_int_equal(listener_check_free(&address, &reason), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_waits_for_bytes),
        cmocka_unit_test(a_short_read_means_that_no_more_is_there),
        cmocka_unit_test(bytes_before_the_end_are_read_and_then_the_end),
        cmocka_unit_test(a_read_ends_at_its_deadline),
        cmocka_unit_test(what_is_looked_at_is_still_there),
        cmocka_unit_test(what_was_dropped_whole_leaves_nothing_to_read),
        cmocka_unit_test(an_end_ends_the_wait_for_more),
        cmocka_unit_test(a_peer_that_goes_away_cancels_the_owner_wherever_it_waits),
        cmocka_unit_test(a_peer_that_is_gone_already_cancels_a_new_owner),
        cmocka_unit_test(an_end_that_comes_with_awaited_bytes_cancels_the_next_wait),
        cmocka_unit_test(a_write_waits_until_all_was_taken),
        cmocka_unit_test(a_write_to_a_closed_peer_is_closed),
        cmocka_unit_test(an_idle_socket_is_reusable_until_something_happens),
        cmocka_unit_test(no_wait_touches_the_epoll_set),
        cmocka_unit_test(a_connection_is_made_and_a_closed_port_refuses),
        cmocka_unit_test(a_taken_port_is_noticed_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
