#include "telemetry/log_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "telemetry/log_redact.h"

/* So that a busy producer cannot hold a pass for ever. */
#define PASS_RECORDS_MAX 16384

#define DROPS_TELL_NS    (NS_PER_MS * MS_PER_S)

void log_flush(struct log *log)
{
    if (log->lines.size == 0)
        return;
    const uint64_t stop_by_ns = atomic_load(&log->stop_by_ns);
    log->flushed = log_output_write(&log->output, buffer_slice(&log->lines), stop_by_ns);
    if (log->flushed == STATUS_OK)
        log_count(&log->output.written_records, log->lines_records);
    log->lines_records = 0;
    buffer_clear(&log->lines);
}

/* Local time is asked for again each minute, so that summer time comes without a restart. Two
 * threads may do so at once and come to the same. */
static int32_t utc_offset_s(struct log *log, uint64_t time_us)
{
    const uint64_t minute = time_us / (60 * US_PER_S) + 1; /* never 0, which is "not yet" */
    if (atomic_load(&log->offset_minute) != minute) {
        const time_t time_s = (time_t)(time_us / US_PER_S);
        struct tm local;
        if (localtime_r(&time_s, &local) != NULL)
            atomic_store(&log->utc_offset_s, (int32_t)local.tm_gmtoff);
        atomic_store(&log->offset_minute, minute);
    }
    return atomic_load(&log->utc_offset_s);
}

void log_format_line(struct log *log, struct buffer *line, const struct log_view *given)
{
    struct log_redacted redacted;
    const struct log_view *view = log_redact(given, &redacted);
    if (log->is_json) {
        log_json_append(line, view, &log->service);
        return;
    }
    const struct log_style style = {log->has_colour, utc_offset_s(log, view->time_us)};
    log_text_append(line, view, &style);
}

static void add_line(struct log *log, const struct log_view *view)
{
    if (log->lines.size + LOG_LINE_MAX > log->lines.size_max)
        log_flush(log);
    log_format_line(log, &log->lines, view);
    log->lines_records++;
    if (log->lines.size >= LOG_WRITE_BYTES)
        log_flush(log);
}

/* Frees a producer that was given back and is empty. Once it is seen closed, nothing is appended
 * any more; so the second look at the ring is final. */
static void free_closed(struct log *log, size_t place)
{
    struct log_producer *producer = log->producers[place];
    struct slice record;
    if (!atomic_load(&producer->is_closed) || log_ring_peek(&producer->ring, &record))
        return;
    if (log_ring_dropped(&producer->ring) > producer->dropped_told)
        return; /* it is reported first */
    log->dropped_of_closed += log_ring_dropped(&producer->ring);
    log_ring_fini(&producer->ring);
    alloc_free(producer);
    log->producers[place] = NULL;
}

/* The oldest record of each producer that has one. */
static void collect_waiting(struct log *log)
{
    log->waiting_count = 0;
    pthread_mutex_lock(&log->producers_lock);
    for (size_t i = 0; i < LOG_PRODUCERS_MAX; i++) {
        if (log->producers[i] == NULL)
            continue;
        struct log_waiting *waiting = &log->waiting[log->waiting_count];
        if (log_ring_peek(&log->producers[i]->ring, &waiting->record)) {
            waiting->producer = log->producers[i];
            waiting->time_us = log_record_time_us(waiting->record);
            log->waiting_count++;
        } else {
            free_closed(log, i);
        }
    }
    pthread_mutex_unlock(&log->producers_lock);
}

static struct log_waiting *oldest(struct log *log)
{
    struct log_waiting *best = &log->waiting[0];
    for (size_t i = 1; i < log->waiting_count; i++) {
        if (log->waiting[i].time_us < best->time_us)
            best = &log->waiting[i];
    }
    return best;
}

static void take(struct log *log, struct log_waiting *waiting)
{
    struct log_ring *ring = &waiting->producer->ring;
    struct log_view view;
    log_record_read(waiting->record, &view);
    add_line(log, &view);
    log_ring_consume(ring, waiting->record);
    if (log_ring_peek(ring, &waiting->record))
        waiting->time_us = log_record_time_us(waiting->record);
    else
        *waiting = log->waiting[--log->waiting_count];
}

bool log_drain(struct log *log)
{
    size_t records = 0;
    collect_waiting(log);
    for (; log->waiting_count > 0 && records < PASS_RECORDS_MAX; records++)
        take(log, oldest(log));
    log_flush(log);
    return records > 0;
}

bool log_has_records(struct log *log)
{
    collect_waiting(log);
    return log->waiting_count > 0;
}

static void report_producer(struct log *log, struct log_producer *producer)
{
    const uint64_t dropped = log_ring_dropped(&producer->ring);
    char text[128];
    const int size = snprintf(text, sizeof(text),
                              "%" PRIu64 " log records of %s were dropped: "
                              "the log is read more slowly than it is written",
                              dropped - producer->dropped_told, producer->name);
    const struct log_view view = {
        .time_us = log->realtime_us(),
        .kind = LOG_KIND_MESSAGE,
        .level = LOG_LEVEL_WARN,
        .part = SLICE("log"),
        .message = {slice_of(text, (size_t)size), false},
    };
    add_line(log, &view);
    producer->dropped_told = dropped;
}

/* Who has dropped records that nobody was told of. The lock is not held while they are written. */
static void collect_droppers(struct log *log)
{
    log->waiting_count = 0;
    pthread_mutex_lock(&log->producers_lock);
    for (size_t i = 0; i < LOG_PRODUCERS_MAX; i++) {
        struct log_producer *producer = log->producers[i];
        if (producer != NULL && log_ring_dropped(&producer->ring) != producer->dropped_told)
            log->waiting[log->waiting_count++].producer = producer;
    }
    pthread_mutex_unlock(&log->producers_lock);
}

void log_report_drops(struct log *log)
{
    const uint64_t now_ns = clock_monotonic_ns();
    const bool is_stopping = atomic_load(&log->stop_by_ns) != 0;
    if (!is_stopping && now_ns - log->drops_told_ns < DROPS_TELL_NS)
        return;
    log->drops_told_ns = now_ns;
    collect_droppers(log);
    for (size_t i = 0; i < log->waiting_count; i++)
        report_producer(log, log->waiting[i].producer);
    log_flush(log);
}
