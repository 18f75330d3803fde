#include "telemetry/log_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

/* How long one poll of a descriptor that is in non-blocking mode may take. */
#define POLL_MS 1000

/* What is left for writing after all the time went into waiting for the lock. */
#define LAST_WORDS_NS (50 * NS_PER_MS)

static enum status wait_writable(int fd, uint64_t deadline_ns)
{
    int wait_ms = POLL_MS;
    if (deadline_ns != 0) {
        const uint64_t now_ns = clock_monotonic_ns();
        if (now_ns >= deadline_ns)
            return STATUS_TIMED_OUT;
        const uint64_t left_ms = (deadline_ns - now_ns) / NS_PER_MS + 1;
        wait_ms = left_ms < POLL_MS ? (int)left_ms : POLL_MS;
    }
    struct pollfd polled = {.fd = fd, .events = POLLOUT};
    return poll(&polled, 1, wait_ms) > 0 ? STATUS_OK : STATUS_AGAIN;
}

/* A pipe that polls as writable takes PIPE_BUF bytes without blocking (pipe(7)), which is what a
 * deadline needs; without one a write may be large and may block. */
static enum status write_some(int fd, struct slice bytes, uint64_t deadline_ns, size_t *written_out)
{
    *written_out = 0;
    size_t size = bytes.size;
    if (deadline_ns != 0) {
        const enum status status = wait_writable(fd, deadline_ns);
        if (status != STATUS_OK)
            return status;
        size = size < PIPE_BUF ? size : PIPE_BUF;
    }
    const ssize_t written = write(fd, bytes.data, size);
    if (written >= 0) {
        *written_out = (size_t)written;
        return STATUS_OK;
    }
    if (errno == EINTR)
        return STATUS_AGAIN;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        const enum status status = wait_writable(fd, deadline_ns);
        return status == STATUS_OK ? STATUS_AGAIN : status;
    }
    return STATUS_IO;
}

static enum status write_all(struct log_output *output, struct slice bytes, uint64_t deadline_ns)
{
    enum status status = STATUS_OK;
    while (bytes.size > 0 && (status == STATUS_OK || status == STATUS_AGAIN)) {
        size_t written;
        status = write_some(output->fd, bytes, deadline_ns, &written);
        log_count(&output->written_bytes, written);
        bytes = slice_from(bytes, written);
    }
    log_count(&output->lost_bytes, bytes.size);
    return status;
}

static bool lock_within(pthread_mutex_t *lock, uint64_t deadline_ns)
{
    if (deadline_ns == 0)
        return pthread_mutex_lock(lock) == 0;
    const uint64_t now_ns = clock_monotonic_ns();
    const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    const uint64_t until_us = clock_realtime_us() + left_ns / 1000;
    const struct timespec until = {(time_t)(until_us / US_PER_S),
                                   (long)(until_us % US_PER_S * 1000)};
    return pthread_mutex_timedlock(lock, &until) == 0;
}

/* Whoever cannot have the lock in time writes without it: better a torn line than no last words. */
enum status log_output_write(struct log_output *output, struct slice bytes, uint64_t deadline_ns)
{
    const bool is_locked = lock_within(&output->lock, deadline_ns);
    const uint64_t write_by_ns = is_locked ? deadline_ns : deadline_ns + LAST_WORDS_NS;
    const enum status status = write_all(output, bytes, write_by_ns);
    if (is_locked)
        pthread_mutex_unlock(&output->lock);
    return status;
}
