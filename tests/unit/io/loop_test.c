#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/clock.h"
#include "io/coroutine.h"
#include "io/service.h"

static struct loop *loop_for_test(void)
{
    struct loop *loop = NULL;
    assert_int_equal(loop_create(&loop, NULL), STATUS_OK);
    return loop;
}

static void turn_until_quiet(struct loop *loop)
{
    for (int i = 0; i < 1000 && loop_task_count(loop) > 0; i++)
        loop_turn(loop, 20);
    assert_int_equal(loop_task_count(loop), 0);
}

/* --- Tasks --- */

struct trace {
    struct loop *loop;
    struct task *task;
    unsigned steps;
    enum status status;
    char order[16];
    unsigned length;
    char name;
    struct trace *shared;
};

static void take_three_turns(void *argument)
{
    struct trace *trace = argument;
    for (int i = 0; i < 3; i++) {
        trace->shared->order[trace->shared->length++] = trace->name;
        task_yield(trace->loop);
    }
}

static void tasks_take_turns(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct trace shared = {0};
    struct trace a = {.loop = loop, .name = 'a', .shared = &shared};
    struct trace b = {.loop = loop, .name = 'b', .shared = &shared};
    assert_int_equal(task_spawn(loop, take_three_turns, &a), STATUS_OK);
    assert_int_equal(task_spawn(loop, take_three_turns, &b), STATUS_OK);
    turn_until_quiet(loop);
    assert_string_equal(shared.order, "ababab");
    loop_destroy(&loop);
}

static void wait_once(void *argument)
{
    struct trace *trace = argument;
    trace->task = task_current(trace->loop);
    trace->status = task_wait(trace->loop, loop_deadline(trace->loop, 10000));
    trace->steps++;
}

static void a_woken_task_gets_the_status_and_only_the_first(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct trace trace = {.loop = loop};
    assert_int_equal(task_spawn(loop, wait_once, &trace), STATUS_OK);
    loop_turn(loop, 0);
    task_wake(trace.task, STATUS_CLOSED);
    task_wake(trace.task, STATUS_OK);
    turn_until_quiet(loop);
    assert_int_equal(trace.status, STATUS_CLOSED);
    assert_int_equal(trace.steps, 1);
    loop_destroy(&loop);
}

static void wait_shortly(void *argument)
{
    struct trace *trace = argument;
    trace->status = task_wait(trace->loop, loop_deadline(trace->loop, 10));
}

static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct trace trace = {.loop = loop};
    assert_int_equal(task_spawn(loop, wait_shortly, &trace), STATUS_OK);
    turn_until_quiet(loop);
    assert_int_equal(trace.status, STATUS_TIMED_OUT);
    loop_destroy(&loop);
}

static void wait_twice(void *argument)
{
    struct trace *trace = argument;
    trace->task = task_current(trace->loop);
    task_cancel(trace->task);
    assert_int_equal(task_wait(trace->loop, TIMER_NEVER), STATUS_CANCELLED);
    trace->status = task_wait(trace->loop, loop_deadline(trace->loop, 10));
}

static void a_cancellation_is_returned_once(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct trace trace = {.loop = loop};
    assert_int_equal(task_spawn(loop, wait_twice, &trace), STATUS_OK);
    turn_until_quiet(loop);
    assert_int_equal(trace.status, STATUS_TIMED_OUT);
    loop_destroy(&loop);
}

static void use_much(void *argument)
{
    struct trace *trace = argument;
    task_charge(trace->loop, TASK_TURN_BYTES);
    trace->shared->order[trace->shared->length++] = trace->name;
    task_pace(trace->loop);
    trace->shared->order[trace->shared->length++] = trace->name;
    task_pace(trace->loop); /* a new turn has a new share */
    trace->shared->order[trace->shared->length++] = trace->name;
}

static void a_task_that_used_its_share_lets_others_run(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct trace shared = {0};
    struct trace a = {.loop = loop, .name = 'a', .shared = &shared};
    struct trace b = {.loop = loop, .name = 'b', .shared = &shared};
    assert_int_equal(task_spawn(loop, use_much, &a), STATUS_OK);
    assert_int_equal(task_spawn(loop, use_much, &b), STATUS_OK);
    turn_until_quiet(loop);
    assert_string_equal(shared.order, "abaabb");
    loop_destroy(&loop);
}

/* More than a turn has for those that yielded. */
static void work_long_three_times(void *argument)
{
    struct trace *trace = argument;
    for (int i = 0; i < 3; i++) {
        const uint64_t end_ns = clock_monotonic_ns() + 3 * NS_PER_MS / 2;
        while (clock_monotonic_ns() < end_ns)
            ;
        trace->steps++;
        task_yield(trace->loop);
    }
}

