#include "io/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "support/loop_fixture.h"

/* --- Jobs that nobody waits for --- */

/* Keeps the service's thread busy until the test opens it. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_open, is_reached;
};

static void gate_init(struct gate *gate)
{
    *gate = (struct gate){.is_open = false};
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

static void gate_pass(void *argument)
{
    struct gate *gate = argument;
    pthread_mutex_lock(&gate->mutex);
    gate->is_reached = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->is_open)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_until_reached(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    while (!gate->is_reached)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->is_open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_fini(struct gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->mutex);
}

static struct service *service_for_test(const char *name)
{
    struct service *service = NULL;
    assert_int_equal(service_create(name, &service), STATUS_OK);
    return service;
}

struct log {
    unsigned count;
    unsigned numbers[SERVICE_JOBS_MAX + 1];
};

struct entry {
    struct log *log;
    unsigned number;
};

static void note(void *argument)
{
    const struct entry *entry = argument;
    entry->log->numbers[entry->log->count++] = entry->number;
}

static void jobs_run_in_their_order_and_all_before_the_end(void **state)
{
    (void)state;
    static struct entry entries[500];
    struct log log = {0};
    struct service *service = service_for_test("weir-test");
    for (unsigned i = 0; i < 500; i++) {
        entries[i] = (struct entry){&log, i};
        assert_int_equal(service_submit(service, note, &entries[i]), STATUS_OK);
    }
    service_destroy(&service);
    assert_null(service);
    assert_int_equal(log.count, 500);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(log.numbers[i], i);
}

static void no_more_jobs_wait_than_may(void **state)
{
    (void)state;
    static struct entry entries[SERVICE_JOBS_MAX];
    struct log log = {0};
    struct gate gate;
    gate_init(&gate);
    struct service *service = service_for_test("weir-test");
    assert_int_equal(service_submit(service, gate_pass, &gate), STATUS_OK);
    gate_until_reached(&gate); /* it runs, and waits no more */
    for (unsigned i = 0; i < SERVICE_JOBS_MAX; i++) {
        entries[i] = (struct entry){&log, i};
        assert_int_equal(service_submit(service, note, &entries[i]), STATUS_OK);
    }
    assert_int_equal(service_submit(service, note, &entries[0]), STATUS_LIMITED);
    gate_open(&gate);
    service_destroy(&service);
    assert_int_equal(log.count, SERVICE_JOBS_MAX);
    gate_fini(&gate);
}

static void read_name(void *argument)
{
    pthread_getname_np(pthread_self(), argument, 16);
}

static void the_thread_bears_its_name(void **state)
{
    (void)state;
    char name[16] = "";
    struct gate gate;
    gate_init(&gate);
    gate_open(&gate);
    struct service *service = service_for_test("weir-fifteen-ch");
    assert_int_equal(service_submit(service, gate_pass, &gate), STATUS_OK);
    gate_until_reached(&gate);
    assert_int_equal(service_submit(service, read_name, name), STATUS_OK);
    service_destroy(&service);
    assert_string_equal(name, "weir-fifteen-ch");
    gate_fini(&gate);
}

/* --- Calls --- */

struct call {
    struct loop *loop;
    struct service *service;
    struct task *task;
    void (*function)(void *);
    void *argument;
    enum status status, next_status;
    bool is_over;
};

static void call_service(void *argument)
{
    struct call *call = argument;
    call->task = task_current(call->loop);
    call->status = service_call(call->service, call->loop, call->function, call->argument);
    call->next_status = task_sleep(call->loop, 1);
    call->is_over = true;
}

static void a_call_returns_when_the_job_is_done(void **state)
{
    (void)state;
    struct loop *loop = loop_fixture_create();
    struct gate gate;
    gate_init(&gate);
    struct call call = {.loop = loop,
                        .service = service_for_test("weir-test"),
                        .function = gate_pass,
                        .argument = &gate};
    loop_fixture_run(loop, call_service, &call);
    gate_until_reached(&gate);
    loop_fixture_settle(loop);
    assert_false(call.is_over);
    gate_open(&gate);
    loop_fixture_until_set(loop, &call.is_over);
    assert_int_equal(call.status, STATUS_OK);
    assert_int_equal(call.next_status, STATUS_OK);
    service_destroy(&call.service);
    loop_fixture_destroy(&loop);
    gate_fini(&gate);
}

