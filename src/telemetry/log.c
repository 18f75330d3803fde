#include "telemetry/log.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "telemetry/log_internal.h"

/* For a thread that gives up at its deadline to say so. */
#define EXIT_GRACE_NS (50 * NS_PER_MS)

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

const char *log_level_name(enum log_level level)
{
    ASSERT((unsigned)level < LEVEL_COUNT);
    return level_names[level];
}

enum status log_level_parse(struct slice text, enum log_level *level_out)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (slice_equal(text, slice_from_text(level_names[i]))) {
            *level_out = (enum log_level)i;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID;
}

static bool is_ring_size(size_t bytes)
{
    return bytes >= LOG_RING_BYTES_MIN && bytes <= LOG_RING_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

static size_t copy_name(char *copy_out, size_t capacity, const char *name)
{
    const size_t size = strnlen(name, capacity - 1);
    memcpy(copy_out, name, size);
    copy_out[size] = '\0';
    return size;
}

static void init_locks(struct log *log)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&log->exit_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&log->exit_lock, NULL);
    pthread_mutex_init(&log->producers_lock, NULL);
    pthread_mutex_init(&log->now_lock, NULL);
    pthread_mutex_init(&log->output.lock, NULL);
}

static void configure(struct log *log, const struct log_config *config)
{
    const bool is_terminal = isatty(config->fd) == 1;
    log->level = (int)config->level;
    log->output.fd = config->fd;
    log->ring_bytes = config->ring_bytes != 0 ? config->ring_bytes : LOG_RING_BYTES;
    log->realtime_us = config->realtime_us != NULL ? config->realtime_us : clock_realtime_us;
    log->is_json =
        config->format == LOG_FORMAT_JSON || (config->format == LOG_FORMAT_AUTO && !is_terminal);
    log->has_colour = is_terminal && !config->no_colour;
    const size_t size = copy_name(log->version, sizeof(log->version), config->version);
    log->service = (struct log_service){slice_of(log->version, size), (uint64_t)getpid()};
}

enum status log_create(const struct log_config *config, struct log **log_out)
{
    if (config->ring_bytes != 0 && !is_ring_size(config->ring_bytes))
        return STATUS_INVALID;
    struct log *log = alloc_zeroed(1, sizeof(*log));
    if (log == NULL)
        return STATUS_NO_MEMORY;
    init_locks(log);
    configure(log, config);
    buffer_init(&log->lines, LOG_LINES_BYTES);
    buffer_init(&log->now_line, LOG_LINE_MAX);
    if (buffer_reserve(&log->lines, LOG_LINES_BYTES) != STATUS_OK ||
        buffer_reserve(&log->now_line, LOG_LINE_MAX) != STATUS_OK)
        goto fail;
    *log_out = log;
    return STATUS_OK;

fail:
    log_free(log);
    return STATUS_NO_MEMORY;
}

static enum status start_failed(int error)
{
    return error == ENOMEM ? STATUS_NO_MEMORY : STATUS_IO;
}

/* The thread inherits the mask: signals go to the threads that expect them. */
enum status log_start(struct log *log)
{
    ASSERT(!log->is_started);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&log->thread, NULL, log_thread_run, log);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    log->is_started = error == 0;
    return log->is_started ? STATUS_OK : start_failed(error);
}

void log_free(struct log *log)
{
    for (size_t i = 0; i < LOG_PRODUCERS_MAX; i++) {
        if (log->producers[i] == NULL)
            continue;
        log_ring_fini(&log->producers[i]->ring);
        alloc_free(log->producers[i]);
    }
    buffer_fini(&log->lines);
    buffer_fini(&log->now_line);
    pthread_mutex_destroy(&log->output.lock);
    pthread_mutex_destroy(&log->now_lock);
    pthread_mutex_destroy(&log->producers_lock);
    pthread_mutex_destroy(&log->exit_lock);
    pthread_cond_destroy(&log->exit_changed);
    alloc_free(log);
}

/* True: the thread has ended. False: it frees the log itself when it does. */
static bool wait_for_exit(struct log *log, uint64_t until_ns)
{
    const struct timespec until = {(time_t)(until_ns / (NS_PER_MS * MS_PER_S)),
                                   (long)(until_ns % (NS_PER_MS * MS_PER_S))};
    int error = 0;
    pthread_mutex_lock(&log->exit_lock);
    while (!log->has_exited && error == 0)
        error = pthread_cond_timedwait(&log->exit_changed, &log->exit_lock, &until);
    const bool has_exited = log->has_exited;
    log->is_abandoned = !has_exited;
    const pthread_t thread = log->thread;
    pthread_mutex_unlock(&log->exit_lock);
    if (has_exited)
        pthread_join(thread, NULL);
    else
        pthread_detach(thread);
    return has_exited;
}

static void drain_here(struct log *log)
{
    while (log_drain(log) && log->flushed != STATUS_TIMED_OUT)
        continue;
    log_report_drops(log);
}

