/* The parts of a log, for the files of this folder.
 *
 * Sleeping and waking. The log thread looks at the rings every NAP; after QUIET_NAPS without a
 * record it raises `sleeping` and waits on that word. A producer that appended and sees the word
 * raised lowers it and wakes the thread: the only system call that a producer makes. The producer
 * has no fence between its append and its look; so a record may be appended in the nanoseconds
 * in which the raised word is still on its way to it. The thread therefore naps once more after
 * raising the word and looks again before it waits, and waits no longer than DEEP_SLEEP. */
#ifndef TELEMETRY_LOG_INTERNAL_H
#define TELEMETRY_LOG_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "telemetry/log.h"
#include "telemetry/log_format.h"
#include "telemetry/log_ring.h"

#define LOG_PRODUCER_NAME_SIZE 16
#define LOG_LINES_BYTES        ((size_t)256 * 1024) /* formatted and not yet written */
#define LOG_WRITE_BYTES        ((size_t)64 * 1024)  /* formatted lines that are worth a write */

struct log_producer {
    struct log *log;
    char name[LOG_PRODUCER_NAME_SIZE];
    _Atomic bool is_closed;
    uint64_t dropped_told; /* the log thread's: how many drops it has reported */
    struct log_ring ring;
};

/* Where lines go. Whoever writes holds `lock`; a line is never torn by another's. */
struct log_output {
    int fd;
    pthread_mutex_t lock;
    _Atomic uint64_t written_records;
    _Atomic uint64_t written_bytes;
    _Atomic uint64_t lost_bytes;
};

/* A record that waits to be merged. */
struct log_waiting {
    struct log_producer *producer;
    struct slice record;
    uint64_t time_us;
};

struct log {
    /* Read at each record by every producer, written rarely. */
    _Atomic int level;
    _Atomic uint32_t sleeping; /* a futex */
    uint64_t (*realtime_us)(void);
    char after_hot[LOG_RING_LINE];

    size_t ring_bytes;
    bool is_json;
    bool has_colour;
    char version[LOG_VERSION_SIZE];
    struct log_service service;
    struct log_output output;
    _Atomic uint64_t offset_minute; /* when utc_offset_s was asked for */
    _Atomic int32_t utc_offset_s;

    pthread_mutex_t producers_lock; /* of the places, not of what they point at */
    struct log_producer *producers[LOG_PRODUCERS_MAX];
    uint64_t dropped_of_closed;

    pthread_mutex_t now_lock;
    struct buffer now_line; /* log_write_now()'s */

    pthread_t thread;
    bool is_started;
    _Atomic uint64_t stop_by_ns; /* when the thread gives up writing; 0: it is not to stop */
    pthread_mutex_t exit_lock;
    pthread_cond_t exit_changed; /* on the monotonic clock */
    bool has_exited;             /* under exit_lock, as is_abandoned */
    bool is_abandoned;           /* the thread frees the log, since it is stuck in a write */

    /* The log thread's own. */
    struct buffer lines;
    struct log_waiting waiting[LOG_PRODUCERS_MAX];
    size_t waiting_count;
    uint64_t lines_records; /* in `lines` */
    enum status flushed;    /* what the last write came to */
    uint64_t drops_told_ns; /* when drops were last reported */
};

/* --- log_output.c --- */

/* Writes all of it. With a deadline (monotonic; 0: none) it waits no longer than that for other
 * writers and for the descriptor. STATUS_TIMED_OUT, STATUS_IO: the rest is lost, and counted. */
enum status log_output_write(struct log_output *output, struct slice bytes, uint64_t deadline_ns);

/* --- log_drain.c --- */

/* Formats and writes what the rings hold. False: there was nothing. */
bool log_drain(struct log *log);
/* Whether a ring holds a record. */
bool log_has_records(struct log *log);
/* Adds a line for each producer that dropped records since the last report. */
void log_report_drops(struct log *log);
/* Formats one record in the log's format, without secrets. */
void log_format_line(struct log *log, struct buffer *line, const struct log_view *given);
/* Writes what is formatted. */
void log_flush(struct log *log);

/* --- log.c --- */

/* Frees the log with everything; its thread has ended or is the caller. */
void log_free(struct log *log);

/* --- log_thread.c --- */

/* The log thread, given a struct log. */
void *log_thread_run(void *log);
/* Wakes the log thread if it sleeps. */
void log_thread_wake(struct log *log);

static inline void log_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

#endif
