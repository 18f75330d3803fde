#include "json/write.h"

#include "base/assert.h"
#include "json/search.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

void json_writer_init(struct json_writer *writer, struct buffer *buffer)
{
    *writer = (struct json_writer){.buffer = buffer};
}

/* Before each value: the comma, if it is an element that is not the first. */
static void start_value(struct json_writer *writer)
{
    ASSERT(writer->depth == 0 || (writer->is_object & 1) == writer->has_key);
    if (writer->depth > 0 && !writer->has_key && (writer->has_items & 1) != 0)
        buffer_append_byte(writer->buffer, ',');
    writer->has_items |= 1;
    writer->has_key = false;
}

static void open_container(struct json_writer *writer, bool is_object)
{
    start_value(writer);
    ASSERT(writer->depth < JSON_WRITE_DEPTH_MAX);
    writer->depth++;
    writer->is_object = writer->is_object << 1 | is_object;
    writer->has_items <<= 1;
    buffer_append_byte(writer->buffer, is_object ? '{' : '[');
}

void json_write_object(struct json_writer *writer)
{
    open_container(writer, true);
}

void json_write_array(struct json_writer *writer)
{
    open_container(writer, false);
}

void json_write_end(struct json_writer *writer)
{
    ASSERT(writer->depth > 0 && !writer->has_key);
    buffer_append_byte(writer->buffer, (writer->is_object & 1) != 0 ? '}' : ']');
    writer->depth--;
    writer->is_object >>= 1;
    writer->has_items >>= 1;
}

void json_write_key(struct json_writer *writer, struct slice name)
{
    ASSERT(writer->depth > 0 && (writer->is_object & 1) != 0 && !writer->has_key);
    if ((writer->has_items & 1) != 0)
        buffer_append_byte(writer->buffer, ',');
    json_append_string(writer->buffer, name);
    buffer_append_byte(writer->buffer, ':');
    writer->has_key = true;
}

void json_write_raw(struct json_writer *writer, struct slice json)
{
    start_value(writer);
    buffer_append(writer->buffer, json);
}

void json_write_string(struct json_writer *writer, struct slice text)
{
    start_value(writer);
    json_append_string(writer->buffer, text);
}

void json_write_u64(struct json_writer *writer, uint64_t value)
{
    start_value(writer);
    buffer_append_u64(writer->buffer, value);
}

void json_write_i64(struct json_writer *writer, int64_t value)
{
    start_value(writer);
    if (value < 0)
        buffer_append_byte(writer->buffer, '-');
    buffer_append_u64(writer->buffer, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_write_bool(struct json_writer *writer, bool value)
{
    json_write_raw(writer, value ? SLICE("true") : SLICE("false"));
}

void json_write_null(struct json_writer *writer)
{
    json_write_raw(writer, SLICE("null"));
}

/* --- strings --- */

/* What stands for the byte or character at `at`, which is not plain; its size in *size_out.
 * `scratch` holds six bytes. */
static struct slice escape_at(const char *at, const char *end, char *scratch, size_t *size_out)
{
    static const char letters[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    const unsigned char byte = (unsigned char)*at;
    *size_out = 1;
    if (byte >= 0x80) {
        uint32_t code;
        const size_t size = json_utf8_next(at, end, &code);
        if (size == 0)
            return SLICE(REPLACEMENT);
        *size_out = size;
        return slice_of(at, size);
    }
    scratch[0] = '\\';
    if (byte >= 0x20 || letters[byte] != 0) {
        scratch[1] = byte >= 0x20 ? *at : letters[byte];
        return slice_of(scratch, 2);
    }
    scratch[1] = 'u';
    scratch[2] = scratch[3] = '0';
    scratch[4] = (char)('0' + (byte >> 4));
    scratch[5] = "0123456789abcdef"[byte & 15];
    return slice_of(scratch, 6);
}

/* Writes the text in quotes; `to` may be NULL, then it only counts. */
static size_t quote(struct slice text, char *to)
{
    const char *at = text.data != NULL ? text.data : "";
    const char *end = at + text.size;
    size_t size = 1;
    if (to != NULL)
        to[0] = '"';
    while (at < end) {
        const char *plain_end = json_search_special(at, end);
        const size_t plain = (size_t)(plain_end - at);
        if (to != NULL)
            memcpy(to + size, at, plain);
        size += plain;
        at = plain_end;
        if (at == end)
            break;
        char scratch[6];
        size_t taken;
        const struct slice escape = escape_at(at, end, scratch, &taken);
        if (to != NULL)
            memcpy(to + size, escape.data, escape.size);
        size += escape.size;
        at += taken;
    }
    if (to != NULL)
        to[size] = '"';
    return size + 1;
}

enum status json_append_string(struct buffer *buffer, struct slice text)
{
    const size_t size = quote(text, NULL);
    const enum status status = buffer_reserve(buffer, size);
    if (status != STATUS_OK)
        return status;
    quote(text, buffer->data + buffer->size);
    buffer->size += size;
    return buffer_status(buffer);
}

struct slice json_quote(struct slice text, struct arena *arena)
{
    const size_t size = quote(text, NULL);
    char *quoted = arena_alloc(arena, size);
    if (quoted == NULL)
        return (struct slice){0};
    quote(text, quoted);
    return slice_of(quoted, size);
}
