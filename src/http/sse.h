/* Splits an event stream (server-sent events) into events without changing a byte.
 *
 * The caller keeps one contiguous run of bytes that it has not dropped yet. sse_next() gives the
 * next complete event in it; an event is a range of raw bytes that ends with its blank line, and
 * the ranges follow one another without a gap, so what is relayed is what came. Bytes are looked
 * at once, however they are split.
 *
 *     while (sse_next(&sse, unread, &event))
 *         ...;
 *     forward the first sse_complete(&sse) bytes of unread, then sse_drop(&sse, that many);
 *
 * The memory of `unread` may move between calls, its bytes stay. An event's size is bounded by
 * the caller's buffer: full without a complete event is an event that is too large.
 *
 * A line ends with LF, CRLF or CR. Where a CR is the last byte so far, the splitter waits for what
 * follows it, unless the line before ended with a bare CR too: a stream of CRs is not held back.
 *
 * Thread: one at a time. Memory: nothing is allocated; slices point into `unread`.
 * Format: HTML Living Standard, section "Server-sent events". */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

struct sse_event {
    struct slice raw;    /* all bytes of the event, with comments and its blank line */
    struct slice data;   /* value of the first `data` field; all of the data if data_lines is 1 */
    struct slice name;   /* value of the last `event` field; empty if there is none */
    uint32_t data_lines; /* number of `data` fields; with 0 nothing is dispatched: only comments,
                          * `id`, `retry` or blank lines, which are no progress */
    bool has_fields;     /* holds a field of any name, so more than comments and blank lines */
};

struct sse {
    size_t taken;              /* bytes of `unread` that belong to events already given out */
    size_t line;               /* where the line begins that is being read */
    size_t scanned;            /* bytes of `unread` looked at */
    size_t data_at, data_size; /* of the event being read */
    size_t name_at, name_size;
    uint32_t data_lines;
    bool has_fields;
    bool after_cr; /* the line before ended with a bare CR */
    bool started;  /* the first line, which a byte order mark may precede, was read */
};

void sse_init(struct sse *sse);

/* Gives the next complete event of `unread`, which begins where the last sse_drop() ended; false
 * if it has none. */
bool sse_next(struct sse *sse, struct slice unread, struct sse_event *event_out);

/* The size of all events given out and not dropped: they are the front of `unread`. */
static inline size_t sse_complete(const struct sse *sse)
{
    return sse->taken;
}

/* Tells that the caller has dropped `size` bytes, at most sse_complete(), from the front. */
void sse_drop(struct sse *sse, size_t size);

/* Whether the next byte begins an event, and no byte of it was looked at. */
static inline bool sse_is_between(const struct sse *sse)
{
    return sse->scanned == sse->taken && sse->line == sse->taken && sse->data_lines == 0 &&
           !sse->has_fields && !sse->after_cr;
}

/* Takes `size` bytes, which the caller knows to be whole events, as given out; the splitter stands
 * between two events. */
void sse_skip(struct sse *sse, size_t size);

/* Reads up to the last complete event and returns sse_complete(). */
size_t sse_scan_all(struct sse *sse, struct slice unread);

/* All of the event's data: the values of its `data` fields joined by LF. One line is the slice
 * itself; more are joined in `scratch`, which is emptied first and then holds the result.
 * STATUS_TOO_LARGE, STATUS_NO_MEMORY: it does not fit there. */
MUST_CHECK enum status sse_event_data(const struct sse_event *event, struct buffer *scratch,
                                      struct slice *data_out);

#endif
