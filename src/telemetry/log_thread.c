#include "telemetry/log_internal.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/promptness.h"

#define NAP_NS        (5 * NS_PER_MS)
#define QUIET_NAPS    20
#define DEEP_SLEEP_NS (1000 * NS_PER_MS)

static void nap(void)
{
    const struct timespec time = {0, NAP_NS};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t wait_ns)
{
    const struct timespec time = {(time_t)(wait_ns / (NS_PER_MS * MS_PER_S)),
                                  (long)(wait_ns % (NS_PER_MS * MS_PER_S))};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
}

void log_thread_wake(struct log *log)
{
    if (atomic_exchange(&log->sleeping, 0) == 1)
        syscall(SYS_futex, &log->sleeping, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool must_stop(struct log *log)
{
    return atomic_load(&log->stop_by_ns) != 0;
}

static void sleep_deeply(struct log *log)
{
    atomic_store(&log->sleeping, 1);
    nap();
    if (!log_has_records(log) && !must_stop(log))
        futex_wait(&log->sleeping, 1, DEEP_SLEEP_NS);
    atomic_store(&log->sleeping, 0);
}

/* The exit is told under the lock; after it the log is whoever's turn it is to free it. */
static void leave(struct log *log)
{
    pthread_mutex_lock(&log->exit_lock);
    log->has_exited = true;
    const bool is_abandoned = log->is_abandoned;
    pthread_cond_signal(&log->exit_changed);
    pthread_mutex_unlock(&log->exit_lock);
    if (is_abandoned)
        log_free(log);
}

void *log_thread_run(void *argument)
{
    struct log *log = argument;
    pthread_setname_np(pthread_self(), "weir-log");
    promptness_low();
    unsigned quiet = 0;
    for (;;) {
        const bool is_stopping = must_stop(log); /* before the rings are looked at */
        const bool worked = log_drain(log);
        log_report_drops(log);
        if (is_stopping && (!worked || log->flushed == STATUS_TIMED_OUT))
            break;
        quiet = worked ? 0 : quiet + 1;
        if (quiet > QUIET_NAPS)
            sleep_deeply(log);
        else if (!is_stopping)
            nap();
    }
    leave(log);
    return NULL;
}
