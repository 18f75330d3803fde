/* Appends JSON to a buffer, compact, with the commas in the right places.
 *
 * Errors are the buffer's (base/buffer.h): look at buffer_status() once at the end.
 * Wrong nesting is a programmer's mistake (ASSERT). */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/slice.h"

#define JSON_WRITE_DEPTH_MAX 32

struct json_writer {
    struct buffer *buffer;
    uint32_t is_object; /* bit per open container, the innermost lowest */
    uint32_t has_items; /* likewise */
    uint8_t depth;
    bool has_key; /* a key is written and waits for its value */
};

void json_writer_init(struct json_writer *writer, struct buffer *buffer);

void json_write_object(struct json_writer *writer); /* { */
void json_write_array(struct json_writer *writer);  /* [ */
void json_write_end(struct json_writer *writer);    /* of the innermost container */
void json_write_key(struct json_writer *writer, struct slice name);

void json_write_string(struct json_writer *writer, struct slice text);
void json_write_u64(struct json_writer *writer, uint64_t value);
void json_write_i64(struct json_writer *writer, int64_t value);
void json_write_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);
/* A value that is JSON already. */
void json_write_raw(struct json_writer *writer, struct slice json);

/* Appends the text in quotes, escaped as RFC 8259 section 7 needs. Bytes that are no UTF-8 become
 * U+FFFD, so that what is written is always valid. Statuses of buffer_append(). */
enum status json_append_string(struct buffer *buffer, struct slice text);

/* The same in the arena. data is NULL when memory ran out. */
struct slice json_quote(struct slice text, struct arena *arena);

#endif
