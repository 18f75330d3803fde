#include "io/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "io/coroutine.h"

#define EVENTS_PER_TURN 256
#define TIMERS_PER_TURN 2000
#define YIELDED_NS_MAX  NS_PER_MS /* of a turn, for tasks that yielded */
#define WAIT_MS_MAX     60000

/* Lies in coroutine_user(), so it outlives the task and serves the stack's next one; its timer
 * may stay filed meanwhile. */
struct task {
    struct timer timer;
    struct list_node ready; /* linked while ready to run, or yielded */
    struct loop *loop;
    struct coroutine *coroutine;
    enum status wake_status;
    bool is_waiting;
    bool is_cancelled; /* the next wait returns so */
    unsigned turn_operations;
    size_t turn_bytes; /* of the turn that the task is in */
    void (*function)(void *);
    void *argument;
};

struct loop {
    int epoll_fd;
    bool is_stopped;
    bool uv_is_open;
    uint64_t now_ns;
    uint64_t realtime_us;
    uint64_t epoll_ctl_count;
    struct timer_wheel *timers;
    struct coroutine_pool *pool;
    struct list_node ready;
    struct list_node yielded; /* tasks that have had their share of a turn */
    uint32_t ready_count, yielded_count;
    uint32_t task_count;
    struct task *current;
    struct loop_hooks hooks;
    uv_loop_t uv;
    uv_async_t wake_up;
    _Atomic(struct loop_message *) posted;      /* the newest first */
    struct epoll_event events[EVENTS_PER_TURN]; /* of this turn */
};

_Static_assert(sizeof(struct task) <= COROUTINE_USER_BYTES, "a task lies in the user memory");

/* --- Messages ------------------------------------------------------------------------------- */

static struct loop_message *reversed(struct loop_message *newest)
{
    struct loop_message *oldest = NULL;
    while (newest != NULL) {
        struct loop_message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void deliver_messages(uv_async_t *wake_up)
{
    struct loop *loop = wake_up->data;
    struct loop_message *message =
        reversed(atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire));
    while (message != NULL) {
        struct loop_message *next = message->next; /* deliver() may free the message */
        message->deliver(message);
        message = next;
    }
}

void loop_post(struct loop *loop, struct loop_message *message)
{
    message->next = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&loop->posted, &message->next, message,
                                                  memory_order_release, memory_order_relaxed))
        ;
    uv_async_send(&loop->wake_up);
}

static void read_clocks(struct loop *loop)
{
    loop->now_ns = clock_monotonic_ns();
    loop->realtime_us = clock_realtime_us();
}

/* --- Birth and death ------------------------------------------------------------------------ */

static void task_unmap(void *user)
{
    struct task *task = user;
    if (task->loop != NULL)
        timer_remove(&task->timer);
}

static enum status open_uv(struct loop *loop, struct reason *reason)
{
    int error = uv_loop_init(&loop->uv);
    if (error != 0) {
        reason_set(reason, "cannot make an event loop: %s", uv_strerror(error));
        return STATUS_IO;
    }
    loop->uv_is_open = true;
    error = uv_async_init(&loop->uv, &loop->wake_up, deliver_messages);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (error == 0 && epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, uv_backend_fd(&loop->uv), &event))
        error = -errno;
    if (error != 0) {
        reason_set(reason, "cannot make an event loop: %s", uv_strerror(error));
        return STATUS_IO;
    }
    loop->wake_up.data = loop;
    return STATUS_OK;
}

enum status loop_create(struct loop **loop_out, struct reason *reason)
{
    struct loop *loop = alloc_zeroed(1, sizeof(*loop));
    if (loop == NULL)
        return STATUS_NO_MEMORY;
    list_init(&loop->ready);
    list_init(&loop->yielded);
    read_clocks(loop);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    enum status status = STATUS_IO;
    if (loop->epoll_fd < 0) {
        reason_set(reason, "cannot make an epoll set: %s", strerror(errno));
        goto fail;
    }
    status = open_uv(loop, reason);
    if (status != STATUS_OK)
        goto fail;
    status = timer_wheel_create(loop_now_ms(loop), &loop->timers);
    if (status == STATUS_OK)
        status = coroutine_pool_create(&loop->pool);
    if (status != STATUS_OK)
        goto fail;
    coroutine_pool_on_unmap(loop->pool, task_unmap);
    *loop_out = loop;
    return STATUS_OK;

fail:
    loop_destroy(&loop);
    return status;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_destroy(struct loop **loop)
{
    if (*loop == NULL)
        return;
    ASSERT((*loop)->task_count == 0);
    coroutine_pool_destroy(&(*loop)->pool);
    timer_wheel_destroy(&(*loop)->timers);
    if ((*loop)->uv_is_open) {
        uv_walk(&(*loop)->uv, close_handle, NULL);
        uv_run(&(*loop)->uv, UV_RUN_DEFAULT);
        const int error = uv_loop_close(&(*loop)->uv);
        ASSERT(error == 0);
    }
    if ((*loop)->epoll_fd >= 0)
        close((*loop)->epoll_fd);
    alloc_free(*loop);
    *loop = NULL;
}

/* --- Time ----------------------------------------------------------------------------------- */

uint64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ns / NS_PER_MS;
}

