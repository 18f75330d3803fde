#include "base/promptness.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS UINT64_C(100000) /* the least that the kernel takes */
#define LOW_NICE 3                /* half the weight of a worker */

/* Of sched_setattr(2), which the C library does not have. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

static void set(const struct attributes *attributes)
{
    (void)syscall(SYS_sched_setattr, 0, attributes, 0U);
}

/* The thread's nice value stays as whoever started the process set it. */
void promptness_high(void)
{
    const struct attributes attributes = {
        .size = sizeof(attributes),
        .policy = SCHED_OTHER,
        .nice = getpriority(PRIO_PROCESS, 0),
        .runtime_ns = SLICE_NS,
    };
    set(&attributes);
}

void promptness_low(void)
{
    const int nice = getpriority(PRIO_PROCESS, 0) + LOW_NICE;
    const struct attributes attributes = {
        .size = sizeof(attributes),
        .policy = SCHED_BATCH, /* it does not take the core from others when it wakes */
        .nice = nice < PRIO_MAX ? nice : PRIO_MAX - 1,
    };
    set(&attributes);
}
