#include "telemetry/process_stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slice.h"

/* The first two numbers of /proc/self/statm are the pages mapped and the pages resident
 * (proc(5)). */
static void read_memory(struct process_stats *stats)
{
    char text[128];
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const ssize_t size = read(fd, text, sizeof(text));
    close(fd);
    if (size <= 0)
        return;
    const struct slice all = slice_of(text, (size_t)size);
    const size_t first_end = slice_find_byte(all, ' ');
    if (first_end == all.size)
        return;
    const struct slice rest = slice_from(all, first_end + 1);
    const struct slice resident = slice_of(rest.data, slice_find_byte(rest, ' '));
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t pages;
    if (slice_to_u64(slice_of(text, first_end), &pages) == STATUS_OK)
        stats->virtual_bytes = pages * page_bytes;
    if (slice_to_u64(resident, &pages) == STATUS_OK)
        stats->resident_bytes = pages * page_bytes;
}

static void read_cpu(struct process_stats *stats)
{
    struct timespec time;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0)
        stats->cpu_ns = (uint64_t)time.tv_sec * MS_PER_S * NS_PER_MS + (uint64_t)time.tv_nsec;
}

/* The listing holds ".", ".." and the descriptor that lists. */
static uint64_t count_listed_fds(void)
{
    DIR *listing = opendir("/proc/self/fd");
    if (listing == NULL)
        return PROCESS_UNKNOWN;
    uint64_t count = 0;
    while (readdir(listing) != NULL)
        count++;
    closedir(listing);
    return count >= 3 ? count - 3 : PROCESS_UNKNOWN;
}

/* Since Linux 6.2 the size of the directory is the number of its descriptors; before, it is 0. */
static void read_fds(struct process_stats *stats)
{
    struct stat directory;
    if (stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0)
        stats->open_fds = (uint64_t)directory.st_size;
    else
        stats->open_fds = count_listed_fds();

    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        stats->max_fds = limit.rlim_cur;
}

void process_stats_read(struct process_stats *stats_out)
{
    *stats_out = (struct process_stats){PROCESS_UNKNOWN, PROCESS_UNKNOWN, PROCESS_UNKNOWN,
                                        PROCESS_UNKNOWN, PROCESS_UNKNOWN};
    read_memory(stats_out);
    read_cpu(stats_out);
    read_fds(stats_out);
}
