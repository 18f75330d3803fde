#include "gateway/gateway.h"

#include "unit/gateway/gateway_fixture.h"

#include "base/alloc.h"

static const char plain[] = "listen: 127.0.0.1:%u\nworkers: 1\n";

static enum status follow(struct gateway *gateway, const struct config **config,
                          struct reason *reason)
{
    struct snapshot *snapshot;
    const enum status status = gateway_prepare(gateway, config, &snapshot, reason);
    if (status == STATUS_OK)
        gateway_publish(gateway, &snapshot);
    return status;
}

static enum status reload(struct gateway_fixture *fixture, const char *yaml, uint16_t port,
                          struct reason *reason)
{
    const struct config *config = gateway_fixture_config(yaml, port);
    const enum status status = follow(&fixture->gateway, &config, reason);
    assert_null(config); /* it was taken over in any case */
    loop_fixture_settle(fixture->worker->loop);
    return status;
}

static void as_many_workers_are_made_as_are_wanted(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    gateway_fixture_open(&fixture, "listen: 127.0.0.1:%u\nworkers: 3\n", gateway_fixture_port());
    assert_int_equal(fixture.gateway.worker_count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fixture.gateway.workers[i]->index, i);
    gateway_fixture_close(&fixture);
}

static void a_reload_puts_the_bounds_in_force(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    gateway_fixture_open(&fixture, plain, port);
    assert_int_equal(reload(&fixture,
                            "listen: 127.0.0.1:%u\nworkers: 1\n"
                            "transport: { requests_in_flight: 7, connections: 3 }\n",
                            port, NULL),
                     STATUS_OK);
    assert_int_equal(fixture.gateway.requests_max, 7);
    assert_int_equal(fixture.gateway.connections_max, 3);
    assert_ptr_equal(fixture.worker->calling->snapshot, fixture.gateway.snapshot);
    gateway_fixture_close(&fixture);
}

static void a_reload_onto_a_taken_port_changes_nothing(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    struct reason reason = {""};
    uint16_t taken;
    const int other = peer_listen(&taken);
    gateway_fixture_open(&fixture, plain, gateway_fixture_port());
    struct snapshot *const former = fixture.gateway.snapshot;
    const uint32_t requests_max = fixture.gateway.requests_max;
    assert_int_not_equal(reload(&fixture,
                                "listen: 127.0.0.1:%u\nworkers: 1\n"
                                "transport: { requests_in_flight: 7 }\n",
                                taken, &reason),
                         STATUS_OK);
    assert_true(reason.text[0] != '\0');
    assert_ptr_equal(fixture.gateway.snapshot, former);
    assert_ptr_equal(fixture.worker->calling->snapshot, former);
    assert_int_equal(fixture.gateway.requests_max, requests_max);
    close(other);
    gateway_fixture_close(&fixture);
}

static void a_reload_without_memory_changes_nothing(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    const uint16_t port = gateway_fixture_port();
    gateway_fixture_open(&fixture, plain, port);
    struct snapshot *const former = fixture.gateway.snapshot;
    for (int nth = 0;; nth++) {
        struct reason reason = {""};
        const struct config *config = gateway_fixture_config(plain, port);
        alloc_fail_nth(nth);
        const enum status status = follow(&fixture.gateway, &config, &reason);
        alloc_fail_nth(-1);
        assert_null(config);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_string_equal(reason.text, "out of memory");
        assert_ptr_equal(fixture.gateway.snapshot, former);
        assert_true(nth < 100);
    }
    gateway_fixture_close(&fixture);
}

/* The threads' own loops: messages reach them, and the stop ends them. */
static void running_workers_end_with_the_stop(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    gateway_fixture_open(&fixture, "listen: 127.0.0.1:%u\nworkers: 2\n", gateway_fixture_port());
    assert_int_equal(gateway_run(&fixture.gateway), STATUS_OK);
    gateway_wind_down(&fixture.gateway, WORKER_ORDER_CLOSE_AFTER_ANSWERS);
    gateway_wind_down(&fixture.gateway, WORKER_ORDER_STOP_ACCEPTING);
    assert_int_equal(gateway_connection_count(&fixture.gateway), 0);
    gateway_fixture_close(&fixture);
}

static void a_port_in_use_is_named_at_the_start(void **state)
{
    (void)state;
    struct gateway_fixture fixture;
    struct reason reason = {""};
    char number[16];
    uint16_t taken;
    const int other = peer_listen(&taken);
    gateway_fixture_open(&fixture, plain, gateway_fixture_port());
    struct gateway second = {.version = "1",
                             .identities = fixture.identities,
                             .pepper = fixture.pepper,
                             .metrics = fixture.metrics,
                             .log = fixture.log};
    const struct config *config = gateway_fixture_config(plain, taken);
    assert_int_not_equal(gateway_start(&second, &config, &reason), STATUS_OK);
    (void)snprintf(number, sizeof(number), "%u", taken);
    assert_non_null(strstr(reason.text, number));
    assert_null(second.snapshot);
    assert_null(second.workers);
    close(other);
    gateway_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_workers_are_made_as_are_wanted),
        cmocka_unit_test(a_reload_puts_the_bounds_in_force),
        cmocka_unit_test(a_reload_onto_a_taken_port_changes_nothing),
        cmocka_unit_test(a_reload_without_memory_changes_nothing),
        cmocka_unit_test(running_workers_end_with_the_stop),
        cmocka_unit_test(a_port_in_use_is_named_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