static void a_turn_has_one_share_for_all_that_have_much_to_do(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct trace traces[3] = {{.loop = loop}, {.loop = loop}, {.loop = loop}};
    struct trace small[6];
    for (int i = 0; i < 3; i++)
        assert_int_equal(task_spawn(loop, work_long_three_times, &traces[i]), STATUS_OK);
    loop_turn(loop, 0); /* nobody knows yet what they are like */
    for (int i = 0; i < 6; i++) {
        small[i] = (struct trace){.loop = loop};
        assert_int_equal(traces[0].steps + traces[1].steps + traces[2].steps, 3 + i);
        assert_int_equal(traces[i % 3].steps, 1 + i / 3);
        assert_int_equal(task_spawn(loop, wait_once, &small[i]), STATUS_OK);
        loop_turn(loop, 1000);
        assert_non_null(small[i].task);
        task_wake(small[i].task, STATUS_OK);
    }
    turn_until_quiet(loop);
    loop_destroy(&loop);
}

static void stacks_are_used_again(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    const uint32_t before = coroutine_count();
    struct trace trace = {.loop = loop};
    for (int i = 0; i < 100; i++) {
        assert_int_equal(task_spawn(loop, wait_shortly, &trace), STATUS_OK);
        struct trace other = {.loop = loop};
        assert_int_equal(task_spawn(loop, wait_once, &other), STATUS_OK);
        loop_turn(loop, 0);
        task_wake(other.task, STATUS_OK);
        turn_until_quiet(loop);
        assert_int_equal(other.status, STATUS_OK);
    }
    assert_in_range(coroutine_count() - before, 1, 2);
    loop_destroy(&loop);
    assert_int_equal(coroutine_count(), before);
}

/* --- Messages --- */

struct counted {
    struct loop_message message;
    unsigned number;
    struct counted_log *log;
};

struct counted_log {
    unsigned next;
    unsigned out_of_order;
};

#define MESSAGE_COUNT 1000
static struct counted messages[MESSAGE_COUNT];

static void note(struct loop_message *message)
{
    struct counted *counted = LIST_ENTRY(message, struct counted, message);
    counted->log->out_of_order += counted->number != counted->log->next;
    counted->log->next++;
}

static void *post_all(void *argument)
{
    for (unsigned i = 0; i < MESSAGE_COUNT; i++)
        loop_post(argument, &messages[i].message);
    return NULL;
}

static void messages_of_another_thread_arrive_in_order(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct counted_log log = {0};
    for (unsigned i = 0; i < MESSAGE_COUNT; i++)
        messages[i] = (struct counted){.message = {.deliver = note}, .number = i, .log = &log};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post_all, loop), 0);
    for (int i = 0; i < 10000 && log.next < MESSAGE_COUNT; i++)
        loop_turn(loop, 10);
    pthread_join(thread, NULL);
    assert_int_equal(log.next, MESSAGE_COUNT);
    assert_int_equal(log.out_of_order, 0);
    loop_destroy(&loop);
}

/* --- Services --- */

struct sum {
    struct loop *loop;
    struct service *service;
    int value;
};

static void add_one(void *argument)
{
    ((struct sum *)argument)->value++;
}

static void call_service(void *argument)
{
    struct sum *sum = argument;
    for (int i = 0; i < 10; i++)
        assert_int_equal(service_call(sum->service, sum->loop, add_one, sum), STATUS_OK);
}

static void a_task_waits_for_a_service(void **state)
{
    (void)state;
    struct loop *loop = loop_for_test();
    struct sum sum = {.loop = loop};
    assert_int_equal(service_create("test", &sum.service), STATUS_OK);
    assert_int_equal(task_spawn(loop, call_service, &sum), STATUS_OK);
    turn_until_quiet(loop);
    assert_int_equal(sum.value, 10);
    service_destroy(&sum.service);
    loop_destroy(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_take_turns),
        cmocka_unit_test(a_woken_task_gets_the_status_and_only_the_first),
        cmocka_unit_test(a_wait_ends_at_its_deadline),
        cmocka_unit_test(a_cancellation_is_returned_once),
        cmocka_unit_test(a_task_that_used_its_share_lets_others_run),
        cmocka_unit_test(a_turn_has_one_share_for_all_that_have_much_to_do),
        cmocka_unit_test(stacks_are_used_again),
        cmocka_unit_test(messages_of_another_thread_arrive_in_order),
        cmocka_unit_test(a_task_waits_for_a_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