uint64_t loop_now_ns(const struct loop *loop)
{
    return loop->now_ns;
}

uint64_t loop_realtime_us(const struct loop *loop)
{
    return loop->realtime_us;
}

uint64_t loop_deadline(const struct loop *loop, uint64_t ms)
{
    const uint64_t now_ms = loop_now_ms(loop);
    return ms > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + ms;
}

struct timer_wheel *loop_timers(struct loop *loop)
{
    return loop->timers;
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

void loop_set_hooks(struct loop *loop, const struct loop_hooks *hooks)
{
    loop->hooks = *hooks;
}

/* --- Descriptors ---------------------------------------------------------------------------- */

static enum status watch(struct loop *loop, int fd, struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    loop->epoll_ctl_count++;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? STATUS_OK : STATUS_IO;
}

enum status loop_watch_add(struct loop *loop, int fd, struct loop_watch *data)
{
    return watch(loop, fd, data, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

enum status loop_watch_listener(struct loop *loop, int fd, struct loop_watch *listener)
{
    return watch(loop, fd, listener, EPOLLIN);
}

void loop_watch_remove(struct loop *loop, int fd)
{
    loop->epoll_ctl_count++;
    const int failed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    ASSERT(!failed);
}

uint64_t loop_epoll_ctl_count(const struct loop *loop)
{
    return loop->epoll_ctl_count;
}

/* --- Tasks ---------------------------------------------------------------------------------- */

static void make_ready(struct task *task)
{
    list_push_back(&task->loop->ready, &task->ready);
    task->loop->ready_count++;
}

static void end_wait(struct task *task, enum status status)
{
    task->is_waiting = false;
    task->wake_status = status;
    timer_disarm(&task->timer);
    make_ready(task);
}

static void on_deadline(struct timer *timer)
{
    struct task *task = LIST_ENTRY(timer, struct task, timer);
    if (task->is_waiting)
        end_wait(task, STATUS_TIMED_OUT);
}

static void task_main(void *argument)
{
    struct task *task = argument;
    task->function(task->argument);
    timer_disarm(&task->timer);
    task->loop->task_count--;
}

enum status task_spawn(struct loop *loop, void (*function)(void *), void *argument)
{
    struct coroutine *coroutine;
    const enum status status = coroutine_create(loop->pool, task_main, NULL, &coroutine);
    if (status != STATUS_OK)
        return status;
    struct task *task = coroutine_user(coroutine);
    if (task->loop == NULL) { /* the stack's first use */
        timer_init(&task->timer, on_deadline);
        list_init(&task->ready);
        task->loop = loop;
        task->coroutine = coroutine;
    }
    coroutine_set_argument(coroutine, task);
    task->function = function;
    task->argument = argument;
    task->is_waiting = task->is_cancelled = false;
    loop->task_count++;
    make_ready(task);
    return STATUS_OK;
}

struct task *task_current(struct loop *loop)
{
    return loop->current;
}

enum status task_wait(struct loop *loop, uint64_t deadline_ms)
{
    struct task *task = loop->current;
    ASSERT(task != NULL);
    if (task->is_cancelled) {
        task->is_cancelled = false;
        return STATUS_CANCELLED;
    }
    if (deadline_ms <= loop_now_ms(loop))
        return STATUS_TIMED_OUT;
    task->is_waiting = true;
    timer_arm(loop->timers, &task->timer, deadline_ms);
    coroutine_suspend(task->coroutine);
    return task->wake_status;
}

void task_wake(struct task *task, enum status status)
{
    if (task->is_waiting)
        end_wait(task, status);
}

void task_cancel(struct task *task)
{
    if (task->is_waiting)
        end_wait(task, STATUS_CANCELLED);
    else
        task->is_cancelled = true;
}

void task_clear_cancel(struct task *task)
{
    task->is_cancelled = false;
}

void task_yield(struct loop *loop)
{
    ASSERT(loop->current != NULL);
    list_push_back(&loop->yielded, &loop->current->ready);
    loop->yielded_count++;
    coroutine_suspend(loop->current->coroutine);
}

void task_charge(struct loop *loop, size_t bytes)
{
    if (loop->current == NULL)
        return;
    loop->current->turn_bytes += bytes;
    loop->current->turn_operations++;
}

void task_pace(struct loop *loop)
{
    const struct task *task = loop->current;
    if (task->turn_bytes >= TASK_TURN_BYTES || task->turn_operations >= TASK_TURN_OPERATIONS)
        task_yield(loop);
}

enum status task_sleep(struct loop *loop, uint64_t ms)
{
    const enum status status = task_wait(loop, loop_deadline(loop, ms));
    return status == STATUS_TIMED_OUT ? STATUS_OK : status;
}

uint32_t loop_task_count(const struct loop *loop)
{
    return loop->task_count;
}

/* --- Turns ---------------------------------------------------------------------------------- */

static void run_first(struct loop *loop, struct list_node *tasks)
{
    struct task *task = LIST_ENTRY(tasks->next, struct task, ready);
    list_remove(&task->ready);
    loop->current = task;
    task->turn_operations = 0;
    task->turn_bytes = 0;
    coroutine_resume(task->coroutine);
    loop->current = NULL;
}

/* Each task that is ready now runs once; what becomes ready meanwhile runs in the next turn, after
 * new events were noted. Of those that yielded one runs, and others while there is time: however
 * many have much to do, those that have little wait for a millisecond and one share at most. */
static void run_tasks(struct loop *loop)
{
    const uint32_t yielded_count = loop->yielded_count;
    for (uint32_t left = loop->ready_count; left > 0; left--) {
        loop->ready_count--;
        run_first(loop, &loop->ready);
    }
    const uint64_t end_ns = yielded_count > 0 ? clock_monotonic_ns() + YIELDED_NS_MAX : 0;
    for (uint32_t left = yielded_count; left > 0; left--) {
        loop->yielded_count--;
        run_first(loop, &loop->yielded);
        if (clock_monotonic_ns() >= end_ns)
            return;
    }
}

static int wait_time(struct loop *loop, int wait_ms)
{
    if (loop->ready_count + loop->yielded_count > 0)
        return 0;
    const int uv_ms = uv_backend_timeout(&loop->uv);
    if (uv_ms >= 0 && uv_ms < wait_ms)
        wait_ms = uv_ms;
    const uint64_t timer_ms = timer_wheel_wait_ms(loop->timers, loop_now_ms(loop));
    return timer_ms < (uint64_t)wait_ms ? (int)timer_ms : wait_ms;
}

static int wait_for_events(struct loop *loop, int wait_ms)
{
    const bool may_sleep = wait_ms > 0 && loop->hooks.sleep != NULL;
    if (may_sleep)
        loop->hooks.sleep(loop->hooks.context, true);
    const int count = epoll_wait(loop->epoll_fd, loop->events, EVENTS_PER_TURN, wait_ms);
    if (may_sleep)
        loop->hooks.sleep(loop->hooks.context, false);
    ASSERT(count >= 0 || errno == EINTR);
    return count;
}

void loop_turn(struct loop *loop, int wait_ms)
{
    const int count = wait_for_events(loop, wait_time(loop, wait_ms));
    read_clocks(loop);
    bool uv_has_something = uv_backend_timeout(&loop->uv) == 0;
    for (int i = 0; i < count; i++) {
        struct loop_watch *watched = loop->events[i].data.ptr;
        if (watched == NULL)
            uv_has_something = true;
        else
            watched->on_events(watched, loop->events[i].events);
    }
    if (uv_has_something)
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    timer_wheel_advance(loop->timers, loop_now_ms(loop), TIMERS_PER_TURN);
    run_tasks(loop);
    if (loop->hooks.after_turn != NULL)
        loop->hooks.after_turn(loop->hooks.context, clock_monotonic_ns() - loop->now_ns);
}

void loop_run(struct loop *loop)
{
    loop->is_stopped = false;
    while (!loop->is_stopped)
        loop_turn(loop, WAIT_MS_MAX);
}

void loop_stop(struct loop *loop)
{
    loop->is_stopped = true;
}
