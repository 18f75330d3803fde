/* Any bytes as an event stream. What must hold: the raw events are the stream, without a gap; the
 * events do not depend on how the stream is split; what is dispatched, and under which name, is
 * what a plain reading of the standard dispatches. */
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/buffer.h"
#include "http/sse.h"

#define STREAM_BYTES_MAX 4096
#define TEXT_BYTES_MAX   (8 * STREAM_BYTES_MAX)

/* An event in a form that tells different ones apart. */
static void note(struct buffer *text, struct slice name, struct slice data)
{
    buffer_append_u64(text, name.size);
    buffer_append_byte(text, ' ');
    buffer_append_u64(text, data.size);
    buffer_append_byte(text, ' ');
    buffer_append(text, name);
    buffer_append(text, data);
}

/* --- The standard, a line at a time --- */

struct reader {
    struct buffer *text; /* of the dispatched events */
    struct buffer data;
    struct slice name;
    bool has_data;
};

static void read_line(struct reader *reader, struct slice line)
{
    if (line.size == 0) {
        if (reader->has_data)
            note(reader->text, reader->name, buffer_slice(&reader->data));
        buffer_clear(&reader->data);
        reader->name = (struct slice){0};
        reader->has_data = false;
        return;
    }
    const size_t colon = slice_find_byte(line, ':');
    const struct slice field = slice_of(line.data, colon);
    struct slice value = colon < line.size ? slice_from(line, colon + 1) : SLICE("");
    if (value.size > 0 && value.data[0] == ' ')
        value = slice_from(value, 1);
    if (slice_equal(field, SLICE("event"))) {
        reader->name = value;
    } else if (slice_equal(field, SLICE("data"))) {
        if (reader->has_data)
            buffer_append_byte(&reader->data, '\n');
        buffer_append(&reader->data, value);
        reader->has_data = true;
    }
}

static void read_plainly(struct slice stream, struct buffer *text)
{
    struct reader reader = {.text = text};
    buffer_init(&reader.data, STREAM_BYTES_MAX);
    if (slice_starts_with(stream, SLICE("\xEF\xBB\xBF")))
        stream = slice_from(stream, 3);
    size_t start = 0;
    for (size_t at = 0; at < stream.size; at++) {
        if (stream.data[at] != '\n' && stream.data[at] != '\r')
            continue;
        read_line(&reader, slice_of(stream.data + start, at - start));
        if (stream.data[at] == '\r' && at + 1 < stream.size && stream.data[at + 1] == '\n')
            at++;
        start = at + 1;
    }
    buffer_fini(&reader.data);
}

/* --- The splitter --- */

/* Reads in pieces as a relay does. `all` gets every event, `text` those that are dispatched.
 * Returns how many bytes at the end are in no event. */
static size_t read_split(struct slice stream, size_t first, size_t step, struct buffer *all,
                         struct buffer *text)
{
    struct sse sse;
    struct sse_event event;
    struct buffer scratch;
    struct slice data;
    size_t front = 0, end = first < stream.size ? first : stream.size;
    sse_init(&sse);
    buffer_init(&scratch, STREAM_BYTES_MAX);
    for (;;) {
        const size_t size = end - front;
        char *unread = alloc_bytes(size + 1);
        if (size > 0)
            memcpy(unread, stream.data + front, size);
        const char *raw = unread;
        while (sse_next(&sse, slice_of(unread, size), &event)) {
            ASSERT(event.raw.data == raw && event.raw.size > 0);
            raw += event.raw.size;
            ASSERT(event.data_lines == 0 || event.has_fields);
            ASSERT(sse_event_data(&event, &scratch, &data) == STATUS_OK);
            note(all, event.raw, data);
            if (event.data_lines > 0)
                note(text, event.name, data);
        }
        ASSERT((size_t)(raw - unread) == sse_complete(&sse));
        front += sse_complete(&sse);
        sse_drop(&sse, sse_complete(&sse));
        alloc_free(unread);
        if (end == stream.size)
            break;
        end = step < stream.size - end ? end + step : stream.size;
    }
    buffer_fini(&scratch);
    return stream.size - front;
}

/* The splitter may wait for the LF of a last CR; with a line of its own behind it, it does not. */
static bool waits_for_lf(struct slice stream)
{
    return stream.size > 0 && stream.data[stream.size - 1] == '\r';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer all[3], text[3], plain;
    if (size < 1 || size > STREAM_BYTES_MAX)
        return 0;
    const struct slice stream = slice_of(data + 1, size - 1);
    for (unsigned i = 0; i < 3; i++) {
        buffer_init(&all[i], TEXT_BYTES_MAX * 4);
        buffer_init(&text[i], TEXT_BYTES_MAX);
    }
    buffer_init(&plain, TEXT_BYTES_MAX);
    const size_t left = read_split(stream, stream.size, 1, &all[0], &text[0]);
    ASSERT(read_split(stream, data[0], stream.size + 1, &all[1], &text[1]) == left);
    ASSERT(read_split(stream, 1, 1, &all[2], &text[2]) == left);
    for (unsigned i = 1; i < 3; i++) {
        ASSERT(slice_equal(buffer_slice(&all[i]), buffer_slice(&all[0])));
        ASSERT(slice_equal(buffer_slice(&text[i]), buffer_slice(&text[0])));
    }
    if (!waits_for_lf(stream)) {
        read_plainly(stream, &plain);
        ASSERT(slice_equal(buffer_slice(&plain), buffer_slice(&text[0])));
    }
    for (unsigned i = 0; i < 3; i++) {
        buffer_fini(&all[i]);
        buffer_fini(&text[i]);
    }
    buffer_fini(&plain);
    return 0;
}
