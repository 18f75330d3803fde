#include "http/sse.h"

#include "base/assert.h"

/* --- Line ends --- */

/* Sixteen bytes are compared at a time, with the compilers' vector types, so that no instruction
 * set is named. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is a word's lowest");

#define VECTOR_BYTES 16

/* All bits of a byte are set where it is CR or LF. */
static inline words2 line_ends(const char *data)
{
    bytes16 bytes;
    memcpy(&bytes, data, sizeof(bytes));
    return (words2)((bytes == '\n') | (bytes == '\r'));
}

static inline bool is_any_set(words2 found)
{
    return (found[0] | found[1]) != 0;
}

static inline size_t first_set(words2 found)
{
    return found[0] != 0 ? (size_t)__builtin_ctzll(found[0]) / 8
                         : 8 + (size_t)__builtin_ctzll(found[1]) / 8;
}

static inline bool is_line_end(char byte)
{
    return byte == '\n' || byte == '\r';
}

/* The offset of the first CR or LF from `at` on, or the size. This is where an event's time goes:
 * blank lines are seen at once, long ones skipped by four vectors at a time. */
static inline size_t find_line_end(struct slice text, size_t at)
{
    const size_t step = VECTOR_BYTES;
    if (at < text.size && is_line_end(text.data[at]))
        return at;
    for (; at + 4 * step <= text.size; at += 4 * step) {
        const char *data = text.data + at;
        if (is_any_set(line_ends(data) | line_ends(data + step) | line_ends(data + 2 * step) |
                       line_ends(data + 3 * step)))
            break;
    }
    for (; at + step <= text.size; at += step) {
        const words2 found = line_ends(text.data + at);
        if (is_any_set(found))
            return at + first_set(found);
    }
    while (at < text.size && !is_line_end(text.data[at]))
        at++;
    return at;
}

/* --- Lines --- */

/* A field's name and its value, without the one space that may follow the colon. */
struct field {
    struct slice name;
    struct slice value;
};

static struct field field_of(struct slice line)
{
    struct field field = {.name = slice_of(line.data, slice_find_byte(line, ':'))};
    if (field.name.size == line.size)
        return field; /* no colon: the whole line is the name, the value is empty */
    field.value = slice_from(line, field.name.size + 1);
    if (field.value.size > 0 && field.value.data[0] == ' ')
        field.value = slice_from(field.value, 1);
    return field;
}

static inline bool is_data_line(struct slice line)
{
    return line.size >= 5 && memcmp(line.data, "data:", 5) == 0;
}

/* Nearly every line is a `data` line, so that is looked at first. */
static void note_data(struct sse *sse, size_t value_at, size_t value_size)
{
    if (sse->data_lines++ == 0) {
        sse->data_at = value_at;
        sse->data_size = value_size;
    }
    sse->has_fields = true;
}

static void note_other(struct sse *sse, struct slice unread, struct slice line)
{
    if (line.data[0] == ':')
        return; /* a comment */
    const struct field field = field_of(line);
    sse->has_fields = true;
    if (slice_equal(field.name, SLICE("event"))) {
        sse->name_size = field.value.size;
        sse->name_at = field.value.size > 0 ? (size_t)(field.value.data - unread.data) : 0;
    } else if (slice_equal(field.name, SLICE("data"))) {
        note_data(sse, (size_t)(line.data - unread.data) + line.size, 0); /* no colon */
    }
}

static void note_line(struct sse *sse, struct slice unread, size_t end)
{
    struct slice line = slice_of(unread.data + sse->line, end - sse->line);
    if (!sse->started && slice_starts_with(line, SLICE("\xEF\xBB\xBF")))
        line = slice_from(line, 3);
    if (is_data_line(line)) {
        const size_t skip = line.size > 5 && line.data[5] == ' ' ? 6 : 5;
        note_data(sse, end - line.size + skip, line.size - skip);
    } else if (line.size > 0) {
        note_other(sse, unread, line);
    }
}

