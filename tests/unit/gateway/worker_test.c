#include "gateway/worker.h"

#include "unit/gateway/gateway_fixture.h"

#include "base/alloc.h"

#define PROVIDERS                                                                                  \
    "workers: 1\n"                                                                                 \
    "providers: { one: { base_url: 'http://127.0.0.1:9/v1', api_key: k } }\n"                      \
    "models: [{ name: '*', targets: [one] }]\n"

static const char one_listener[] = "listen: 127.0.0.1:%u\n" PROVIDERS;
static const char on_all_loopbacks[] =
    "listen: [{ address: '127.0.0.1:%u' }, { address: '127.0.0.2:%u' }]\n" PROVIDERS;

static void turn(struct gateway_fixture *fixture)
{
    for (int i = 0; i < 3; i++)
        loop_turn(fixture->worker->loop, 0);
}

static bool is_answered(const char *host, uint16_t port)
{
    struct address address;
    assert_int_equal(address_parse(slice_from_text(host), port, &address), STATUS_OK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_open = connect(fd, &address.socket.any, address.size) == 0;
    close(fd);
    return is_open;
}

/* --- Following a snapshot --- */

static void a_worker_follows_to_another_snapshot_and_its_listeners(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    gateway_fixture_open(&fixture, one_listener, port);
    struct snapshot *next = gateway_fixture_snapshot(&fixture, on_all_loopbacks, port);
    assert_false(is_answered("127.0.0.2", port));
    worker_update(fixture.worker, next);
    turn(&fixture);
    assert_ptr_equal(fixture.worker->calling->snapshot, next);
    assert_true(is_answered("127.0.0.1", port));
    assert_true(is_answered("127.0.0.2", port));
    worker_update(fixture.worker, fixture.gateway.snapshot);
    turn(&fixture);
    assert_false(is_answered("127.0.0.2", port));
    snapshot_unref(&next);
    gateway_fixture_close(&fixture);
}

static void of_several_snapshots_the_latest_is_followed(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    gateway_fixture_open(&fixture, one_listener, port);
    struct snapshot *snapshots[3];
    for (size_t i = 0; i < 3; i++) {
        snapshots[i] = gateway_fixture_snapshot(&fixture, one_listener, port);
        worker_update(fixture.worker, snapshots[i]);
    }
    turn(&fixture);
    assert_ptr_equal(fixture.worker->calling->snapshot, snapshots[2]);
    assert_int_equal(snapshots[0]->references, 1);
    assert_int_equal(snapshots[1]->references, 1);
    worker_update(fixture.worker, snapshots[0]); /* one that it does not come to */
    for (size_t i = 0; i < 3; i++)
        snapshot_unref(&snapshots[i]);
    gateway_fixture_close(&fixture);
}

static void a_reload_that_finds_no_memory_is_said_and_changes_nothing(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    gateway_fixture_open(&fixture, one_listener, port);
    struct snapshot *const former = fixture.worker->calling->snapshot;
    struct snapshot *next = gateway_fixture_snapshot(&fixture, on_all_loopbacks, port);
    unsigned failures = 0;
    for (int nth = 0; fixture.worker->calling->snapshot == former; nth++) {
        assert_true(nth < 20);
        assert_false(is_answered("127.0.0.2", port));
        alloc_fail_nth(nth);
        worker_update(fixture.worker, next);
        turn(&fixture);
        alloc_fail_nth(-1);
        failures += fixture.worker->calling->snapshot == former;
    }
    assert_true(failures >= 3);
    assert_ptr_equal(fixture.worker->calling->snapshot, next);
    assert_true(is_answered("127.0.0.2", port));
    snapshot_unref(&next);
    gateway_fixture_close(&fixture);
    const struct slice said = SLICE("worker 0 stays with the former configuration: out of memory");
    struct slice rest = slice_from_text(fixture.log_text);
    for (unsigned i = 0; i < failures; i++) {
        const size_t at = slice_find(rest, said);
        assert_true(at < rest.size);
        rest = slice_from(rest, at + said.size);
    }
}

static void a_listener_that_does_not_open_leaves_the_others_as_they_were(void **state)
{
    (void)state;
    static const char with_a_taken_one[] =
        "listen: [{ address: '127.0.0.2:%u' }, { address: '127.0.0.1:%u' }]\n" PROVIDERS;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    uint16_t taken;
    const int other = peer_listen(&taken);
    gateway_fixture_open(&fixture, one_listener, port);
    struct snapshot *const former = fixture.worker->calling->snapshot;
    struct snapshot *next = gateway_fixture_snapshot(&fixture, with_a_taken_one, taken);
    worker_update(fixture.worker, next);
    turn(&fixture);
    assert_ptr_equal(fixture.worker->calling->snapshot, former);
    assert_true(is_answered("127.0.0.1", port));
    assert_false(is_answered("127.0.0.2", taken));
    snapshot_unref(&next);
    close(other);
    gateway_fixture_close(&fixture);
    assert_non_null(strstr(fixture.log_text, "stays with the former configuration"));
}

/* --- The stop --- */

static void the_steps_of_a_stop_take_no_memory(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    gateway_fixture_open(&fixture, one_listener, port);
    alloc_fail_nth(0);
    worker_give_order(fixture.worker, WORKER_ORDER_CLOSE_AFTER_ANSWERS);
    turn(&fixture);
    assert_true(is_answered("127.0.0.1", port));
    turn(&fixture);
    worker_give_order(fixture.worker, WORKER_ORDER_STOP_ACCEPTING);
    turn(&fixture);
    assert_false(is_answered("127.0.0.1", port));
    worker_give_order(fixture.worker, WORKER_ORDER_CUT_OFF);
    worker_give_order(fixture.worker, WORKER_ORDER_CUT_OFF);
    worker_give_order(fixture.worker, WORKER_ORDER_STOP);
    loop_run(fixture.worker->loop); /* it returns */
    alloc_fail_nth(-1);
    gateway_fixture_close(&fixture);
}

/* --- Lists of models --- */

static void a_list_is_taken_for_the_snapshot_in_force_alone(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    gateway_fixture_open(&fixture, one_listener, port);
    struct snapshot *other = gateway_fixture_snapshot(&fixture, one_listener, port);
    struct models_list *list = models_list_create(&SLICE("m"), 1);
    struct worker *worker = fixture.worker;
    assert_int_equal(worker_update_list(worker, other, 0, list), STATUS_OK);
    assert_int_equal(worker_update_list(worker, fixture.gateway.snapshot, 99, list), STATUS_OK);
    turn(&fixture);
    assert_null(worker->lists[0]);
    assert_int_equal(list->references, 1);
    assert_int_equal(other->references, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(worker_update_list(worker, fixture.gateway.snapshot, 0, list), STATUS_OK);
        turn(&fixture);
        assert_ptr_equal(worker->lists[0], list);
        assert_int_equal(list->references, 2);
    }
    alloc_fail_nth(0);
    assert_int_equal(worker_update_list(worker, fixture.gateway.snapshot, 0, list),
                     STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_int_equal(list->references, 2);
    models_list_unref(&list);
    snapshot_unref(&other);
    gateway_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_follows_to_another_snapshot_and_its_listeners),
        cmocka_unit_test(of_several_snapshots_the_latest_is_followed),
        cmocka_unit_test(a_reload_that_finds_no_memory_is_said_and_changes_nothing),
        cmocka_unit_test(a_listener_that_does_not_open_leaves_the_others_as_they_were),
        cmocka_unit_test(the_steps_of_a_stop_take_no_memory),
        cmocka_unit_test(a_list_is_taken_for_the_snapshot_in_force_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
