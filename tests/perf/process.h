/* What the programs of the bench share as processes: options, limits, epoll, times. */
#ifndef PERF_PROCESS_H
#define PERF_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* `--name VALUE`, or `--name` alone for a flag. One of the pointers is set. */
struct process_option {
    const char *name;
    const char **text;
    uint64_t *number;
    bool *flag;
};

/* Says what is wrong and ends the program with 2 if an option is unknown or has no number. */
void process_read_options(int argc, char **argv, const struct process_option *options,
                          size_t count);

/* As many descriptors as are allowed, and no signal for a peer that is gone. */
void process_prepare(void);

/* Says why on standard error, with errno's words if it is set, and ends the program with 1. */
_Noreturn void process_fail(const char *why);

/* epoll_ctl, which does not fail but by a mistake of ours. */
void process_watch(int epoll_fd, int operation, int fd, uint32_t events, void *data);

struct timespec process_timespec(uint64_t ns);

#endif
