#include "upstream/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/time_warp.h"
#include "support/upstream_fixture.h"

/* Gets connections in a task, since that may wait. */
struct getting {
    struct upstream_endpoint *endpoint;
    struct loop *loop;
    bool fresh;
    struct task *task;
    struct upstream_connection *connection;
    enum status status;
    struct reason reason;
    bool is_over;
};

static void get(void *argument)
{
    struct getting *getting = argument;
    getting->task = task_current(getting->loop);
    getting->status = upstream_connection_get(getting->endpoint, getting->fresh,
                                              &getting->connection, &getting->reason);
    getting->is_over = true;
}

static void begin(struct getting *getting, struct upstream_fixture *fixture, bool fresh)
{
    *getting =
        (struct getting){.endpoint = &fixture->endpoint, .loop = fixture->loop, .fresh = fresh};
    loop_fixture_run(fixture->loop, get, getting);
}

static struct upstream_connection *got(struct upstream_fixture *fixture, bool fresh)
{
    struct getting getting;
    begin(&getting, fixture, fresh);
    loop_fixture_until_set(fixture->loop, &getting.is_over);
    assert_int_equal(getting.status, STATUS_OK);
    return getting.connection;
}

/* --- Use and use again --- */

static void a_connection_is_used_again(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    upstream_fixture_open(&fixture);
    struct upstream_connection *connection = got(&fixture, false), *first = connection;
    assert_false(connection->is_reused);
    assert_int_equal(fixture.load.open, 1);
    upstream_connection_put(&connection);
    assert_null(connection);
    assert_int_equal(fixture.idle, 1);
    connection = got(&fixture, false);
    assert_ptr_equal(connection, first);
    assert_true(connection->is_reused);
    assert_int_equal(fixture.idle, 0);
    assert_int_equal(fixture.fresh_uses, 1);
    assert_int_equal(fixture.reuses, 1);
    upstream_connection_drop(&connection);
    assert_null(connection);
    assert_int_equal(fixture.load.open, 0);
    assert_int_equal(fixture.open, 0);
    upstream_fixture_close(&fixture);
}

static void the_latest_used_comes_first(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    upstream_fixture_open(&fixture);
    struct upstream_connection *a = got(&fixture, false), *b = got(&fixture, false);
    struct upstream_connection *const first = a, *const second = b;
    upstream_connection_put(&b);
    upstream_connection_put(&a);
    a = got(&fixture, false);
    b = got(&fixture, false);
    assert_ptr_equal(a, first);
    assert_ptr_equal(b, second);
    upstream_connection_drop(&a);
    upstream_connection_drop(&b);
    upstream_fixture_close(&fixture);
}

static void a_fresh_one_is_new_although_another_is_idle(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    upstream_fixture_open(&fixture);
    struct upstream_connection *connection = got(&fixture, false);
    upstream_connection_put(&connection);
    connection = got(&fixture, true);
    assert_false(connection->is_reused);
    assert_int_equal(fixture.load.open, 2);
    assert_int_equal(fixture.idle, 1);
    upstream_connection_drop(&connection);
    upstream_fixture_close(&fixture);
}

/* --- Idle connections --- */

static void an_idle_connection_is_closed_when_its_time_is_over(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct peer peer;
    upstream_fixture_open(&fixture);
    struct upstream_connection *connection = got(&fixture, false);
    upstream_fixture_accept(&fixture, &peer);
    upstream_connection_put(&connection);
    time_warp_forward(3900);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.idle, 1);
    time_warp_forward(200);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.idle, 0);
    assert_int_equal(fixture.load.open, 0);
    peer_expect_end(&peer);
    peer_close(&peer);
    upstream_fixture_close(&fixture);
}

static void a_connection_in_use_has_no_idle_time(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    upstream_fixture_open(&fixture);
    struct upstream_connection *connection = got(&fixture, false);
    upstream_connection_put(&connection);
    connection = got(&fixture, false);
    time_warp_forward(10000);
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.load.open, 1);
    assert_true(socket_is_open(&connection->socket));
    upstream_connection_put(&connection);
    time_warp_forward(3900); /* counted from its last use */
    loop_fixture_settle(fixture.loop);
    assert_int_equal(fixture.idle, 1);
    upstream_fixture_close(&fixture);
}

/* What the peer does to an idle connection, after which it may not be used again. */
static void send_bytes(struct peer *peer)
{
    peer_send_text(peer, "HTTP/1.1 408 Request Timeout\r\n\r\n");
}

