#include "io/service.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/assert.h"

struct job {
    void (*function)(void *argument);
    void *argument;
};

struct service {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job jobs[SERVICE_JOBS_MAX]; /* a ring */
    unsigned first, count;
    bool is_stopping;
};

static void *run(void *argument)
{
    struct service *service = argument;
    pthread_mutex_lock(&service->mutex);
    for (;;) {
        while (service->count == 0 && !service->is_stopping)
            pthread_cond_wait(&service->changed, &service->mutex);
        if (service->count == 0)
            break;
        const struct job job = service->jobs[service->first];
        service->first = (service->first + 1) % SERVICE_JOBS_MAX;
        service->count--;
        pthread_mutex_unlock(&service->mutex);
        job.function(job.argument);
        pthread_mutex_lock(&service->mutex);
    }
    pthread_mutex_unlock(&service->mutex);
    return NULL;
}

enum status service_create(const char *name, struct service **service_out)
{
    struct service *service = alloc_zeroed(1, sizeof(*service));
    if (service == NULL)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&service->mutex, NULL);
    pthread_cond_init(&service->changed, NULL);
    if (pthread_create(&service->thread, NULL, run, service) != 0) {
        alloc_free(service);
        return STATUS_NO_MEMORY;
    }
    pthread_setname_np(service->thread, name);
    *service_out = service;
    return STATUS_OK;
}

void service_destroy(struct service **service)
{
    if (*service == NULL)
        return;
    pthread_mutex_lock(&(*service)->mutex);
    (*service)->is_stopping = true;
    pthread_cond_signal(&(*service)->changed);
    pthread_mutex_unlock(&(*service)->mutex);
    pthread_join((*service)->thread, NULL);
    pthread_cond_destroy(&(*service)->changed);
    pthread_mutex_destroy(&(*service)->mutex);
    alloc_free(*service);
    *service = NULL;
}

enum status service_submit(struct service *service, void (*function)(void *), void *argument)
{
    enum status status = STATUS_LIMITED;
    pthread_mutex_lock(&service->mutex);
    if (service->count < SERVICE_JOBS_MAX) {
        const unsigned place = (service->first + service->count) % SERVICE_JOBS_MAX;
        service->jobs[place] = (struct job){function, argument};
        service->count++;
        pthread_cond_signal(&service->changed);
        status = STATUS_OK;
    }
    pthread_mutex_unlock(&service->mutex);
    return status;
}

/* --- Waiting for a job ------------------------------------------------------------------------ */

/* Lies on the waiting task's stack. */
struct call {
    struct loop_message message; /* delivered when the job is done */
    struct loop *loop;
    struct task *task;
    struct job job;
    bool is_done;
};

static void on_done(struct loop_message *message)
{
    struct call *call = LIST_ENTRY(message, struct call, message);
    call->is_done = true;
    task_wake(call->task, STATUS_OK);
}

static void run_call(void *argument)
{
    struct call *call = argument;
    call->job.function(call->job.argument);
    loop_post(call->loop, &call->message);
}

enum status service_call(struct service *service, struct loop *loop, void (*function)(void *),
                         void *argument)
{
    struct call call = {
        .message = {.deliver = on_done},
        .loop = loop,
        .task = task_current(loop),
        .job = {function, argument},
    };
    const enum status status = service_submit(service, run_call, &call);
    if (status != STATUS_OK)
        return status;
    bool is_cancelled = false;
    while (!call.is_done)
        is_cancelled |= task_wait(loop, TIMER_NEVER) == STATUS_CANCELLED;
    if (is_cancelled)
        task_cancel(call.task); /* for the next wait */
    return STATUS_OK;
}
