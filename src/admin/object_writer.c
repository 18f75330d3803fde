#include "admin/object_writer.h"

#include "base/clock.h"
#include "json/writer.h"

struct object_writer object_begin(struct buffer *out)
{
    buffer_append_byte(out, '{');
    return (struct object_writer){.out = out};
}

void object_end(struct object_writer *writer)
{
    buffer_append_byte(writer->out, '}');
}

void object_member(struct object_writer *writer, const char *name)
{
    if (writer->has_members)
        buffer_append_byte(writer->out, ',');
    writer->has_members = true;
    buffer_append_byte(writer->out, '"');
    buffer_append(writer->out, slice_from_text(name));
    buffer_append(writer->out, SLICE("\":"));
}

void object_text(struct object_writer *writer, const char *name, struct slice text)
{
    object_member(writer, name);
    if (text.data == NULL)
        buffer_append(writer->out, SLICE("null"));
    else
        json_write_string(writer->out, text);
}

void object_id(struct object_writer *writer, const char *name, const struct id *id)
{
    char text[ID_TEXT_SIZE];
    id_format(id, text);
    object_text(writer, name, slice_of(text, sizeof(text)));
}

void object_time(struct object_writer *writer, const char *name, uint64_t time_us)
{
    char text[CLOCK_TEXT_BYTES];
    const unsigned size = time_us != 0 ? clock_format(time_us, 3, text) : 0;
    object_text(writer, name, slice_of(size > 0 ? text : NULL, size));
}

void object_bool(struct object_writer *writer, const char *name, bool value)
{
    object_member(writer, name);
    buffer_append(writer->out, value ? SLICE("true") : SLICE("false"));
}

void object_number(struct object_writer *writer, const char *name, uint64_t value)
{
    object_member(writer, name);
    buffer_append_u64(writer->out, value);
}
