#include "io/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/peer.h"

static struct address loopback(uint16_t port)
{
    struct address address;
    assert_int_equal(address_parse(SLICE("127.0.0.1"), port, &address), STATUS_OK);
    return address;
}

/* --- Accepting --- */

#define ACCEPTED_MAX 128

struct accepted {
    unsigned count;
    int fds[ACCEPTED_MAX];
    bool stops_at_once;
};

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
    struct accepted *accepted = listener->context;
    assert_true(peer->size == 0 || address_is_loopback(peer));
    accepted->fds[accepted->count++] = fd;
    if (accepted->stops_at_once)
        listener_stop(listener);
}

static void close_accepted(struct accepted *accepted)
{
    while (accepted->count > 0)
        close(accepted->fds[--accepted->count]);
}

struct fixture {
    struct loop *loop;
    struct listener listener;
    struct accepted accepted;
    uint16_t port;
};

static void fixture_open(struct fixture *fixture)
{
    const struct address any = loopback(0);
    *fixture = (struct fixture){.loop = loop_fixture_create()};
    assert_int_equal(listener_open_tcp(&fixture->listener, &any, NULL), STATUS_OK);
    fixture->port = peer_port_of(fixture->listener.fd);
    assert_int_equal(
        listener_start(&fixture->listener, fixture->loop, on_accept, &fixture->accepted),
        STATUS_OK);
}

static void fixture_close(struct fixture *fixture)
{
    listener_stop(&fixture->listener);
    close_accepted(&fixture->accepted);
    loop_fixture_destroy(&fixture->loop);
}

static bool has_accepted_one(void *accepted)
{
    return ((struct accepted *)accepted)->count > 0;
}

static void a_connection_is_handed_over_ready_for_the_loop(void **state)
{
    (void)state;
    struct fixture fixture;
    struct peer peer;
    fixture_open(&fixture);
    peer_connect(&peer, fixture.loop, fixture.port);
    loop_fixture_until(fixture.loop, has_accepted_one, &fixture.accepted);
    assert_true(fcntl(fixture.accepted.fds[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fixture.accepted.fds[0], F_GETFD) & FD_CLOEXEC);
    peer_close(&peer);
    fixture_close(&fixture);
}

#define FLOOD 100

/* Others' events have their turn in between. */
static void a_flood_of_connections_is_taken_in_several_turns(void **state)
{
    (void)state;
    struct fixture fixture;
    static struct peer peers[FLOOD];
    fixture_open(&fixture);
    for (unsigned i = 0; i < FLOOD; i++)
        peer_connect(&peers[i], fixture.loop, fixture.port);
    loop_turn(fixture.loop, 10);
    assert_in_range(fixture.accepted.count, 1, FLOOD - 1);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.accepted.count, FLOOD);
    for (unsigned i = 0; i < FLOOD; i++)
        peer_close(&peers[i]);
    fixture_close(&fixture);
}

static void nothing_is_accepted_after_a_stop_from_within(void **state)
{
    (void)state;
    struct fixture fixture;
    struct peer peers[3];
    fixture_open(&fixture);
    for (unsigned i = 0; i < 3; i++)
        peer_connect(&peers[i], fixture.loop, fixture.port);
    fixture.accepted.stops_at_once = true;
    loop_turn(fixture.loop, 10);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.accepted.count, 1);
    for (unsigned i = 0; i < 3; i++)
        peer_close(&peers[i]);
    fixture_close(&fixture);
}

static void a_stop_may_come_before_the_start_and_twice(void **state)
{
    (void)state;
    struct listener listener;
    const struct address any = loopback(0);
    assert_int_equal(listener_open_tcp(&listener, &any, NULL), STATUS_OK);
    listener_stop(&listener);
    assert_int_equal(listener.fd, -1);
    listener_stop(&listener);
}

