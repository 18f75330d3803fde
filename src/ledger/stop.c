#include "ledger/stop.h"

#include <time.h>

#include "base/clock.h"

#define NS_PER_S 1000000000

void stop_init(struct stop *stop)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&stop->lock, NULL);
    pthread_cond_init(&stop->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    stop->is_requested = false;
    stop->is_nudged = false;
}

void stop_fini(struct stop *stop)
{
    pthread_mutex_destroy(&stop->lock);
    pthread_cond_destroy(&stop->changed);
}

bool stop_wait(struct stop *stop, uint64_t wait_ms)
{
    const uint64_t until_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;
    const struct timespec until = {(time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S)};
    int code = 0;
    pthread_mutex_lock(&stop->lock);
    while (!stop->is_requested && !stop->is_nudged && code == 0)
        code = pthread_cond_timedwait(&stop->changed, &stop->lock, &until);
    stop->is_nudged = false;
    pthread_mutex_unlock(&stop->lock);
    return !stop->is_requested;
}

void stop_request(struct stop *stop)
{
    pthread_mutex_lock(&stop->lock);
    stop->is_requested = true;
    pthread_cond_signal(&stop->changed);
    pthread_mutex_unlock(&stop->lock);
}

void stop_nudge(struct stop *stop)
{
    pthread_mutex_lock(&stop->lock);
    stop->is_nudged = true;
    pthread_cond_signal(&stop->changed);
    pthread_mutex_unlock(&stop->lock);
}

bool stop_is_requested(const struct stop *stop)
{
    return stop->is_requested;
}
