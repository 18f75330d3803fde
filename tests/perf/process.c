#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/slice.h"

#define NS_PER_S UINT64_C(1000000000)

static _Noreturn void refuse(const char *program, const char *argument)
{
    fprintf(stderr, "%s: what is %s?\n", program, argument);
    exit(2);
}

static const struct process_option *find_option(const char *argument,
                                                const struct process_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(argument, "--", 2) == 0 && strcmp(argument + 2, options[i].name) == 0)
            return &options[i];
    return NULL;
}

void process_read_options(int argc, char **argv, const struct process_option *options, size_t count)
{
    for (int i = 1; i < argc; i++) {
        const struct process_option *option = find_option(argv[i], options, count);
        if (option == NULL)
            refuse(argv[0], argv[i]);
        if (option->flag != NULL) {
            *option->flag = true;
            continue;
        }
        if (++i == argc)
            refuse(argv[0], argv[i - 1]);
        if (option->text != NULL)
            *option->text = argv[i];
        else if (slice_to_u64(slice_from_text(argv[i]), option->number) != STATUS_OK)
            refuse(argv[0], argv[i]);
    }
}

void process_prepare(void)
{
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

_Noreturn void process_fail(const char *why)
{
    if (errno != 0)
        fprintf(stderr, "%s: %s\n", why, strerror(errno));
    else
        fprintf(stderr, "%s\n", why);
    exit(1);
}

void process_watch(int epoll_fd, int operation, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(epoll_fd, operation, fd, &event) != 0)
        process_fail("epoll_ctl");
}

struct timespec process_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}
