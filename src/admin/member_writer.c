#include "admin/member_writer.h"

#include "base/clock.h"

void member_write_text(struct json_writer *writer, struct slice name, struct slice text)
{
    json_write_key(writer, name);
    if (text.data == NULL)
        json_write_null(writer);
    else
        json_write_string(writer, text);
}

void member_write_filled(struct json_writer *writer, struct slice name, struct slice text)
{
    member_write_text(writer, name, text.size > 0 ? text : (struct slice){0});
}

void member_write_id(struct json_writer *writer, struct slice name, const struct id *id)
{
    char text[ID_TEXT_SIZE];
    id_format(id, text);
    member_write_text(writer, name, slice_of(text, sizeof(text)));
}

void member_write_time(struct json_writer *writer, struct slice name, uint64_t time_us)
{
    char text[CLOCK_TEXT_BYTES];
    const unsigned size = time_us != 0 ? clock_format(time_us, 3, text) : 0;
    member_write_text(writer, name, slice_of(size > 0 ? text : NULL, size));
}

void member_write_bool(struct json_writer *writer, struct slice name, bool value)
{
    json_write_key(writer, name);
    json_write_bool(writer, value);
}

void member_write_number(struct json_writer *writer, struct slice name, uint64_t value)
{
    json_write_key(writer, name);
    json_write_u64(writer, value);
}
