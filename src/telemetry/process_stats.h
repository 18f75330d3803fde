/* What the kernel says about this process.
 *
 * Thread: any. Errors: a figure that cannot be read is PROCESS_UNKNOWN. */
#ifndef TELEMETRY_PROCESS_STATS_H
#define TELEMETRY_PROCESS_STATS_H

#include <stdint.h>

#define PROCESS_UNKNOWN UINT64_MAX

struct process_stats {
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    uint64_t cpu_ns; /* of all threads, user and system */
    uint64_t open_fds;
    uint64_t max_fds; /* the soft limit */
};

/* A few µs; before Linux 6.2, where descriptors have to be listed, 0.5 µs for each of them. */
void process_stats_read(struct process_stats *stats_out);

#endif