/* How many descriptors are open: the lowest free number, since the tests leave no holes. */
static rlim_t next_descriptor(void)
{
    const int fd = dup(0);
    assert_true(fd >= 0);
    close(fd);
    return (rlim_t)fd;
}

static void out_of_descriptors_accepting_pauses_and_goes_on(void **state)
{
    (void)state;
    struct fixture fixture;
    struct peer peer;
    struct rlimit former;
    fixture_open(&fixture);
    peer_connect(&peer, fixture.loop, fixture.port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &former), 0);
    const struct rlimit none_left = {next_descriptor(), former.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    loop_turn(fixture.loop, 10);
    const bool paused = !fixture.listener.is_accepting;
    const uint64_t before = loop_epoll_ctl_count(fixture.loop);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &former), 0);
    assert_true(paused);
    assert_int_equal(loop_epoll_ctl_count(fixture.loop), before);
    assert_int_equal(fixture.accepted.count, 0);
    const uint64_t paused_ns = clock_monotonic_ns();
    loop_fixture_until(fixture.loop, has_accepted_one, &fixture.accepted);
    assert_in_range(clock_monotonic_ns() - paused_ns, 1, 2000 * NS_PER_MS);
    peer_close(&peer);
    fixture_close(&fixture);
}

static void a_stop_ends_a_pause(void **state)
{
    (void)state;
    struct fixture fixture;
    struct peer peer;
    struct rlimit former;
    fixture_open(&fixture);
    peer_connect(&peer, fixture.loop, fixture.port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &former), 0);
    const struct rlimit none_left = {next_descriptor(), former.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    loop_turn(fixture.loop, 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &former), 0);
    assert_false(fixture.listener.is_accepting);
    listener_stop(&fixture.listener);
    peer_close(&peer);
    fixture_close(&fixture);
}

/* --- Ports --- */

static void each_worker_listens_on_the_same_port(void **state)
{
    (void)state;
    struct listener first, second;
    const struct address any = loopback(0);
    assert_int_equal(listener_open_tcp(&first, &any, NULL), STATUS_OK);
    const struct address same = loopback(peer_port_of(first.fd));
    assert_int_equal(listener_open_tcp(&second, &same, NULL), STATUS_OK);
    listener_stop(&first);
    listener_stop(&second);
}

static void a_port_of_another_program_is_named(void **state)
{
    (void)state;
    struct listener listener;
    struct reason reason = {""};
    char named[64];
    uint16_t port;
    const int other = peer_listen(&port); /* it does not share */
    const struct address address = loopback(port);
    assert_int_equal(listener_open_tcp(&listener, &address, &reason), STATUS_EXISTS);
    assert_int_equal(listener.fd, -1);
    (void)snprintf(named, sizeof(named), "127.0.0.1:%u is in use", port);
    assert_non_null(strstr(reason.text, named));
    assert_int_equal(listener_check_free(&address, NULL), STATUS_EXISTS);
    close(other);
    assert_int_equal(listener_check_free(&address, &reason), STATUS_OK);
}

static void any_free_port_is_free(void **state)
{
    (void)state;
    const struct address any = loopback(0);
    assert_int_equal(listener_check_free(&any, NULL), STATUS_OK);
}

static void an_address_of_another_machine_is_named(void **state)
{
    (void)state;
    struct listener listener;
    struct reason reason = {""};
    struct address address;
    assert_int_equal(address_parse(SLICE("192.0.2.1"), 8000, &address), STATUS_OK);
    assert_int_equal(listener_open_tcp(&listener, &address, &reason), STATUS_INVALID);
    assert_string_equal(reason.text, "192.0.2.1:8000 is no address of this machine");
    assert_int_equal(address_parse(SLICE("2001:db8::1"), 8000, &address), STATUS_OK);
    if (listener_open_tcp(&listener, &address, &reason) == STATUS_INVALID)
        assert_string_equal(reason.text, "[2001:db8::1]:8000 is no address of this machine");
}

/* --- Unix sockets --- */