/* The argument is in use until then; so the cancellation has to wait, and is not lost. */
static void a_cancelled_call_waits_for_its_job_and_the_next_wait_is_cancelled(void **state)
{
    (void)state;
    struct loop *loop = loop_fixture_create();
    struct gate gate;
    gate_init(&gate);
    struct call call = {.loop = loop,
                        .service = service_for_test("weir-test"),
                        .function = gate_pass,
                        .argument = &gate};
    loop_fixture_run(loop, call_service, &call);
    gate_until_reached(&gate);
    task_cancel(call.task);
    loop_fixture_settle(loop);
    task_cancel(call.task);
    loop_fixture_settle(loop);
    assert_false(call.is_over);
    gate_open(&gate);
    loop_fixture_until_set(loop, &call.is_over);
    assert_int_equal(call.status, STATUS_OK);
    assert_int_equal(call.next_status, STATUS_CANCELLED);
    service_destroy(&call.service);
    loop_fixture_destroy(&loop);
    gate_fini(&gate);
}

static void a_call_beyond_the_bound_is_refused_at_once(void **state)
{
    (void)state;
    static struct entry entry;
    struct loop *loop = loop_fixture_create();
    struct log log = {0};
    struct gate gate;
    gate_init(&gate);
    struct call call = {.loop = loop,
                        .service = service_for_test("weir-test"),
                        .function = note,
                        .argument = &entry};
    entry = (struct entry){&log, 0};
    assert_int_equal(service_submit(call.service, gate_pass, &gate), STATUS_OK);
    gate_until_reached(&gate);
    for (unsigned i = 0; i < SERVICE_JOBS_MAX; i++)
        assert_int_equal(service_submit(call.service, note, &entry), STATUS_OK);
    loop_fixture_run(loop, call_service, &call);
    loop_fixture_until_set(loop, &call.is_over);
    assert_int_equal(call.status, STATUS_LIMITED);
    gate_open(&gate);
    service_destroy(&call.service);
    assert_int_equal(log.count, SERVICE_JOBS_MAX);
    loop_fixture_destroy(&loop);
    gate_fini(&gate);
}

#define CALLERS 20

static void add_one(void *argument)
{
    (*(unsigned *)argument)++;
}

static void tasks_of_one_loop_call_one_service(void **state)
{
    (void)state;
    struct loop *loop = loop_fixture_create();
    struct service *service = service_for_test("weir-test");
    struct call calls[CALLERS];
    unsigned sum = 0; /* touched by the service's thread alone, until all calls are over */
    for (unsigned i = 0; i < CALLERS; i++) {
        calls[i] =
            (struct call){.loop = loop, .service = service, .function = add_one, .argument = &sum};
        loop_fixture_run(loop, call_service, &calls[i]);
    }
    loop_fixture_until_quiet(loop);
    assert_int_equal(sum, CALLERS);
    for (unsigned i = 0; i < CALLERS; i++)
        assert_int_equal(calls[i].status, STATUS_OK);
    service_destroy(&service);
    loop_fixture_destroy(&loop);
}

static void a_service_without_memory_is_not_made(void **state)
{
    (void)state;
    struct service *service = NULL;
    alloc_fail_nth(0);
    assert_int_equal(service_create("weir-test", &service), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(service);
    service_destroy(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_in_their_order_and_all_before_the_end),
        cmocka_unit_test(no_more_jobs_wait_than_may),
        cmocka_unit_test(the_thread_bears_its_name),
        cmocka_unit_test(a_call_returns_when_the_job_is_done),
        cmocka_unit_test(a_cancelled_call_waits_for_its_job_and_the_next_wait_is_cancelled),
        cmocka_unit_test(a_call_beyond_the_bound_is_refused_at_once),
        cmocka_unit_test(tasks_of_one_loop_call_one_service),
        cmocka_unit_test(a_service_without_memory_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