/* --- Events --- */

void sse_init(struct sse *sse)
{
    *sse = (struct sse){0};
}

/* Gives out what was noted and starts the next event at `end`. */
static void finish_event(struct sse *sse, struct slice unread, size_t end,
                         struct sse_event *event_out)
{
    *event_out = (struct sse_event){
        .raw = slice_of(unread.data + sse->taken, end - sse->taken),
        .data = slice_of(unread.data + sse->data_at, sse->data_size),
        .name = slice_of(unread.data + sse->name_at, sse->name_size),
        .data_lines = sse->data_lines,
        .has_fields = sse->has_fields,
    };
    *sse = (struct sse){.taken = end, .line = end, .scanned = end, .started = true};
}

/* The size of the line end at `at`; 0: a LF that belongs to it may still come. */
static size_t line_end_size(const struct sse *sse, struct slice unread, size_t at)
{
    if (unread.data[at] == '\n')
        return 1;
    /* After a bare CR, a blank line is a bare CR too, whatever follows it: so this event need not
     * wait, and its end does not depend on how the bytes were split. */
    if (at == sse->line && sse->after_cr)
        return 1;
    if (at + 1 == unread.size)
        return 0;
    return unread.data[at + 1] == '\n' ? 2 : 1;
}

bool sse_next(struct sse *sse, struct slice unread, struct sse_event *event_out)
{
    for (;;) {
        const size_t at = find_line_end(unread, sse->scanned);
        const size_t end_size = at < unread.size ? line_end_size(sse, unread, at) : 0;
        sse->scanned = at + end_size;
        if (end_size == 0)
            return false;
        if (at == sse->line) {
            finish_event(sse, unread, at + end_size, event_out);
            return true;
        }
        note_line(sse, unread, at);
        sse->started = true;
        sse->after_cr = end_size == 1 && unread.data[at] == '\r';
        sse->line = at + end_size;
    }
}

void sse_skip(struct sse *sse, size_t size)
{
    ASSERT(sse_is_between(sse));
    sse->taken += size;
    sse->line = sse->scanned = sse->taken;
    sse->started |= size > 0;
}

void sse_drop(struct sse *sse, size_t size)
{
    ASSERT(size <= sse->taken);
    sse->taken -= size;
    sse->line -= size;
    sse->scanned -= size;
    if (sse->data_lines > 0)
        sse->data_at -= size;
    if (sse->name_size > 0)
        sse->name_at -= size;
}

size_t sse_scan_all(struct sse *sse, struct slice unread)
{
    struct sse_event event;
    while (sse_next(sse, unread, &event))
        continue;
    return sse->taken;
}

/* --- Data of several lines --- */

/* Takes the line at the front, with its end, off *rest. */
static struct slice take_line(struct slice *rest)
{
    const size_t size = find_line_end(*rest, 0);
    const struct slice line = slice_of(rest->data, size);
    size_t end = size + (size < rest->size);
    if (end < rest->size && rest->data[size] == '\r' && rest->data[end] == '\n')
        end++;
    *rest = slice_from(*rest, end);
    return line;
}

enum status sse_event_data(const struct sse_event *event, struct buffer *scratch,
                           struct slice *data_out)
{
    if (event->data_lines <= 1) {
        *data_out = event->data;
        return STATUS_OK;
    }
    buffer_clear(scratch);
    buffer_append(scratch, event->data);
    const size_t after = (size_t)(event->data.data - event->raw.data) + event->data.size;
    struct slice rest = slice_from(event->raw, after);
    take_line(&rest); /* what is left of the first data line: its end */
    while (rest.size > 0) {
        const struct field field = field_of(take_line(&rest));
        if (!slice_equal(field.name, SLICE("data")))
            continue;
        buffer_append_byte(scratch, '\n');
        buffer_append(scratch, field.value);
    }
    *data_out = buffer_slice(scratch);
    return buffer_status(scratch);
}
