/* The loop of one thread: descriptors, timers, messages from other threads, and tasks.
 *
 * A task is a coroutine that the loop schedules. It runs until it waits; waits return a status.
 * A turn of the loop: wait for events; let each event's watch note it and wake its task; run the
 * embedded libuv loop if it has something; fire timers; run each task that was ready, once; and of
 * those that yielded one, or as many as a millisecond holds. No task runs while events are noted, so
 * a watch may free itself then, and nothing else.
 *
 * Data sockets stand in one edge-triggered epoll set, entered once for their whole life, so the
 * path of a request makes no epoll_ctl call. The libuv loop's own descriptor is a member of that
 * set ("uv_backend_fd", libuv's guide to embedding); it serves what is rare: messages, signals,
 * c-ares' sockets.
 *
 * Thread: all functions belong to the loop's thread, but for loop_post(). */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/reason.h"
#include "base/status.h"
#include "io/timer.h"

struct loop;
struct task;

/* STATUS_NO_MEMORY, STATUS_IO: no epoll set or libuv loop could be had. */
MUST_CHECK enum status loop_create(struct loop **loop_out, struct reason *reason);
/* All tasks have ended and all watched descriptors are closed. */
void loop_destroy(struct loop **loop);

/* Turns until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* One turn that waits for `wait_ms` at most. For tests. */
void loop_turn(struct loop *loop, int wait_ms);

/* The moment at which this turn began. */
uint64_t loop_now_ms(const struct loop *loop);
uint64_t loop_now_ns(const struct loop *loop);
/* The same moment on the other clock, since 1970, UTC. */
uint64_t loop_realtime_us(const struct loop *loop);
/* `ms` from now; UINT64_MAX stays it. */
uint64_t loop_deadline(const struct loop *loop, uint64_t ms);

struct timer_wheel *loop_timers(struct loop *loop);
/* For descriptors and messages only: libuv's timers are not looked at between its runs. */
uv_loop_t *loop_uv(struct loop *loop);

/* Called with `turn_ns`, how long the turn took, after each; and with `is_sleeping` before and
 * after a wait that may be long. */
struct loop_hooks {
    void (*after_turn)(void *context, uint64_t turn_ns);
    void (*sleep)(void *context, bool is_sleeping);
    void *context;
};
void loop_set_hooks(struct loop *loop, const struct loop_hooks *hooks);

/* --- Descriptors --- */

struct loop_watch {
    /* `events` are epoll's. May close its own descriptor and free itself. */
    void (*on_events)(struct loop_watch *watch, uint32_t events);
};

/* Enters a descriptor, edge-triggered for reading, writing and hang-up. It leaves the set when it
 * is closed. STATUS_IO. */
MUST_CHECK enum status loop_watch_add(struct loop *loop, int fd, struct loop_watch *watch);
/* Enters a listening descriptor, level-triggered for reading; or takes it out. */
MUST_CHECK enum status loop_watch_listener(struct loop *loop, int fd, struct loop_watch *watch);
void loop_watch_remove(struct loop *loop, int fd);
/* epoll_ctl calls so far. */
uint64_t loop_epoll_ctl_count(const struct loop *loop);

/* --- Tasks --- */

/* Makes function(argument) ready to run. STATUS_NO_MEMORY: no stack is left. */
MUST_CHECK enum status task_spawn(struct loop *loop, void (*function)(void *), void *argument);
/* The running task, or NULL outside of one. */
struct task *task_current(struct loop *loop);

/* Suspends the running task until task_wake() (whose status it returns), the deadline
 * (STATUS_TIMED_OUT) or task_cancel() (STATUS_CANCELLED). */
MUST_CHECK enum status task_wait(struct loop *loop, uint64_t deadline_ms);
/* Wakes a waiting task; does nothing to one that was woken already or does not wait. */
void task_wake(struct task *task, enum status status);
/* The wait that the task is in, or its next one, returns STATUS_CANCELLED: once. */
void task_cancel(struct task *task);
/* Forgets a cancellation that no wait has returned yet. */
void task_clear_cancel(struct task *task);
/* Lets others run: those that are ready, and those that yielded before. */
void task_yield(struct loop *loop);
/* Counts `bytes` and one operation towards this task's turn. */
void task_charge(struct loop *loop, size_t bytes);
/* Yields if the task has had TASK_TURN_BYTES or TASK_TURN_OPERATIONS in this turn. A task calls it
 * (as reads and writes do) where it holds nothing in memory that others share. */
#define TASK_TURN_BYTES      (64 * 1024)
#define TASK_TURN_OPERATIONS 16
void task_pace(struct loop *loop);
/* Waits for at least `ms`. STATUS_OK, STATUS_CANCELLED. */
MUST_CHECK enum status task_sleep(struct loop *loop, uint64_t ms);
/* Tasks that have not ended. */
uint32_t loop_task_count(const struct loop *loop);

/* --- Messages --- */

/* Lies in memory that deliver() takes over; called on the loop's thread, outside of any task. */
struct loop_message {
    struct loop_message *next;
    void (*deliver)(struct loop_message *message);
};

/* From any thread. Messages of one sender arrive in order. */
void loop_post(struct loop *loop, struct loop_message *message);

#endif
