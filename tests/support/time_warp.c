#include "support/time_warp.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint64_t ahead_ms;

void time_warp_forward(uint64_t ms)
{
    atomic_fetch_add(&ahead_ms, ms);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    const int failed = (int)syscall(SYS_clock_gettime, clock, time);
    const uint64_t ms = atomic_load_explicit(&ahead_ms, memory_order_relaxed);
    if (failed)
        return failed;
    time->tv_nsec += (long)(ms % 1000 * 1000000);
    time->tv_sec += (time_t)(ms / 1000) + time->tv_nsec / 1000000000;
    time->tv_nsec %= 1000000000;
    return 0;
}
