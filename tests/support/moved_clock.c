/* A library to be preloaded: the wall clock of a program, moved while it runs.
 *
 * It is ahead by what the file of MOVED_CLOCK_FILE says: 8 bytes, nanoseconds, of the machine's order,
 * mapped, so that each look at the clock is one atomic load (libfaketime reads a file into variables that
 * all threads share, and some then see a wrong time for a moment). Monotonic clocks are not moved. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000

static const _Atomic int64_t *ahead_ns;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("MOVED_CLOCK_FILE");
    const int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    ahead_ns = mapped != MAP_FAILED ? mapped : NULL;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time_out)
{
    const int failed = (int)syscall(SYS_clock_gettime, clock, time_out);
    if (failed || ahead_ns == NULL || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return failed;
    const int64_t ns = (int64_t)time_out->tv_sec * NS_PER_S + time_out->tv_nsec +
                       atomic_load_explicit(ahead_ns, memory_order_relaxed);
    time_out->tv_sec = ns / NS_PER_S;
    time_out->tv_nsec = ns % NS_PER_S;
    return 0;
}

int gettimeofday(struct timeval *restrict time_out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    *time_out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *time_out)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    if (time_out != NULL)
        *time_out = now.tv_sec;
    return now.tv_sec;
}
