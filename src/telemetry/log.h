/* The log: records go into a ring per thread; one thread formats and writes them.
 *
 * Lifecycle: log_create() → log_start() → each thread opens a producer, logs, and closes it →
 * log_destroy(). Before the start and after a fatal error there is log_write_now().
 *
 * A producer appends to its own bounded ring: no lock, no formatting of access records, and a
 * system call only when the log thread sleeps, which it does after a quiet 100 ms (so at most some
 * ten times a second in the whole process). A full ring drops the record; the log thread says how
 * many, at most once a second, and log_stats() counts them. A reader that stalls stalls the log
 * thread and nobody else. Records of one producer stay in order; between producers they are merged
 * by time as far as they are there when the thread looks.
 *
 * Lines are ECS JSON (Elastic Common Schema 8.11; flat dotted names), or aligned text for people.
 * Strings are made valid UTF-8 and escaped when they are formatted, control characters included, so
 * that no record can forge a line.
 *
 * Thread: a producer is one thread's; all that takes a struct log may be called from any thread.
 * The process ignores SIGPIPE; the log thread takes no signals.
 * Memory: the log owns everything, a producer too. Errors: a failing descriptor loses lines, which
 * log_stats() counts; nothing is reported to the producers. */
#ifndef TELEMETRY_LOG_H
#define TELEMETRY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "telemetry/access.h"

#define LOG_PRODUCERS_MAX    256
#define LOG_RING_BYTES       ((size_t)1024 * 1024) /* by default */
#define LOG_RING_BYTES_MIN   ((size_t)16 * 1024)
#define LOG_RING_BYTES_MAX   ((size_t)256 * 1024 * 1024)
#define LOG_MESSAGE_SIZE     1024 /* longer messages are cut and end in "…" */
#define LOG_PART_SIZE        32   /* the final zero byte included; longer names are cut */
#define LOG_VERSION_SIZE     32
#define LOG_SHUTDOWN_WAIT_MS 1000

enum log_level {
    LOG_LEVEL_ERROR, /* somebody has to act */
    LOG_LEVEL_WARN, /* something failed that weir went on without; a request that did not succeed */
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

enum log_format {
    LOG_FORMAT_AUTO, /* text if the descriptor is a terminal, else JSON */
    LOG_FORMAT_JSON,
    LOG_FORMAT_TEXT,
};

struct log;
struct log_producer;

struct log_config {
    int fd; /* borrowed; its flags are left alone */
    enum log_format format;
    enum log_level level;
    bool no_colour;      /* text to a terminal is coloured otherwise; set it when NO_COLOR is */
    size_t ring_bytes;   /* of each producer, a power of two; 0: LOG_RING_BYTES */
    const char *version; /* of the service; copied */
    uint64_t (*realtime_us)(void); /* what log_write() stamps with; NULL: clock_realtime_us() */
};

struct log_stats {
    uint64_t written_records;
    uint64_t written_bytes;
    uint64_t dropped_records; /* a ring was full, or the record larger than half of it */
    uint64_t lost_bytes;      /* the descriptor took no more: EPIPE, ENOSPC, ... */
};

/* A log without its thread. STATUS_INVALID: ring_bytes is no power of two or out of bounds.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status log_create(const struct log_config *config, struct log **log_out);

/* Starts the thread "weir-log". Once. STATUS_IO: the system has no thread left. */
MUST_CHECK enum status log_start(struct log *log);

/* Writes what is in the rings, for at most LOG_SHUTDOWN_WAIT_MS, ends the thread and frees the log
 * with all producers; sets *log to NULL, which it may be already. No producer may be in use.
 * STATUS_TIMED_OUT: the descriptor took no more in time, and what was left is lost. A thread that
 * is stuck in a write is left behind and frees the log when it gets on. STATUS_IO: lines could not
 * be written. */
enum status log_destroy(struct log **log);

/* A producer for the calling thread. STATUS_LIMITED: LOG_PRODUCERS_MAX are open.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status log_producer_open(struct log *log, const char *name,
                                         struct log_producer **producer_out);

/* Gives the producer back, if any, and sets *producer to NULL. What it holds is still written. */
void log_producer_close(struct log_producer **producer);

/* Holds for every producer from its next record on. */
void log_set_level(struct log *log, enum log_level level);

/* Whether records of this level are wanted. */
bool log_enabled(const struct log_producer *producer, enum log_level level);

/* Appends an access record. Its level is warn if the status is 500 or more or the outcome is
 * weir's or an upstream's failure, else info. */
void log_access(struct log_producer *producer, const struct log_access *access);

/* Appends a message, formatted at once. `part` names who speaks, such as "config". */
__attribute__((format(printf, 4, 5))) void log_write(struct log_producer *producer,
                                                     enum log_level level, const char *part,
                                                     const char *format, ...);

/* Writes a message before returning: before log_start(), and when the process is about to end.
 * Waits for the log thread and for the descriptor, at most LOG_SHUTDOWN_WAIT_MS. */
__attribute__((format(printf, 4, 5))) void log_write_now(struct log *log, enum log_level level,
                                                         const char *part, const char *format, ...);

void log_stats(struct log *log, struct log_stats *stats_out);

/* "error", "warn", "info" or "debug". Static storage. */
const char *log_level_name(enum log_level level);
/* STATUS_INVALID: `text` is none of the names. */
MUST_CHECK enum status log_level_parse(struct slice text, enum log_level *level_out);

#endif