static void an_idle_connection_that_the_peer_touches_is_dropped(void **state)
{
    (void)state;
    static void (*const touches[])(struct peer *) = {peer_close, peer_reset, send_bytes};
    for (size_t i = 0; i < sizeof(touches) / sizeof(touches[0]); i++) {
        struct upstream_fixture fixture;
        struct peer peer;
        upstream_fixture_open(&fixture);
        struct upstream_connection *connection = got(&fixture, false);
        upstream_fixture_accept(&fixture, &peer);
        upstream_connection_put(&connection);
        touches[i](&peer);
        loop_fixture_settle(fixture.loop);
        assert_int_equal(fixture.idle, 0);
        assert_int_equal(fixture.load.open, 0);
        connection = got(&fixture, false);
        assert_false(connection->is_reused);
        upstream_connection_drop(&connection);
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

static void a_connection_that_the_peer_touched_in_use_is_not_kept(void **state)
{
    (void)state;
    static void (*const touches[])(struct peer *) = {peer_close, peer_reset, send_bytes};
    for (size_t i = 0; i < sizeof(touches) / sizeof(touches[0]); i++) {
        struct upstream_fixture fixture;
        struct peer peer;
        upstream_fixture_open(&fixture);
        struct upstream_connection *connection = got(&fixture, false);
        upstream_fixture_accept(&fixture, &peer);
        touches[i](&peer);
        loop_fixture_settle(fixture.loop);
        upstream_connection_put(&connection);
        assert_null(connection);
        assert_int_equal(fixture.idle, 0);
        assert_int_equal(fixture.load.open, 0);
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

/* --- Bounds --- */

static void no_more_connections_than_may_be_are_opened(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct getting getting;
    upstream_fixture_open(&fixture);
    fixture.endpoint.config.connections_max = 2;
    struct upstream_connection *a = got(&fixture, false), *b = got(&fixture, false);
    begin(&getting, &fixture, false);
    assert_true(getting.is_over); /* it does not wait */
    assert_int_equal(getting.status, STATUS_LIMITED);
    assert_non_null(strstr(getting.reason.text, "2 connections to 127.0.0.1 are in use"));
    assert_int_equal(fixture.load.open, 2);
    upstream_connection_put(&a);
    a = got(&fixture, false); /* what is idle may be used */
    upstream_connection_drop(&b);
    b = got(&fixture, false);
    upstream_connection_drop(&a);
    upstream_connection_drop(&b);
    upstream_fixture_close(&fixture);
}

static void the_bound_is_shared_with_other_loops(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct getting getting;
    upstream_fixture_open(&fixture);
    fixture.endpoint.config.connections_max = 5;
    fixture.load.in_use = fixture.load.open = 5; /* another loop's */
    begin(&getting, &fixture, false);
    assert_int_equal(getting.status, STATUS_LIMITED);
    fixture.load.in_use--;
    fixture.load.open--;
    struct upstream_connection *connection = got(&fixture, false);
    upstream_connection_drop(&connection);
    assert_int_equal(fixture.load.in_use, 4);
    assert_int_equal(fixture.load.open, 4);
    fixture.load.in_use = fixture.load.open = 0;
    upstream_fixture_close(&fixture);
}

/* Two endpoints that share a load, as two loops' do. */
static void what_another_loop_keeps_idle_refuses_nobody(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct upstream_endpoint other;
    const struct upstream_endpoint_hooks none = {0};
    upstream_fixture_open(&fixture);
    fixture.endpoint.config.connections_max = 2;
    upstream_endpoint_init(&other, fixture.loop, fixture.dns, &fixture.endpoint.config, &none,
                           &fixture.load);
    struct upstream_connection *a = got(&fixture, false), *b = got(&fixture, false);
    upstream_connection_put(&a);
    upstream_connection_put(&b);
    assert_int_equal(fixture.load.in_use, 0);

    struct getting theirs = {.endpoint = &other, .loop = fixture.loop}, getting;
    loop_fixture_run(fixture.loop, get, &theirs);
    loop_fixture_until_set(fixture.loop, &theirs.is_over);
    assert_int_equal(theirs.status, STATUS_OK);
    assert_int_equal(fixture.load.open, 3);

    a = got(&fixture, false); /* now as many are in use as may be */
    begin(&getting, &fixture, false);
    assert_int_equal(getting.status, STATUS_LIMITED);
    upstream_connection_put(&a); /* too many are open: it is not kept */
    assert_int_equal(fixture.load.open, 2);
    assert_int_equal(fixture.idle, 1);
    upstream_connection_drop(&theirs.connection);
    upstream_endpoint_fini(&other);
    upstream_fixture_close(&fixture);
}

/* --- Retiring --- */

static void a_retired_endpoint_closes_what_is_idle_and_what_comes_back(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    upstream_fixture_open(&fixture);
    struct upstream_connection *used = got(&fixture, false), *idle = got(&fixture, false);
    upstream_connection_put(&idle);
    upstream_endpoint_retire(&fixture.endpoint);
    assert_int_equal(fixture.idle, 0);
    assert_int_equal(fixture.open, 1);
    upstream_connection_put(&used);
    assert_null(used);
    assert_int_equal(fixture.open, 0);
    struct upstream_connection *late = got(&fixture, false); /* for a request in flight */
    upstream_connection_put(&late);
    assert_int_equal(fixture.open, 0);
    upstream_endpoint_retire(&fixture.endpoint);
    upstream_fixture_close(&fixture);
}

/* --- What goes wrong --- */

static void assert_nothing_is_left(const struct upstream_fixture *fixture)
{
    assert_int_equal(fixture->load.open, 0);
    assert_int_equal(fixture->open, 0);
    assert_int_equal(fixture->endpoint.connection_count, 0);
}

static void a_refusal_is_said_and_counts_nothing(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct getting getting;
    upstream_fixture_open(&fixture);
    close(fixture.listening_fd);
    fixture.listening_fd = -1;
    begin(&getting, &fixture, false);
    loop_fixture_until_set(fixture.loop, &getting.is_over);
    assert_int_equal(getting.status, STATUS_CLOSED);
    assert_non_null(strstr(getting.reason.text, "refused"));
    assert_int_equal(fixture.fresh_uses, 0);
    assert_nothing_is_left(&fixture);
    upstream_fixture_close(&fixture);
}

/* A proxy that says nothing keeps the connection from coming about. */
static void open_behind_silent_proxy(struct upstream_fixture *fixture)
{
    upstream_fixture_open(fixture);
    struct upstream_endpoint_config config = fixture->endpoint.config;
    config.proxy.host = SLICE("127.0.0.1");
    config.proxy.port = fixture->port;
    upstream_fixture_reset(fixture, &config);
}

static void a_connection_that_takes_too_long_is_given_up(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct getting getting;
    open_behind_silent_proxy(&fixture);
    begin(&getting, &fixture, false);
    loop_fixture_settle(fixture.loop);
    assert_false(getting.is_over);
    assert_int_equal(fixture.load.open, 1); /* it counts while it is made */
    time_warp_forward(5100);
    loop_fixture_until_set(fixture.loop, &getting.is_over);
    assert_int_equal(getting.status, STATUS_TIMED_OUT);
    assert_nothing_is_left(&fixture);
    upstream_fixture_close(&fixture);
}

static void a_cancelled_connection_is_given_up(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct getting getting;
    open_behind_silent_proxy(&fixture);
    begin(&getting, &fixture, false);
    loop_fixture_settle(fixture.loop);
    task_cancel(getting.task);
    loop_fixture_until_set(fixture.loop, &getting.is_over);
    assert_int_equal(getting.status, STATUS_CANCELLED);
    assert_nothing_is_left(&fixture);
    upstream_fixture_close(&fixture);
}

static void without_memory_or_descriptors_nothing_is_left(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct getting getting;
    struct rlimit former;
    upstream_fixture_open(&fixture);
    alloc_fail_nth(0);
    begin(&getting, &fixture, false);
    alloc_fail_nth(-1);
    assert_true(getting.is_over);
    assert_int_equal(getting.status, STATUS_NO_MEMORY);
    assert_nothing_is_left(&fixture);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &former), 0);
    const struct rlimit none = {3, former.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    begin(&getting, &fixture, false);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &former), 0);
    assert_true(getting.is_over);
    assert_int_equal(getting.status, STATUS_IO);
    assert_nothing_is_left(&fixture);
    upstream_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(the_latest_used_comes_first),
        cmocka_unit_test(a_fresh_one_is_new_although_another_is_idle),
        cmocka_unit_test(an_idle_connection_is_closed_when_its_time_is_over),
        cmocka_unit_test(a_connection_in_use_has_no_idle_time),
        cmocka_unit_test(an_idle_connection_that_the_peer_touches_is_dropped),
        cmocka_unit_test(a_connection_that_the_peer_touched_in_use_is_not_kept),
        cmocka_unit_test(no_more_connections_than_may_be_are_opened),
        cmocka_unit_test(the_bound_is_shared_with_other_loops),
        cmocka_unit_test(what_another_loop_keeps_idle_refuses_nobody),
        cmocka_unit_test(a_retired_endpoint_closes_what_is_idle_and_what_comes_back),
        cmocka_unit_test(a_refusal_is_said_and_counts_nothing),
        cmocka_unit_test(a_connection_that_takes_too_long_is_given_up),
        cmocka_unit_test(a_cancelled_connection_is_given_up),
        cmocka_unit_test(without_memory_or_descriptors_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