static char folder[] = "/tmp/weir-listener-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/admin.sock", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static mode_t mode_of(const char *file)
{
    struct stat stats;
    assert_int_equal(lstat(file, &stats), 0);
    return stats.st_mode;
}

static void a_socket_file_has_its_mode_whatever_the_umask(void **state)
{
    (void)state;
    struct listener listener;
    const mode_t former = umask(0);
    assert_int_equal(listener_open_unix(&listener, path, 0600, NULL), STATUS_OK);
    assert_int_equal(umask(former), 0);
    assert_true(S_ISSOCK(mode_of(path)));
    assert_int_equal(mode_of(path) & 0777, 0600);
    listener_stop(&listener);
}

static void connect_unix(struct peer *peer, struct loop *loop)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    peer_open(peer, loop, fd);
}

static void connections_come_over_a_socket_file(void **state)
{
    (void)state;
    struct loop *loop = loop_fixture_create();
    struct listener listener;
    struct accepted accepted = {0};
    struct peer peer;
    assert_int_equal(listener_open_unix(&listener, path, 0600, NULL), STATUS_OK);
    assert_int_equal(listener_start(&listener, loop, on_accept, &accepted), STATUS_OK);
    connect_unix(&peer, loop);
    loop_fixture_until(loop, has_accepted_one, &accepted);
    peer_close(&peer);
    close_accepted(&accepted);
    listener_stop(&listener);
    loop_fixture_destroy(&loop);
}

static void the_file_of_a_killed_process_is_replaced(void **state)
{
    (void)state;
    struct listener listener;
    assert_int_equal(listener_open_unix(&listener, path, 0600, NULL), STATUS_OK);
    listener_stop(&listener); /* which leaves the file, as a kill does */
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(listener_open_unix(&listener, path, 0600, NULL), STATUS_OK);
    listener_stop(&listener);
}

static void a_socket_file_in_use_is_left_to_its_owner(void **state)
{
    (void)state;
    struct loop *loop = loop_fixture_create();
    struct listener owner, other;
    struct peer peer;
    struct reason reason = {""};
    assert_int_equal(listener_open_unix(&owner, path, 0600, NULL), STATUS_OK);
    assert_int_equal(listener_open_unix(&other, path, 0600, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, path));
    connect_unix(&peer, loop);
    peer_close(&peer);
    listener_stop(&owner);
    loop_fixture_destroy(&loop);
}

static void a_path_that_no_socket_can_have_is_named(void **state)
{
    (void)state;
    struct listener listener;
    struct reason reason = {""};
    char longest[200];
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(listener_open_unix(&listener, longest, 0600, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "data_dir"));
    assert_int_equal(listener.fd, -1);
    assert_int_equal(listener_open_unix(&listener, "/nowhere/x.sock", 0600, &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, "/nowhere/x.sock"));
    listener_stop(&listener);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_handed_over_ready_for_the_loop),
        cmocka_unit_test(a_flood_of_connections_is_taken_in_several_turns),
        cmocka_unit_test(nothing_is_accepted_after_a_stop_from_within),
        cmocka_unit_test(a_stop_may_come_before_the_start_and_twice),
        cmocka_unit_test(out_of_descriptors_accepting_pauses_and_goes_on),
        cmocka_unit_test(a_stop_ends_a_pause),
        cmocka_unit_test(each_worker_listens_on_the_same_port),
        cmocka_unit_test(a_port_of_another_program_is_named),
        cmocka_unit_test(any_free_port_is_free),
        cmocka_unit_test(an_address_of_another_machine_is_named),
        WITH_FOLDER(a_socket_file_has_its_mode_whatever_the_umask),
        WITH_FOLDER(connections_come_over_a_socket_file),
        WITH_FOLDER(the_file_of_a_killed_process_is_replaced),
        WITH_FOLDER(a_socket_file_in_use_is_left_to_its_owner),
        WITH_FOLDER(a_path_that_no_socket_can_have_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