enum status log_destroy(struct log **log_in)
{
    struct log *log = *log_in;
    *log_in = NULL;
    if (log == NULL)
        return STATUS_OK;
    const uint64_t stop_by_ns = clock_monotonic_ns() + LOG_SHUTDOWN_WAIT_MS * NS_PER_MS;
    atomic_store(&log->stop_by_ns, stop_by_ns);
    if (!log->is_started) {
        drain_here(log);
    } else {
        log_thread_wake(log);
        if (!wait_for_exit(log, stop_by_ns + EXIT_GRACE_NS))
            return STATUS_TIMED_OUT;
    }
    const enum status status = log->flushed;
    log_free(log);
    return status;
}

static struct log_producer *make_producer(struct log *log, const char *name)
{
    struct log_producer *producer = alloc_zeroed(1, sizeof(*producer));
    if (producer == NULL)
        return NULL;
    producer->log = log;
    copy_name(producer->name, sizeof(producer->name), name);
    if (log_ring_init(&producer->ring, log->ring_bytes) != STATUS_OK) {
        alloc_free(producer);
        return NULL;
    }
    return producer;
}

static bool place_producer(struct log *log, struct log_producer *producer)
{
    size_t place = 0;
    pthread_mutex_lock(&log->producers_lock);
    while (place < LOG_PRODUCERS_MAX && log->producers[place] != NULL)
        place++;
    if (place < LOG_PRODUCERS_MAX)
        log->producers[place] = producer;
    pthread_mutex_unlock(&log->producers_lock);
    return place < LOG_PRODUCERS_MAX;
}

enum status log_producer_open(struct log *log, const char *name, struct log_producer **producer_out)
{
    struct log_producer *producer = make_producer(log, name);
    if (producer == NULL)
        return STATUS_NO_MEMORY;
    if (!place_producer(log, producer)) {
        log_ring_fini(&producer->ring);
        alloc_free(producer);
        return STATUS_LIMITED;
    }
    *producer_out = producer;
    return STATUS_OK;
}

void log_producer_close(struct log_producer **producer)
{
    if (*producer == NULL)
        return;
    atomic_store(&(*producer)->is_closed, true);
    *producer = NULL;
}

void log_set_level(struct log *log, enum log_level level)
{
    atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

static bool is_wanted(const struct log *log, enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

bool log_enabled(const struct log_producer *producer, enum log_level level)
{
    return is_wanted(producer->log, level);
}

static void wake_sleeper(struct log *log)
{
    if (atomic_load_explicit(&log->sleeping, memory_order_relaxed) != 0)
        log_thread_wake(log);
}

static enum log_level access_level(const struct access_figures *figures)
{
    const bool is_failure = figures->status >= 500 || (figures->outcome != OUTCOME_COMPLETED &&
                                                       figures->outcome != OUTCOME_REFUSED &&
                                                       figures->outcome != OUTCOME_CLIENT_GONE);
    return is_failure ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
}

void log_access(struct log_producer *producer, const struct log_access *access)
{
    const enum log_level level = access_level(&access->figures);
    if (!is_wanted(producer->log, level))
        return;
    log_record_access(&producer->ring, level, access);
    wake_sleeper(producer->log);
}

void log_write(struct log_producer *producer, enum log_level level, const char *part,
               const char *format, ...)
{
    if (!is_wanted(producer->log, level))
        return;
    va_list args;
    va_start(args, format);
    log_record_message(&producer->ring, producer->log->realtime_us(), level, part, format, args);
    va_end(args);
    wake_sleeper(producer->log);
}

void log_write_now(struct log *log, enum log_level level, const char *part, const char *format, ...)
{
    if (!is_wanted(log, level))
        return;
    const uint64_t deadline_ns = clock_monotonic_ns() + LOG_SHUTDOWN_WAIT_MS * NS_PER_MS;
    char bytes[LOG_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    const struct log_view view = {
        .time_us = log->realtime_us(),
        .kind = LOG_KIND_MESSAGE,
        .level = level,
        .part = slice_of(part, strnlen(part, LOG_PART_SIZE - 1)),
        .message = log_text_print(bytes, format, args),
    };
    va_end(args);

    pthread_mutex_lock(&log->now_lock);
    buffer_clear(&log->now_line);
    log_format_line(log, &log->now_line, &view);
    if (log_output_write(&log->output, buffer_slice(&log->now_line), deadline_ns) == STATUS_OK)
        log_count(&log->output.written_records, 1);
    pthread_mutex_unlock(&log->now_lock);
}

void log_stats(struct log *log, struct log_stats *stats_out)
{
    *stats_out = (struct log_stats){
        .written_records = atomic_load(&log->output.written_records),
        .written_bytes = atomic_load(&log->output.written_bytes),
        .lost_bytes = atomic_load(&log->output.lost_bytes),
    };
    pthread_mutex_lock(&log->producers_lock);
    stats_out->dropped_records = log->dropped_of_closed;
    for (size_t i = 0; i < LOG_PRODUCERS_MAX; i++) {
        if (log->producers[i] != NULL)
            stats_out->dropped_records += log_ring_dropped(&log->producers[i]->ring);
    }
    pthread_mutex_unlock(&log->producers_lock);
}
